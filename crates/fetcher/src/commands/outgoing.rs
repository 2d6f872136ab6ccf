//! What leaves the depot, on a stick or in a file: chosen, checked, its timestamp good for a while.

mod site;

use std::collections::BTreeMap;
use std::io;

use firmware::{Model, Release, ReleaseId};
use receipt::Acknowledged;
use stick::statements::Name;
use stick::{Contents, SignedRelease};
use terminal::{Count, Exit, Fail, Failure};
use tuf_client::Clock;

use self::site::{Place, Supply};
use super::source::depot_failure;
use super::{ledger_failure, online_key_failure, publication_failure, publish_failure, sites};
use crate::catalog::Catalog;
use crate::collect::Taken;
use crate::context::{Context, identity_failure};
use crate::depot::Depot;
use crate::home::Home;
use crate::key_ring;
use crate::ledger::Ledger;
use crate::load::{self, Documents, Wanted, contents, missing_steps, select};
use crate::publication::Publication;
use crate::publish::{self, OnlineKeys};
use crate::recipient::{Standing, lost};

/// Which of the approved releases go along.
#[derive(Debug, clap::Args)]
pub(super) struct SelectionArgs {
    /// Carry the approved releases for this model (may be given again)
    #[arg(long, value_name = "MODEL")]
    model: Vec<Model>,
    /// Carry what the recorders of this site need by what came home from them, steps included, and nothing else: a
    /// site file, or the name that was given there (may be given again)
    #[arg(long = "site", value_name = "FILE|NAME")]
    sites: Vec<String>,
    /// Carry every approved release
    #[arg(long, conflicts_with_all = ["model", "sites"])]
    all: bool,
    /// Carry no firmware, only what is approved, acknowledged and withdrawn
    #[arg(long, conflicts_with_all = ["model", "sites", "all"])]
    metadata_only: bool,
}

/// What is asked for; several add up.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    releases: Wanted,
    sites: Vec<Place>,
}

impl SelectionArgs {
    /// What was asked for; `command` is named where nothing was.
    pub(super) fn wanted(&self, command: &str) -> Result<Asked, Failure> {
        let sites = self.sites.iter().map(|named| Place::read(named)).collect::<Result<Vec<_>, _>>()?;
        let releases = if self.all {
            Wanted::All
        } else if self.metadata_only {
            Wanted::MetadataOnly
        } else if self.model.is_empty() && sites.is_empty() {
            let message = format!("{command}: nothing says what it is to carry");
            return Err(Failure::new(Exit::Usage, message)
                .hint("give --model MODEL, --site FILE, --all or --metadata-only"));
        } else {
            Wanted::Models(self.model.clone())
        };
        Ok(Asked { releases, sites })
    }
}

/// A publication ready to be written, with the depot's files behind it.
pub(super) struct Outgoing {
    pub(super) publication: Publication,
    pub(super) contents: Contents,
    /// The depot's own clock is what it signs by, so nothing else is known of the time.
    pub(super) clock: Clock,
    /// The firmware that goes along, by consistent name.
    pub(super) carried: Vec<String>,
    /// What goes along with it in any case.
    pub(super) documents: Documents,
    /// What it says has arrived.
    acknowledged: Acknowledged,
    /// What goes along for the sites that were named.
    pub(super) sites: Vec<Supply>,
    approved: Vec<SignedRelease>,
    depot: Depot,
}

impl Outgoing {
    /// Checks everything before anything is changed, then lets `arrive` bring statements home, whose
    /// arrival is acknowledged in what goes out, and renews the timestamp if that is near its end.
    pub(super) fn prepare<T>(
        mut publication: Publication,
        asked: &Asked,
        home: &Home,
        context: &Context,
        arrive: impl FnOnce(&Ledger) -> Result<T, Failure>,
    ) -> Result<(Self, T), Failure> {
        still_good(&publication, context)?;
        let approved = SignedRelease::all(&publication.current().targets).fail(Exit::Rejected)?;
        let mut carried = select(&approved, &asked.releases).map_err(|nothing| {
            let models: Vec<String> = nothing.iter().map(ToString::to_string).collect();
            Failure::new(Exit::Refused, models.join("; "))
                .hint("fetcher releases --model MODEL, then pin and approve one")
        })?;
        if let Some(words) = super::status::clock_is_wrong(&publication, context.now) {
            context.output.warn(words);
        }
        opens_what_comes_back(&publication, home, context)?;
        let missing = missing_steps(&approved, &carried);
        if !missing.is_empty() {
            let missing: Vec<&str> = missing.iter().map(ReleaseId::as_str).collect();
            context.output.warn(format_args!(
                "steps that go before what is carried are not approved: {}; recorders that need them are refused until then (fetcher approve)",
                missing.join(" ")
            ));
        }
        let depot = Depot::open(home.depot()).map_err(depot_failure)?;
        all_in_depot(&depot, &carried)?;
        let documents = publication.documents().map_err(publication_failure)?;

        let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
        let arrived_now = arrive(&ledger)?;
        // what has just arrived says what a site needs
        let sites = supplies(&asked.sites, &approved, &ledger, context)?;
        let mut for_sites: Vec<&SignedRelease> =
            sites.iter().flat_map(|supply| supply.carried(&approved)).collect();
        for_sites.retain(|one| !carried.iter().any(|other| other.release().id == one.release().id));
        for_sites.sort_by(|a, b| a.release().id.cmp(&b.release().id));
        for_sites.dedup_by(|a, b| a.release().id == b.release().id);
        all_in_depot(&depot, &for_sites)?;
        carried.extend(for_sites);

        let keys = key_ring::online(&home.keys(), context.credentials.as_deref(), publication.root())
            .map_err(online_key_failure)?;
        renew(&mut publication, &keys, context)?;
        let arrived = ledger.laptops().map_err(ledger_failure)?;
        let arrived: BTreeMap<_, _> =
            arrived.into_iter().map(|laptop| (laptop.laptop, laptop.complete_to)).collect();
        let is_any = !arrived.is_empty();
        let acknowledged = Acknowledged::new(arrived);
        let signed = is_any.then(|| acknowledged.sign(&keys.snapshot)).transpose().fail(Exit::Internal)?;
        let contents = contents(&publication, &approved, &carried, &documents, signed);
        let carried = carried.iter().map(|release| release.consistent_name()).collect();
        let clock = Clock { system: context.now, build: context.now };
        let outgoing =
            Self { publication, contents, clock, carried, documents, acknowledged, sites, approved, depot };
        Ok((outgoing, arrived_now))
    }

    /// What goes along, in words: the releases, and each document by its name.
    pub(super) fn in_words(&self) -> String {
        // <sha256>.policy.json
        let mut names: Vec<&str> =
            self.documents.keys().filter_map(|name| Some(name.split_once('.')?.1)).collect();
        names.sort_unstable();
        let releases = format!("{} carried", Count(self.carried.len(), "release"));
        names.iter().fold(releases, |text, name| text + ", " + name)
    }

    /// Those among these statements whose arrival it acknowledges.
    pub(super) fn delivered(&self, taken: &Taken) -> Vec<Name> {
        taken.names().filter(|name| name.counter <= self.acknowledged.of(&name.laptop)).collect()
    }

    /// A file of the depot by its consistent name.
    pub(super) fn source(&self, name: &str) -> io::Result<Box<dyn io::Read>> {
        load::open(name, &self.depot, &self.approved, &self.documents)
    }
}

/// Warns where statements that are encrypted do not open here. That is no reason to send nothing out.
fn opens_what_comes_back(publication: &Publication, home: &Home, context: &Context) -> Result<(), Failure> {
    let identity = match home.identity().map_err(identity_failure) {
        Ok(identity) => identity,
        Err(failure) => {
            context.output.warn(format_args!(
                "{:#}: statements that are encrypted do not open\nhint: {}",
                failure.error,
                failure.hint.unwrap_or_default()
            ));
            return Ok(());
        }
    };
    let policy = publication.policy().map_err(publication_failure)?;
    let recipient = policy.as_ref().and_then(|signed| signed.document().depot_recipient.as_ref());
    if let Some(recipient) = recipient
        && Standing::of(recipient, identity.as_ref()) == Standing::Foreign
    {
        context.output.warn(lost(recipient));
    }
    Ok(())
}

/// What goes along for sites, told.
fn supplies(
    places: &[Place],
    approved: &[SignedRelease],
    ledger: &Ledger,
    context: &Context,
) -> Result<Vec<Supply>, Failure> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let known = sites::known(ledger).map_err(ledger_failure)?;
    let approved: Vec<Release> = approved.iter().map(|signed| signed.release().clone()).collect();
    let catalog = context.catalog();
    if let Err(failure) = &catalog {
        context.output.note(format_args!(
            "{:#}; whether more is due that nobody has approved is not known",
            failure.error
        ));
    }
    let listed = catalog.as_ref().ok().map(Catalog::releases);
    let supplies = places.iter().map(|place| place.supply(&known, &approved, listed));
    let supplies = supplies.collect::<Result<Vec<_>, _>>()?;
    for supply in &supplies {
        supply.tell(context);
    }
    Ok(supplies)
}

/// Signs snapshot and timestamp anew if that is due; says whether.
pub(super) fn renew(
    publication: &mut Publication,
    keys: &OnlineKeys,
    context: &Context,
) -> Result<bool, Failure> {
    let next = publish::renew(publication.root(), publication.current(), keys, context.now);
    let Some(next) = next.map_err(publish_failure)? else { return Ok(false) };
    publication.replace(&next).map_err(publication_failure)?;
    Ok(true)
}

/// What only people can sign must still be good: no laptop would take it.
fn still_good(publication: &Publication, context: &Context) -> Result<(), Failure> {
    let (root, targets) = (publication.root().expires(), publication.current().targets.expires());
    let (what, expires, hint) = if root <= context.now {
        ("root", root, "the root must be signed again: fetcher root renew")
    } else if targets <= context.now {
        ("approval", targets, "the approval must be signed again: fetcher approve --renew")
    } else {
        return Ok(());
    };
    let message =
        format!("publication: its {what} expired on {}; nothing was written", expires.strftime("%F"));
    Err(Failure::new(Exit::Expired, message).hint(hint))
}

fn all_in_depot(depot: &Depot, carried: &[&SignedRelease]) -> Result<(), Failure> {
    let missing: Vec<&str> =
        carried.iter().filter(|a| !depot.holds_signed(a)).map(|a| a.release().id.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("depot: approved and not in it: {}; nothing was written", missing.join(" "));
    Err(Failure::new(Exit::Refused, message)
        .hint("fetcher sync downloads it; fetcher pin ID --file PATH takes a file by hand"))
}

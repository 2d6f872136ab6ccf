//! `fetcher status`: what is due.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use stick::{SignedRelease, UnsignableDocument};
use terminal::{Count, Exit, Fail, Failure};

use super::signing::{open_event, standing, summary};
use super::source::depot_failure;
use super::{ledger_failure, publication_failure};
use crate::catalog::Catalog;
use crate::context::Context;
use crate::depot::Depot;
use crate::fleet::{Asked, open_requests};
use crate::ledger::Ledger;
use crate::publication::Publication;
use crate::publish::{DocumentState, days_left, signed_ahead};

/// Say what is due: expiries, what is unpinned, unapproved, or missing from the depot.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher status
  fetcher status --json | jq .missing")]
pub struct Args {}

/// What is due.
#[derive(Debug, Serialize)]
struct Status {
    expiries: Vec<Expiry>,
    /// When the timestamp was signed, if that is still to come.
    signed_ahead: Option<Timestamp>,
    /// What waits for more signatures: who has signed, and who could.
    signing: Option<Value>,
    /// Releases that the catalogue lists without a pin.
    unpinned: usize,
    /// Pinned releases that nobody has approved.
    unapproved: Vec<String>,
    /// Approved releases whose facts or pin in the catalogue are others now.
    changed: Vec<String>,
    /// Approved releases whose file is not in the depot.
    missing: Vec<String>,
    approved: usize,
    /// What sites ask for and have not got yet.
    requests: Vec<Asked>,
    /// How the documents of the manifests stand to those that are signed.
    advisories: DocumentState,
    policy: DocumentState,
}

/// Until when a role's metadata is good.
#[derive(Debug, Serialize)]
pub(super) struct Expiry {
    pub(super) role: &'static str,
    version: u64,
    pub(super) expires: Timestamp,
    days_left: i64,
    /// Whether a person should sign again.
    pub(super) due: bool,
}

impl Expiry {
    /// What a person does about one that is due.
    pub(super) fn mend(&self) -> &'static str {
        match (self.due, self.role) {
            (true, "root") => "  (fetcher root renew)",
            (true, _) => "  (fetcher approve --renew)",
            (false, _) => "",
        }
    }

    /// How long it is good, in words.
    pub(super) fn in_words(&self) -> String {
        let Self { version, expires, days_left, .. } = self;
        format!("version {version}, {days_left} days left, until {}", expires.strftime("%F"))
    }
}

/// Runs the command.
pub fn run(_args: &Args, context: &Context) -> Result<Exit, Failure> {
    let home = context.open_home()?;
    let catalog = context.catalog()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    let depot = Depot::open(home.depot()).map_err(depot_failure)?;
    let approved = SignedRelease::all(&publication.current().targets).fail(Exit::Rejected)?;
    let event = open_event(&home, &publication)?;
    let mut status = status(&depot, &catalog, &publication, &approved, context.now).fail(Exit::Rejected)?;
    status.signing = event.as_ref().map(standing);
    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    let (requests, words) = (ledger.requests(), ledger.last_words());
    status.requests = open_requests(requests.map_err(ledger_failure)?, &words.map_err(ledger_failure)?);
    context.output.json(&status);
    tell(&status, context);
    if let Some(words) = clock_is_wrong(&publication, context.now) {
        context.output.warn(words);
    }
    if let Some(event) = event {
        context.output.data(format_args!(
            "waiting for signatures: {}  (fetcher sign {})",
            summary(&event),
            home.signing_event().display()
        ));
    }
    Ok(Exit::Done)
}

fn status(
    depot: &Depot,
    catalog: &Catalog,
    publication: &Publication,
    approved: &[SignedRelease],
    now: Timestamp,
) -> Result<Status, UnsignableDocument> {
    let is_approved = |id: &firmware::ReleaseId| approved.iter().any(|a| a.release().id == *id);
    let missing = approved.iter().filter(|a| !depot.holds_signed(a));
    let pinned = catalog.releases().iter().filter(|r| r.pin.is_some());
    let targets = &publication.current().targets;
    Ok(Status {
        expiries: expiries(publication, now),
        signed_ahead: signed_ahead(publication.current(), now),
        signing: None,
        unpinned: catalog.releases().iter().filter(|r| r.pin.is_none()).count(),
        unapproved: pinned.filter(|r| !is_approved(&r.id)).map(|r| r.id.to_string()).collect(),
        changed: approved
            .iter()
            .filter(|a| !a.says_the_same_as(catalog.release(&a.release().id)))
            .map(|a| a.release().id.to_string())
            .collect(),
        missing: missing.map(|a| a.release().id.to_string()).collect(),
        approved: approved.len(),
        requests: Vec::new(),
        advisories: DocumentState::of(catalog.advisories(), targets)?,
        policy: DocumentState::of(catalog.policy(), targets)?,
    })
}

/// What a person should know of the clock of this machine, if anything.
pub(super) fn clock_is_wrong(publication: &Publication, now: Timestamp) -> Option<String> {
    let (current, at) = (publication.current(), signed_ahead(publication.current(), now)?);
    let version = current.timestamp.version();
    Some(format!(
        "timestamp {version} was signed on {}, and it is {}: the clock of this machine is wrong, or was; set it right and load again; a laptop that has seen that timestamp then needs applier clock reset REASON",
        at.strftime("%F"),
        now.strftime("%F")
    ))
}

/// When each role's metadata ends.
pub(super) fn expiries(publication: &Publication, now: Timestamp) -> Vec<Expiry> {
    let (root, current) = (publication.root(), publication.current());
    // snapshot and timestamp are signed anew by every load that finds them old: nobody need do anything
    let expiry = |role, version, expires: Timestamp, by_hand: bool| {
        let (days_left, soon) = days_left(expires, now);
        Expiry { role, version, expires, days_left, due: by_hand && soon }
    };
    vec![
        expiry("root", root.version(), root.expires(), true),
        expiry("targets", current.targets.version(), current.targets.expires(), true),
        expiry("snapshot", current.snapshot.version(), current.snapshot.expires(), false),
        expiry("timestamp", current.timestamp.version(), current.timestamp.expires(), false),
    ]
}

fn tell(status: &Status, context: &Context) {
    let output = context.output;
    for expiry in &status.expiries {
        let word = if expiry.due { "DUE" } else { "ok " };
        let (role, words, mend) = (expiry.role, expiry.in_words(), expiry.mend());
        output.data(format_args!("{word} {role:<10} {words}{mend}"));
    }
    output.data(format_args!(
        "{} approved, {} in the catalogue not pinned",
        Count(status.approved, "release"),
        status.unpinned
    ));
    if !status.unapproved.is_empty() {
        output.data(format_args!("pinned and not approved: {}", status.unapproved.join(" ")));
    }
    if !status.changed.is_empty() {
        let changed = status.changed.join(" ");
        output.data(format_args!(
            "changed in the catalogue since they were approved: {changed}  (fetcher approve)"
        ));
    }
    if !status.missing.is_empty() {
        output.data(format_args!(
            "approved and not in the depot: {}  (fetcher sync)",
            status.missing.join(" ")
        ));
    }
    for request in &status.requests {
        output.data(format_args!("requested: {request}"));
    }
    for (name, state) in [("advisories", status.advisories), ("policy", status.policy)] {
        if let Some(words) = state.in_words(name) {
            output.data(words);
        }
    }
}

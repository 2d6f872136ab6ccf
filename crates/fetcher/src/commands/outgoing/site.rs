//! What goes along to a site: what its recorders need by what came home from them, steps included, and nothing else.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use firmware::site::Site;
use firmware::{Release, ReleaseId, Serial, Text};
use serde::Serialize;
use stick::SignedRelease;
use terminal::{Count, Exit, Failure};

use crate::commands::sites;
use crate::context::Context;
use crate::due::{AtSite, Due, Undecided, at_site, due, named};
use crate::fleet::Asked;
use crate::ledger::LastWord;

/// A site on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum Place {
    /// A site file, read.
    File(Site),
    /// As statements call it.
    Name(Text),
}

/// What goes along for one site.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct Supply {
    /// What it is called.
    site: Text,
    /// Its recorders of which something is known.
    recorders: Vec<Serial>,
    /// What goes along for them.
    releases: Vec<ReleaseId>,
    /// Those that wait for a person.
    undecided: Vec<Undecided>,
    /// Addresses in the site file of which nothing is known.
    unknown: Vec<String>,
    /// What they are due to get by the catalogue, and nobody has approved.
    not_approved: Vec<ReleaseId>,
}

impl Place {
    /// The file of this name, or where there is none, what statements call so.
    pub(super) fn read(named: &str) -> Result<Self, Failure> {
        let path = Path::new(named);
        if path.exists() {
            return sites::read(path).map(Self::File);
        }
        let name = Text::from_str(named).map_err(|error| Failure::of(Exit::Usage, error))?;
        Ok(Self::Name(name))
    }

    fn name(&self) -> &Text {
        match self {
            Self::File(site) => &site.name,
            Self::Name(name) => name,
        }
    }

    fn region(&self) -> Option<&str> {
        match self {
            Self::File(site) => site.region.as_deref(),
            Self::Name(_) => None,
        }
    }

    /// Its recorders among those that are known.
    fn recorders(&self, words: &[LastWord], requests: &[Asked]) -> Result<AtSite, Failure> {
        let name = match self {
            Self::File(site) => return Ok(at_site(site, words, requests)),
            Self::Name(name) => name,
        };
        let at = named(name, words, requests);
        if !at.words.is_empty() {
            return Ok(at);
        }
        let said: BTreeSet<&str> =
            words.iter().filter_map(|word| word.site.as_ref()).map(Text::as_str).collect();
        let message =
            format!("site {name}: there is no such file, and no recorder was last said to be there");
        let known: Vec<&str> = said.into_iter().collect();
        let hint = match known.as_slice() {
            [] => "name a site file: docs/formats.md has an example".to_owned(),
            known => format!("name a site file, or one of {}", known.join(", ")),
        };
        Err(Failure::new(Exit::Usage, message).hint(hint))
    }

    /// What goes along for it of what is approved; of the `catalogue` it is told what is not.
    pub(super) fn supply(
        &self,
        (words, requests): &(Vec<LastWord>, Vec<Asked>),
        approved: &[Release],
        catalogue: Option<&[Release]>,
    ) -> Result<Supply, Failure> {
        let at = self.recorders(words, requests)?;
        let of = |releases| due(&at.words, &at.requests, releases, self.region());
        let Due { releases, undecided } = of(approved);
        let is_approved = |id: &ReleaseId| approved.iter().any(|release| release.id == *id);
        let listed = catalogue.map(of).unwrap_or_default().releases;
        let listed = listed.into_iter().map(|release| release.id.clone());
        Ok(Supply {
            site: self.name().clone(),
            recorders: at.serials().cloned().collect(),
            releases: releases.into_iter().map(|release| release.id.clone()).collect(),
            undecided,
            unknown: at.unknown.iter().map(called).collect(),
            not_approved: listed.filter(|id| !is_approved(id)).collect(),
        })
    }
}

fn called(recorder: &firmware::site::SiteRecorder) -> String {
    match &recorder.name {
        Some(name) => format!("{} ({name})", recorder.address),
        None => recorder.address.clone(),
    }
}

impl Supply {
    /// Those among what is approved.
    pub(super) fn carried<'a>(
        &self,
        approved: &'a [SignedRelease],
    ) -> impl Iterator<Item = &'a SignedRelease> {
        approved.iter().filter(|signed| self.releases.contains(&signed.release().id))
    }

    /// Says what goes along and what does not.
    pub(super) fn tell(&self, context: &Context) {
        let (site, output) = (&self.site, context.output);
        output.data(self);
        for undecided in &self.undecided {
            output.warn(format_args!("site {site}: {undecided}"));
        }
        if !self.unknown.is_empty() {
            output.warn(format_args!(
                "site {site}: nothing is known of {}; applier inspect or audit there tells it, and until then --model MODEL takes along what is approved for a model",
                self.unknown.join(", ")
            ));
        }
        if !self.not_approved.is_empty() {
            let ids: Vec<&str> = self.not_approved.iter().map(ReleaseId::as_str).collect();
            let ids = ids.join(" ");
            output.warn(format_args!(
                "site {site}: due by the catalogue and not approved: {ids}; fetcher sync --wanted, then fetcher approve {ids}"
            ));
        }
    }
}

impl fmt::Display for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recorders = Count(self.recorders.len(), "recorder");
        let ids: Vec<&str> = self.releases.iter().map(ReleaseId::as_str).collect();
        let needs = if ids.is_empty() { "nothing".to_owned() } else { ids.join(" ") };
        write!(f, "site {}: {recorders} known, needed: {needs}", self.site)
    }
}

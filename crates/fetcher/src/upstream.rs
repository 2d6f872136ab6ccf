//! A saved vendor listing to releases that the catalogue does not know. Pure; it trusts nothing: what a listing says is
//! capped, checked as a manifest is, and only ever proposed to a person, without a pin.
//!
//! `listing` reads it, `propose` writes what is new as entries and as a patch.

mod listing;
mod propose;

use std::collections::HashMap;
use std::path::PathBuf;

use firmware::{Family, Model, Release, Text};
use jiff::civil::Date;
use serde::Serialize;

use crate::catalog::Catalog;
use listing::Package;
pub use listing::{LARGEST, Listing, ListingError};
pub use propose::patch;

/// A package that the catalogue does not know, as an entry of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The facts, without a pin.
    pub release: Release,
    /// Where the entry belongs, from the folder of the manifests.
    pub file: PathBuf,
    /// Its text.
    pub entry: String,
    /// Names that the listing gives as models and that are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_models: Vec<Text>,
}

/// A line of a listing that is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// From 1.
    pub line: usize,
    /// Why.
    pub reason: Text,
}

/// Models that a listing names for a package that is known, and the catalogue does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoreModels {
    /// The release, by its id.
    pub release: String,
    /// The models.
    pub models: Vec<Model>,
}

/// What a listing says that the catalogue does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct News {
    /// In the order of the listing.
    pub new: Vec<Proposal>,
    /// Of packages that are known.
    pub more_models: Vec<MoreModels>,
    /// How many packages are known.
    pub known: usize,
    /// What was not understood, or could not stand in a manifest.
    pub left_out: Vec<LeftOut>,
}

/// Compares a listing with the catalogue.
pub fn compare(listing: &Listing, catalog: &Catalog) -> News {
    let known = Known::of(catalog.releases());
    let mut news = News { left_out: listing.left_out.clone(), ..News::default() };
    for (line, package) in &listing.packages {
        if let Some(release) = known.same_as(package) {
            news.known += 1;
            news.more_models.extend(more_models(package, release));
            continue;
        }
        if let Some(before) = news.new.iter().find(|proposal| package.is(&proposal.release)) {
            let reason = format!("as far as it tells, the same package as {}", before.release.id);
            news.left_out.push(LeftOut { line: *line, reason: Text::cleaned(&reason) });
            continue;
        }
        match propose::entry(package, listing, catalog, &news.new) {
            Ok(proposal) => news.new.push(proposal),
            Err(reason) => news.left_out.push(LeftOut { line: *line, reason: Text::cleaned(&reason) }),
        }
    }
    news.left_out.sort_by_key(|left_out| left_out.line);
    news
}

fn more_models(package: &Package, release: &Release) -> Option<MoreModels> {
    let (models, _) = package.models();
    // none at all: the catalogue waits for a person, and the listing may help
    let models: Vec<Model> = models.into_iter().filter(|model| !release.lists(model)).collect();
    (!models.is_empty()).then(|| MoreModels { release: release.id.to_string(), models })
}

/// The releases of a catalogue, found by what names a package.
struct Known<'a> {
    numbers: HashMap<&'a str, &'a Release>,
    urls: HashMap<&'a str, &'a Release>,
    revisions: HashMap<(Family, String), Vec<&'a Release>>,
}

impl<'a> Known<'a> {
    fn of(releases: &'a [Release]) -> Self {
        let by = |key: fn(&Release) -> Option<&str>| {
            releases.iter().filter_map(|release| Some((key(release)?, release))).collect()
        };
        let mut revisions: HashMap<_, Vec<&Release>> = HashMap::new();
        for release in releases {
            revisions.entry((release.family, release.revision.to_string())).or_default().push(release);
        }
        Self {
            numbers: by(|release| release.package.as_deref()),
            urls: by(|release| release.url.as_deref()),
            revisions,
        }
    }

    /// The release that is this package: by the vendor's number, by the address, or by family, version, build and a
    /// model, where not both have a number of their own.
    fn same_as(&self, package: &Package) -> Option<&'a Release> {
        let by =
            |key: Option<&str>, map: &HashMap<&str, &'a Release>| key.and_then(|key| map.get(key).copied());
        let revision = (package.family, package.revision.to_string());
        by(package.number.as_deref(), &self.numbers)
            .or_else(|| by(package.url.as_deref(), &self.urls))
            .or_else(|| self.revisions.get(&revision)?.iter().copied().find(|release| package.is(release)))
    }
}

/// Which listing, for people: its name and its day.
fn source(source: &str, saved: Date) -> String {
    format!("{source}, saved on {saved}")
}

#[cfg(test)]
mod tests;

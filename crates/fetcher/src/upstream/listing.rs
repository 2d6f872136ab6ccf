use std::collections::HashMap;

use firmware::{Build, Family, FirmwareVersion, Model, Release, Revision, Text};
use jiff::civil::Date;
use serde::Deserialize;

use super::LeftOut;

/// The longest listing that is read, bytes.
pub const LARGEST: u64 = 32 << 20;
/// The longest line, bytes.
const LONGEST_LINE: usize = 64 << 10;
/// The most packages.
const MOST_PACKAGES: usize = 50_000;
/// What this version reads.
const FORMAT: u32 = 1;

/// A vendor listing as somebody saved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Which, for people.
    pub(super) source: String,
    /// When it was saved.
    pub(super) saved: Date,
    /// Its packages, each with its line.
    pub(super) packages: Vec<(usize, Package)>,
    /// Lines that were not understood.
    pub(super) left_out: Vec<LeftOut>,
    /// Where a package stands, by its number, else by its address.
    named: HashMap<String, usize>,
}

/// The first line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: u32,
    source: String,
    saved: Date,
}

/// Every further line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    family: Family,
    version: FirmwareVersion,
    build: Build,
    #[serde(default)]
    models: Vec<String>,
    package: Option<String>,
    url: Option<String>,
    page: Option<String>,
    notes: Option<String>,
    platform: Option<String>,
    language: Option<String>,
    edition: Option<String>,
    region: Option<String>,
    oem: Option<String>,
    hardware: Option<String>,
    applies_to: Option<String>,
}

/// A package of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) family: Family,
    pub(super) revision: Revision,
    /// The vendor's.
    pub(super) number: Option<String>,
    pub(super) url: Option<String>,
    pub(super) platform: Option<String>,
    /// What else a manifest may say of it, by its key there.
    pub(super) facts: [(&'static str, Option<String>); 8],
    models: Vec<String>,
}

/// Why a listing is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// The first line does not say what it is.
    #[error("line 1: not the head of a listing: {0}")]
    Head(Text),
    /// It was saved by a later version.
    #[error("format {0}, this version reads format {FORMAT}")]
    Format(u32),
    /// There is more than anybody reviews.
    #[error("more than {MOST_PACKAGES} packages")]
    TooMany,
}

impl Listing {
    /// Reads JSON lines: a head, and a package on each line behind it. Lines that are not understood are left out and told;
    /// empty ones mean nothing.
    pub fn read(text: &str) -> Result<Self, ListingError> {
        let head = |error: serde_json::Error| ListingError::Head(Text::cleaned(&error.to_string()));
        let mut lines = (1..).zip(text.lines());
        let first = lines.next().map_or("", |(_, line)| line);
        let Head { format, source, saved } = serde_json::from_str(first).map_err(head)?;
        if format != FORMAT {
            return Err(ListingError::Format(format));
        }
        let mut listing =
            Self { source, saved, packages: Vec::new(), left_out: Vec::new(), named: HashMap::new() };
        for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            if listing.packages.len() + listing.left_out.len() >= MOST_PACKAGES {
                return Err(ListingError::TooMany);
            }
            let added = package(text).and_then(|package| listing.add(line, package));
            if let Err(reason) = added {
                listing.left_out.push(LeftOut { line, reason: Text::cleaned(&reason) });
            }
        }
        Ok(listing)
    }

    /// Vendors list a package once for each model: lines of one number or address are one package.
    fn add(&mut self, line: usize, package: Package) -> Result<(), String> {
        let name = package.number.clone().or_else(|| package.url.clone());
        let Some(at) = name.as_ref().and_then(|name| self.named.get(name)).copied() else {
            self.named.extend(name.map(|name| (name, self.packages.len())));
            self.packages.push((line, package));
            return Ok(());
        };
        let (first, known) = &mut self.packages[at];
        if (known.family, &known.revision) != (package.family, &package.revision) {
            return Err(format!("line {first} has another version under the same number or address"));
        }
        known.models.extend(package.models);
        Ok(())
    }
}

fn package(text: &str) -> Result<Package, String> {
    if text.len() > LONGEST_LINE {
        return Err(format!("{} bytes, at most {LONGEST_LINE} are read", text.len()));
    }
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(Package {
        family: line.family,
        revision: Revision { version: line.version, build: line.build },
        number: line.package,
        url: line.url,
        platform: line.platform,
        facts: [
            ("language", line.language),
            ("edition", line.edition),
            ("region", line.region),
            ("oem", line.oem),
            ("hardware", line.hardware),
            ("applies_to", line.applies_to),
            ("page", line.page),
            ("notes", line.notes),
        ],
        models: line.models,
    })
}

impl Package {
    /// The models, each once, and the names that are none.
    pub(super) fn models(&self) -> (Vec<Model>, Vec<Text>) {
        let (mut models, mut others) = (Vec::<Model>::new(), Vec::new());
        for name in &self.models {
            match name.parse() {
                Ok(model) if models.contains(&model) => {}
                Ok(model) => models.push(model),
                Err(_) => others.push(Text::cleaned(name)),
            }
        }
        (models, others)
    }

    /// Whether a release is this package: by its number or its address, else by its revision and a model that both list.
    pub(super) fn is(&self, release: &Release) -> bool {
        let both = |one: &Option<String>, other: &Option<String>| Some(one.as_ref()? == other.as_ref()?);
        if let Some(same) = both(&self.number, &release.package) {
            return same;
        }
        // the same package lies at several addresses
        if both(&self.url, &release.url) == Some(true) {
            return true;
        }
        let (models, _) = self.models();
        let share = models.iter().any(|model| release.lists(model));
        let same = (self.family, &self.revision) == (release.family, &release.revision);
        same && (share || models.is_empty() || release.models.is_empty())
    }
}

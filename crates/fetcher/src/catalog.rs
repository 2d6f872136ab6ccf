//! The catalogue: every firmware package that is known, from the text of `firmware-manifests/`.
//!
//! Reading is pure over text but for the thin `tree`. A catalogue exists only if the whole tree is
//! without a fault: a person who repairs it sees all faults of all files at once, with file and
//! line, and no command works from half of it. The cost is linear in the size of the text.
//!
//! `manifest`, `quarantine`, `advisories` and `policy` read one file each through `fields`; what
//! concerns several releases is checked here. `edit` writes a pin into the text without touching
//! another byte.

mod advisories;
mod edit;
mod fault;
mod fields;
mod manifest;
mod policy;
mod quarantine;
mod tree;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::hash::Hash;
use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use firmware::{Model, Release, ReleaseId};

pub use edit::{EditError, write_pin};
pub use fault::{Fault, What};
use manifest::{Draft, Manifest};
use quarantine::QuarantinedName;

/// All releases of a tree without a fault.
#[derive(Debug)]
pub struct Catalog {
    releases: Vec<Release>,
    /// Where each release stands, by the same index.
    places: Vec<Place>,
    by_id: HashMap<ReleaseId, usize>,
    by_model: HashMap<Model, Vec<usize>>,
    quarantined: usize,
    advisories: Option<AdvisoryTable>,
    policy: Option<Policy>,
}

/// Where a release stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The manifest.
    pub file: Arc<Path>,
    /// The line of its id, from 1.
    pub line: usize,
}

/// The most faults that are told: whoever mends a thousand reads the rest afterwards.
const MOST_TOLD: usize = 1000;

/// Why there is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The manifests were read and rejected; every fault, by file and line.
    #[error("catalogue: {}", listed(.0))]
    Faults(Vec<Fault>),
    /// A file or folder could not be read.
    #[error("manifests {}: reading failed", path.display())]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder holds no release: most likely it is another folder.
    #[error("manifests {}: no release in it", .0.display())]
    Empty(PathBuf),
}

fn listed(faults: &[Fault]) -> String {
    let mut text = if faults.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", faults.len()) };
    // writing to a string does not fail
    for fault in faults.iter().take(MOST_TOLD) {
        let _ = write!(text, "\n{fault}");
    }
    if let Some(more @ 1..) = faults.len().checked_sub(MOST_TOLD) {
        let _ = write!(text, "\nand {more} more");
    }
    text
}

impl Catalog {
    /// Reads a `firmware-manifests` folder.
    pub fn read(dir: &Path) -> Result<Self, CatalogError> {
        let tree = tree::read(dir)?;
        let catalog = Self::build(&tree.texts, tree.faults).map_err(CatalogError::Faults)?;
        if catalog.releases.is_empty() { Err(CatalogError::Empty(dir.to_owned())) } else { Ok(catalog) }
    }

    /// Makes a catalogue of the files of a tree, each with its path (`…/nvr/k51.toml`) and its text.
    pub fn from_texts(texts: &[(PathBuf, String)]) -> Result<Self, Vec<Fault>> {
        Self::build(texts, Vec::new())
    }

    fn build(texts: &[(PathBuf, String)], mut faults: Vec<Fault>) -> Result<Self, Vec<Fault>> {
        let (mut drafts, mut places, mut unread) = (Vec::new(), Vec::new(), HashSet::new());
        let mut quarantined: Vec<(&Path, QuarantinedName)> = Vec::new();
        let (mut advisories, mut policy) = (None, None);
        let (manifests, others): (Vec<_>, Vec<_>) = texts.iter().partition(|(path, _)| !is_beside(path));
        for (read, (path, _)) in read_manifests(&manifests).into_iter().zip(manifests) {
            let path: Arc<Path> = path.as_path().into();
            places
                .extend(read.drafts.iter().map(|draft| Place { file: Arc::clone(&path), line: draft.line }));
            drafts.extend(read.drafts);
            unread.extend(read.unread);
            faults.extend(read.faults);
        }
        for (path, text) in others {
            match name(path) {
                Some(tree::QUARANTINE) => {
                    let (names, found) = quarantine::read(path, text);
                    quarantined.extend(names.into_iter().map(|name| (path.as_path(), name)));
                    faults.extend(found);
                }
                Some(tree::ADVISORIES) => {
                    let (table, found) = advisories::read(path, text);
                    advisories = table;
                    faults.extend(found);
                }
                _ => {
                    let (read, found) = policy::read(path, text);
                    policy = read;
                    faults.extend(found);
                }
            }
        }
        let by_id = unique(&drafts, &places, &mut faults);
        let referenced = References { drafts: &drafts, places: &places, by_id: &by_id, unread: &unread };
        referenced.check_via(&mut faults);
        referenced.check_quarantine(&quarantined, &mut faults);
        if !faults.is_empty() {
            faults.sort();
            return Err(faults);
        }
        let releases: Vec<Release> = drafts.into_iter().map(|draft| draft.release).collect();
        let mut by_model: HashMap<Model, Vec<usize>> = HashMap::new();
        for (index, release) in releases.iter().enumerate() {
            for model in &release.models {
                by_model.entry(model.clone()).or_default().push(index);
            }
        }
        Ok(Self { releases, places, by_id, by_model, quarantined: quarantined.len(), advisories, policy })
    }

    /// Every release, by file and in the order in which they stand there.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    /// The release of this id.
    pub fn release(&self, id: &ReleaseId) -> Option<&Release> {
        Some(&self.releases[*self.by_id.get(id)?])
    }

    /// Where the release of this id stands.
    pub fn place(&self, id: &ReleaseId) -> Option<&Place> {
        Some(&self.places[*self.by_id.get(id)?])
    }

    /// The releases whose vendor list has exactly this model.
    pub fn for_model(&self, model: &Model) -> Vec<&Release> {
        self.by_model.get(model).into_iter().flatten().map(|index| &self.releases[*index]).collect()
    }

    /// Listed models that look like this one without being it; for people only.
    pub fn near_misses(&self, model: &Model) -> Vec<&Model> {
        firmware::near_misses(&self.releases, model)
    }

    /// How many different models are listed.
    pub fn model_count(&self) -> usize {
        self.by_model.len()
    }

    /// How many names are quarantined.
    pub fn quarantined(&self) -> usize {
        self.quarantined
    }

    /// What is published about weak firmware, where there is an `advisories.toml`.
    pub fn advisories(&self) -> Option<&AdvisoryTable> {
        self.advisories.as_ref()
    }

    /// What this depot allows, where there is a `policy.toml`.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
}

/// Whether this is one of the files beside the manifests.
fn is_beside(path: &Path) -> bool {
    name(path).is_some_and(|name| [tree::QUARANTINE, tree::ADVISORIES, tree::POLICY].contains(&name))
}

/// Threads that read manifests: a service may have but few, however many processors there are.
const MOST_READERS: usize = 8;

/// Reads manifests, by as many threads as there are processors; they come in the order of the texts.
fn read_manifests(texts: &[&(PathBuf, String)]) -> Vec<Manifest> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_READERS);
    let read = |texts: &[&(PathBuf, String)]| -> Vec<Manifest> {
        texts.iter().map(|(path, text)| manifest::read(path, text)).collect()
    };
    thread::scope(|scope| {
        let parts = texts.chunks(texts.len().div_ceil(threads).max(1));
        let readers: Vec<_> = parts.map(|part| scope.spawn(move || read(part))).collect();
        let read =
            readers.into_iter().map(|reader| reader.join().unwrap_or_else(|panic| resume_unwind(panic)));
        read.flatten().collect()
    })
}

/// One release per package: id, package number, URL and file content occur once in a catalogue.
fn unique(drafts: &[Draft], places: &[Place], faults: &mut Vec<Fault>) -> HashMap<ReleaseId, usize> {
    fn once<'a, K: Hash + Eq + ToString + ?Sized>(
        seen: &mut HashMap<&'a K, usize>,
        (key, value): (&'static str, Option<&'a K>),
        index: usize,
        places: &[Place],
        faults: &mut Vec<Fault>,
    ) {
        let Some(value) = value else { return };
        let first = *seen.entry(value).or_insert(index);
        if first != index {
            let (Place { file, line }, first) = (&places[index], &places[first]);
            let (file, line) = (file.to_path_buf(), *line);
            let first = format!("{}:{}", first.file.display(), first.line);
            let what = What::Duplicate { key, value: value.to_string(), first };
            faults.push(Fault { file, line: Some(line), what });
        }
    }
    let mut ids = HashMap::with_capacity(drafts.len());
    let (mut packages, mut urls, mut blobs) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (index, Draft { release, .. }) in drafts.iter().enumerate() {
        once(&mut ids, ("id", Some(&release.id)), index, places, faults);
        once(&mut packages, ("package", release.package.as_deref()), index, places, faults);
        once(&mut urls, ("url", release.url.as_deref()), index, places, faults);
        once(&mut blobs, ("git_blob_sha1", release.git_blob_sha1.as_deref()), index, places, faults);
    }
    ids.into_iter().map(|(id, index)| (id.clone(), index)).collect()
}

/// What may be named in `via` and in the quarantine.
struct References<'a> {
    drafts: &'a [Draft],
    places: &'a [Place],
    by_id: &'a HashMap<ReleaseId, usize>,
    unread: &'a HashSet<ReleaseId>,
}

impl References<'_> {
    fn unknown(&self, key: &'static str, id: &ReleaseId) -> Option<What> {
        let known = self.by_id.contains_key(id) || self.unread.contains(id);
        (!known).then(|| What::NoSuchRelease { key, id: id.to_string() })
    }

    /// Every intermediate step exists.
    fn check_via(&self, faults: &mut Vec<Fault>) {
        for (Draft { release, via_lines, .. }, place) in self.drafts.iter().zip(self.places) {
            for (id, line) in release.via.iter().zip(via_lines) {
                let fault = |what| Fault { file: place.file.to_path_buf(), line: Some(*line), what };
                faults.extend(self.unknown("via", id).map(fault));
            }
        }
    }

    /// Quarantined names belong to releases that exist, and are not models of them.
    fn check_quarantine(&self, names: &[(&Path, QuarantinedName)], faults: &mut Vec<Fault>) {
        // the models of a release, gone through once however often it is named
        let mut listed: HashMap<usize, HashSet<&Model>> = HashMap::new();
        for (file, QuarantinedName { name, releases, line }) in names {
            let fault = |what| Fault { file: file.to_path_buf(), line: Some(*line), what };
            // what cannot be a model is none of any release
            let model = name.parse::<Model>().ok();
            for id in releases {
                let mut lists = |model: &Model| {
                    self.by_id.get(id).is_some_and(|index| {
                        let models = || self.drafts[*index].release.models.iter().collect();
                        listed.entry(*index).or_insert_with(models).contains(model)
                    })
                };
                if model.as_ref().is_some_and(&mut lists) {
                    let why = format!("{name:?} is listed as a model of {id}");
                    faults.push(fault(What::Value { key: "name", why }));
                }
                faults.extend(self.unknown("releases", id).map(fault));
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Publication to stick: which releases it carries, and what the person at the other end reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;

use firmware::path::named_steps;
use firmware::{Model, Release, ReleaseId, Sha256Digest};
use stick::{Contents, Sealed, SignedRelease};

use crate::depot::Depot;
use crate::publication::Publication;

/// The bytes of the documents that are signed, by consistent name.
pub type Documents = BTreeMap<String, Vec<u8>>;

/// What a stick is asked to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Every approved release.
    All,
    /// The approved releases that list one of these models.
    Models(Vec<Model>),
    /// None: the metadata alone.
    MetadataOnly,
}

/// A model that nothing approved lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model {0}: no approved release lists it")]
pub struct NothingFor(pub Model);

/// The releases among those approved that are wanted, with those that they name as their steps; or every model that nothing is approved for.
pub fn select<'a>(
    approved: &'a [SignedRelease],
    wanted: &Wanted,
) -> Result<Vec<&'a SignedRelease>, Vec<NothingFor>> {
    match wanted {
        Wanted::All => Ok(approved.iter().collect()),
        Wanted::MetadataOnly => Ok(Vec::new()),
        Wanted::Models(models) => {
            let lists = |a: &SignedRelease, model: &Model| a.release().lists(model);
            let nothing = models.iter().filter(|model| !approved.iter().any(|a| lists(a, model)));
            let nothing: Vec<NothingFor> = nothing.cloned().map(NothingFor).collect();
            if !nothing.is_empty() {
                return Err(nothing);
            }
            let wanted = approved.iter().filter(|a| models.iter().any(|model| lists(a, model)));
            let wanted: Vec<&Release> = wanted.map(SignedRelease::release).collect();
            let steps = named_steps(releases(approved), wanted.iter().copied()).listed;
            let goes = |a: &&SignedRelease| wanted.iter().chain(&steps).any(|r| r.id == a.release().id);
            Ok(approved.iter().filter(goes).collect())
        }
    }
}

/// What is named as a step by what goes along, and is not approved: recorders that need it are refused.
pub fn missing_steps(approved: &[SignedRelease], carried: &[&SignedRelease]) -> Vec<ReleaseId> {
    named_steps(releases(approved), carried.iter().map(|a| a.release())).missing
}

fn releases(approved: &[SignedRelease]) -> impl Iterator<Item = &Release> {
    approved.iter().map(SignedRelease::release)
}

/// Everything that is to lie on the stick: of the firmware what is carried, of the documents all.
pub fn contents(
    publication: &Publication,
    approved: &[SignedRelease],
    carried: &[&SignedRelease],
    documents: &Documents,
    acknowledged: Option<Vec<u8>>,
) -> Contents {
    let sealed = |bytes: &Vec<u8>| Sealed { length: bytes.len() as u64, sha256: Sha256Digest::of(bytes) };
    let listed = approved.iter().map(|a| (a.consistent_name(), a.sealed()));
    let listed = listed.chain(documents.iter().map(|(name, bytes)| (name.clone(), sealed(bytes))));
    let listed = listed.collect();
    Contents {
        metadata: publication.versioned_files(),
        timestamp: publication.current().timestamp.bytes().to_vec(),
        listed,
        carried: documents.keys().cloned().chain(carried.iter().map(|a| a.consistent_name())).collect(),
        acknowledged,
        readme: readme(publication, carried),
    }
}

/// Opens what a stick carries, by consistent name.
pub fn open(
    name: &str,
    depot: &Depot,
    approved: &[SignedRelease],
    documents: &Documents,
) -> io::Result<Box<dyn io::Read>> {
    if let Some(bytes) = documents.get(name) {
        return Ok(Box::new(io::Cursor::new(bytes.clone())));
    }
    let release = approved.iter().find(|a| a.consistent_name() == name);
    let release = release.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "not approved"))?;
    Ok(Box::new(File::open(depot.signed_path(release))?))
}

/// Until when the stick is good.
pub fn good_until(publication: &Publication) -> jiff::Timestamp {
    let current = publication.current();
    let expiries = [current.targets.expires(), current.snapshot.expires(), current.timestamp.expires()];
    expiries.into_iter().fold(publication.root().expires(), jiff::Timestamp::min)
}

fn readme(publication: &Publication, carried: &[&SignedRelease]) -> String {
    let mut text = format!(
        "This stick carries firmware for video recorders, written by Courier.\r\n\
         Good until {}. After that the applier refuses it: load it again at the depot.\r\n\
         Use it with: applier verify, then applier apply. Do not copy files off it by hand.\r\n\r\n",
        good_until(publication).strftime("%F")
    );
    for release in carried.iter().map(|signed| signed.release()) {
        let models: Vec<&str> = release.models.iter().map(Model::as_str).collect();
        // writing to a String cannot fail
        let _ = write!(text, "{}  {}  {}\r\n", release.id, release.revision, models.join(" "));
    }
    text.push_str("\r\nNothing in this file is checked; the signed metadata beside it is what counts.\r\n");
    text
}

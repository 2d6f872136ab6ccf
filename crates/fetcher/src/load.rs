//! Publication to stick: which releases it carries, and what the person at the other end reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use firmware::{Model, Release, Sha256Digest};
use receipt::Acknowledged;
use serde::Deserialize;
use stick::{Contents, Sealed};
use tuf_client::Target;

use crate::publication::Publication;

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

/// An approved release as the depot published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What is known of it.
    pub release: Release,
    /// Size and digest as signed.
    pub sealed: Sealed,
}

impl Approved {
    /// The name below `targets/`, on the stick and in the depot alike.
    pub fn consistent_name(&self) -> String {
        format!("{}/{}.{}", self.release.id, self.sealed.sha256, Release::FILE_NAME)
    }
}

/// The approved releases of a publication, by id.
pub fn approved(publication: &Publication) -> Vec<Approved> {
    let targets = publication.current().targets.targets();
    targets.values().filter_map(read).collect()
}

fn read(target: &Target) -> Option<Approved> {
    let release = Release::deserialize(target.custom()?.get("release")?).ok()?;
    let sha256: Sha256Digest = target.hashes().sha256()?.parse().ok()?;
    Some(Approved { release, sealed: Sealed { length: target.length(), sha256 } })
}

/// The releases among those approved that are wanted, or every model that nothing is approved for.
pub fn select<'a>(approved: &'a [Approved], wanted: &Wanted) -> Result<Vec<&'a Approved>, Vec<NothingFor>> {
    match wanted {
        Wanted::All => Ok(approved.iter().collect()),
        Wanted::MetadataOnly => Ok(Vec::new()),
        Wanted::Models(models) => {
            let lists = |a: &Approved, model: &Model| a.release.lists(model);
            let nothing = models.iter().filter(|model| !approved.iter().any(|a| lists(a, model)));
            let nothing: Vec<NothingFor> = nothing.cloned().map(NothingFor).collect();
            if !nothing.is_empty() {
                return Err(nothing);
            }
            Ok(approved.iter().filter(|a| models.iter().any(|model| lists(a, model))).collect())
        }
    }
}

/// Everything that is to lie on the stick.
pub fn contents(publication: &Publication, carried: &[&Approved], acknowledged: Option<Vec<u8>>) -> Contents {
    let listed: BTreeMap<String, Sealed> =
        approved(publication).iter().map(|a| (a.consistent_name(), a.sealed)).collect();
    Contents {
        metadata: publication.versioned_files(),
        timestamp: publication.current().timestamp.bytes().to_vec(),
        listed,
        carried: carried.iter().map(|a| a.consistent_name()).collect(),
        acknowledged,
        readme: readme(publication, carried),
    }
}

/// Until when the stick is good.
pub fn good_until(publication: &Publication) -> jiff::Timestamp {
    let current = publication.current();
    let expiries = [current.targets.expires(), current.snapshot.expires(), current.timestamp.expires()];
    expiries.into_iter().fold(publication.root().expires(), jiff::Timestamp::min)
}

fn readme(publication: &Publication, carried: &[&Approved]) -> String {
    let mut text = format!(
        "This stick carries firmware for video recorders, written by Courier.\r\n\
         Good until {}. After that the applier refuses it: load it again at the depot.\r\n\
         Use it with: applier verify, then applier apply. Do not copy files off it by hand.\r\n\r\n",
        good_until(publication).strftime("%F")
    );
    for Approved { release, .. } in carried {
        let models: Vec<&str> = release.models.iter().map(Model::as_str).collect();
        // writing to a String cannot fail
        let _ = write!(text, "{}  {}  {}\r\n", release.id, release.revision, models.join(" "));
    }
    text.push_str("\r\nNothing in this file is checked; the signed metadata beside it is what counts.\r\n");
    text
}

/// `acknowledged.json`, where anything has arrived yet.
pub fn acknowledged(
    arrived: BTreeMap<receipt::LaptopId, u64>,
    key: &keys::SigningKey,
) -> Result<Option<Vec<u8>>, serde_json::Error> {
    if arrived.is_empty() { Ok(None) } else { Acknowledged::new(arrived).sign(key).map(Some) }
}

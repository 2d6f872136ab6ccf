//! Documents that steer plans, as the approvers signed them: each is a TUF target of its own, in
//! canonical JSON with a `format`, and described in `custom` by that format and its kind.
//!
//! Every stick of a publication carries those that are listed. One that is listed and absent is
//! rejected, not "not carried": to take the policy away would loosen it.

use std::collections::BTreeMap;
use std::io::{self, Read};

use firmware::Sha256Digest;
use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tuf_client::canonical::{self, NotCanonical};
use tuf_client::{Repository, Target, TargetError, TargetRejected, Targets, TrustedMetadata, json};

use crate::open::OpenError;
use crate::plan::Sealed;
use crate::signed_release::FORMAT;

/// The largest document that is signed and read, bytes.
pub const LARGEST_DOCUMENT: u64 = 4 << 20;

/// What can be signed beside firmware.
pub trait Document: Serialize + DeserializeOwned {
    /// The name of its target.
    const NAME: &'static str;
    /// Its kind, in the `custom` of its target.
    const KIND: &'static str;
}

impl Document for AdvisoryTable {
    const NAME: &'static str = "advisories.json";
    const KIND: &'static str = "advisories";
}

impl Document for Policy {
    const NAME: &'static str = "policy.json";
    const KIND: &'static str = "policy";
}

/// The target names of all documents.
pub(crate) const NAMES: [&str; 2] = [AdvisoryTable::NAME, Policy::NAME];

/// A document that the approvers signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDocument<T> {
    document: T,
    sha256: Sha256Digest,
    bytes: Vec<u8>,
}

/// Why a document cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum UnsignableDocument {
    /// It has no JSON form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Its JSON form cannot be signed.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
    /// No laptop would read it.
    #[error("{name} would have {length} bytes, the limit is {LARGEST_DOCUMENT}")]
    TooLarge {
        /// The target.
        name: &'static str,
        /// Bytes.
        length: usize,
    },
}

/// The bytes under which a document is signed.
pub fn document_bytes<T: Document>(document: &T) -> Result<Vec<u8>, UnsignableDocument> {
    let mut value = serde_json::to_value(document)?;
    value["format"] = FORMAT.into();
    let bytes = canonical::encode(&value)?;
    if bytes.len() as u64 > LARGEST_DOCUMENT {
        return Err(UnsignableDocument::TooLarge { name: T::NAME, length: bytes.len() });
    }
    Ok(bytes)
}

/// What goes into `custom` of a document's target.
pub fn document_facts<T: Document>() -> Map<String, Value> {
    Map::from_iter([("format".to_owned(), FORMAT.into()), ("kind".to_owned(), T::KIND.into())])
}

/// The consistent name below `targets/`.
pub fn document_name(name: &str, sha256: Sha256Digest) -> String {
    format!("{sha256}.{name}")
}

/// Size and digest of every document that is listed, by consistent name.
pub fn listed_documents(targets: &Targets) -> Result<BTreeMap<String, Sealed>, OpenError> {
    let listed = [listed::<AdvisoryTable>(targets)?, listed::<Policy>(targets)?];
    let named = NAMES.into_iter().zip(listed);
    Ok(named
        .filter_map(|(name, sealed)| sealed.map(|sealed| (document_name(name, sealed.sha256), sealed)))
        .collect())
}

/// Size and digest of a document, where one is listed.
fn listed<T: Document>(targets: &Targets) -> Result<Option<Sealed>, OpenError> {
    targets.target(T::NAME).map(|target| sealed::<T>(target)).transpose()
}

fn sealed<T: Document>(target: &Target) -> Result<Sealed, OpenError> {
    let facts = |why: String| OpenError::Facts { target: T::NAME.to_owned(), why };
    let custom = target.custom().ok_or_else(|| facts("its custom part is missing".to_owned()))?;
    check_format::<T>(custom)?;
    if custom["kind"] != json!(T::KIND) {
        return Err(facts(format!("its kind is {}, expected {:?}", custom["kind"], T::KIND)));
    }
    if target.length() > LARGEST_DOCUMENT {
        return Err(facts(format!(
            "its length is {} bytes, the limit is {LARGEST_DOCUMENT}",
            target.length()
        )));
    }
    let sha256 = target.hashes().sha256().and_then(|hex| hex.parse().ok());
    let sha256 = sha256.ok_or_else(|| facts("no SHA-256 is signed".to_owned()))?;
    Ok(Sealed { length: target.length(), sha256 })
}

fn check_format<T: Document>(value: &Value) -> Result<(), OpenError> {
    match value.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => Ok(()),
        format => Err(OpenError::Format { target: T::NAME.to_owned(), format: format.unwrap_or(0) }),
    }
}

impl<T: Document> SignedDocument<T> {
    /// Reads the document off a medium, where the metadata lists one. Its bytes pass the check of the
    /// signed length and digest before anything in them is looked at.
    pub(crate) fn read(
        metadata: &TrustedMetadata,
        repository: &mut dyn Repository,
    ) -> Result<Option<Self>, OpenError> {
        let Some(sealed) = listed::<T>(metadata.targets())? else { return Ok(None) };
        let mut reader = match metadata.open(repository, T::NAME) {
            Ok(reader) => reader,
            Err(TargetError::NotCarried { .. } | TargetError::NotListed { .. }) => {
                return Err(OpenError::Stripped { target: T::NAME });
            }
            Err(error @ TargetError::NoKnownHash { .. }) => {
                return Err(OpenError::Exchanged { target: T::NAME, source: io::Error::other(error) });
            }
            Err(error @ TargetError::Io { .. }) => return Err(OpenError::Io(io::Error::other(error))),
        };
        let mut bytes = Vec::new();
        match reader.read_to_end(&mut bytes) {
            Ok(_) => Self::parse(bytes, sealed.sha256).map(Some),
            Err(error) if TargetRejected::in_error(&error).is_some() => {
                Err(OpenError::Exchanged { target: T::NAME, source: error })
            }
            Err(error) => Err(OpenError::Io(error)),
        }
    }

    /// The document that these targets list, from the bytes that a depot has kept of it: `read` is given
    /// the consistent name. None where none is listed.
    pub fn kept(
        targets: &Targets,
        read: impl FnOnce(&str) -> io::Result<Vec<u8>>,
    ) -> Result<Option<Self>, OpenError> {
        let Some(sealed) = listed::<T>(targets)? else { return Ok(None) };
        let exchanged = |source| OpenError::Exchanged { target: T::NAME, source };
        let bytes = read(&document_name(T::NAME, sealed.sha256)).map_err(exchanged)?;
        let found = Sha256Digest::of(&bytes);
        if found != sealed.sha256 {
            let message = format!("SHA-256 is {found}, expected {}", sealed.sha256);
            return Err(exchanged(io::Error::new(io::ErrorKind::InvalidData, message)));
        }
        Self::parse(bytes, sealed.sha256).map(Some)
    }

    fn parse(bytes: Vec<u8>, sha256: Sha256Digest) -> Result<Self, OpenError> {
        let facts = |why: String| OpenError::Facts { target: T::NAME.to_owned(), why };
        let value = json::parse(&bytes).map_err(|error| facts(error.to_string()))?;
        check_format::<T>(&value)?;
        let document = serde_json::from_value(value).map_err(|error| facts(error.to_string()))?;
        Ok(Self { document, sha256, bytes })
    }
}

impl<T: Document> SignedDocument<T> {
    /// The consistent name below `targets/`.
    pub fn consistent_name(&self) -> String {
        document_name(T::NAME, self.sha256)
    }

    /// What was signed.
    pub fn document(&self) -> &T {
        &self.document
    }

    /// Digest of the signed bytes.
    pub fn sha256(&self) -> Sha256Digest {
        self.sha256
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

use std::ops::Deref;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::delegations::Delegation;
use crate::documents::Parse;
use crate::fields::{self, Object};
use crate::signatures::Envelope;
use crate::{Rejection, Role, Root};

/// One of the four kinds of metadata: [`Root`], [`crate::Timestamp`], [`crate::Snapshot`],
/// [`crate::Targets`].
pub trait Document: Parse {
    /// The role that signs it.
    const ROLE: Role;
}

/// Metadata that a threshold of keys of its role signed. That it is also new enough, in its place
/// and not expired is what [`crate::refresh`] adds.
#[derive(Debug, Clone)]
pub struct Verified<T> {
    document: T,
    version: u64,
    expires: Timestamp,
    custom: Option<Value>,
    bytes: Vec<u8>,
}

impl<T> Verified<T> {
    /// The version, above zero.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When it stops being good.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The member `custom` of the signed part, as it stands there.
    pub fn custom(&self) -> Option<&Value> {
        self.custom.as_ref()
    }

    /// The exact bytes that were verified.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of [`Self::bytes`] in lower-case hexadecimal; of a root, this is the fingerprint that
    /// people compare.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.document
    }
}

impl<T: Document> Verified<T> {
    pub(crate) fn by(bytes: &[u8], delegation: Delegation<'_>) -> Result<Self, Rejection> {
        let envelope = Envelope::parse(bytes)?;
        envelope.check(delegation)?;
        let document = document(&envelope.signed)?;
        Self::assemble(document, &envelope.signed, bytes)
    }

    fn assemble(document: T, signed: &Object, bytes: &[u8]) -> Result<Self, Rejection> {
        Ok(Self {
            document,
            version: fields::positive(signed, "version")?,
            expires: fields::time(signed, "expires")?,
            custom: signed.get("custom").cloned(),
            bytes: bytes.into(),
        })
    }
}

/// What every kind has in common is checked first (§4.3): a timestamp's key must not be able to
/// sign something that is then read as a snapshot.
fn document<T: Document>(signed: &Object) -> Result<T, Rejection> {
    if fields::text(signed, "_type")? != T::ROLE.name() {
        return Err(Rejection::Malformed { field: "_type".into(), expected: T::ROLE.name() });
    }
    fields::check_spec_version(signed)?;
    T::parse(signed)
}

impl Verified<Root> {
    /// A root that its own keys signed: necessary for any root, sufficient only for one whose
    /// fingerprint came another way.
    pub fn self_signed(bytes: &[u8]) -> Result<Self, Rejection> {
        if bytes.len() as u64 > Role::Root.cap() {
            return Err(Rejection::TooLarge { cap: Role::Root.cap() });
        }
        let envelope = Envelope::parse(bytes)?;
        let root: Root = document(&envelope.signed)?;
        envelope.check(root.delegation(Role::Root))?;
        Self::assemble(root, &envelope.signed, bytes)
    }

    /// The next root: signed by a threshold of this root's keys and of its own (§5.3.4), with the
    /// next version (§5.3.5). Whether it has expired does not matter yet (§5.3.6).
    pub fn successor(&self, bytes: &[u8]) -> Result<Self, Rejection> {
        self.verify::<Root>(bytes)?;
        let next = Self::self_signed(bytes)?;
        let expected = self.version.saturating_add(1);
        if next.version == expected {
            Ok(next)
        } else {
            Err(Rejection::Version { expected, found: next.version })
        }
    }

    /// Metadata signed by a threshold of the keys that this root gives the role.
    pub fn verify<T: Document>(&self, bytes: &[u8]) -> Result<Verified<T>, Rejection> {
        self.delegation(T::ROLE).verify(bytes)
    }
}

use std::fmt;

use firmware::{Device, Sha256Digest, Text};
use jiff::Timestamp;
use keys::{PublicKey, SigningKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{
    Audit, ClockReset, Envelope, Forgiven, InvalidEnvelope, InventoryTaken, LaptopId, PushEnded, PushStarted,
    RestoreEnded, RestoreStarted,
};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PUSH_STARTED: &str = "urn:x-courier:push-started/v1";
const PUSH_ENDED: &str = "urn:x-courier:push-ended/v1";
const INVENTORY: &str = "urn:x-courier:inventory/v1";
const RESTORE_STARTED: &str = "urn:x-courier:restore-started/v1";
const RESTORE_ENDED: &str = "urn:x-courier:restore-ended/v1";
const AUDIT: &str = "urn:x-courier:audit/v1";
/// The major version of all predicates here.
const FORMAT: u64 = 1;

/// One statement: who says it, about what, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Who, when, in which place of the chain.
    pub head: Head,
    /// What it is about.
    pub subject: Subject,
    /// What is said.
    pub body: Body,
}

/// What every statement carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Whose word this is.
    pub laptop: LaptopId,
    /// Place in the laptop's chain, from 1.
    pub counter: u64,
    /// Digest of the envelope before; none for the first.
    #[serde(default)]
    pub previous: Option<Sha256Digest>,
    /// Version of the program that made it.
    pub applier: Text,
    /// Who was at the laptop, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Text>,
    /// Where, as they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Text>,
    /// What the laptop knew of the time.
    pub times: Times,
    /// The publication it acted on.
    pub publication: Publication,
}

/// What the laptop knew of the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When the statement was made, by the laptop's clock.
    pub claimed: Timestamp,
    /// A time that is certainly past: the latest verified `signed_at`, or the build time.
    pub floor: Timestamp,
    /// Whether the clock was at or after the floor.
    pub clock_trusted: bool,
    /// Every reset of the clock since the statement before, in order; each stands in one statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resets: Vec<ClockReset>,
}

/// Versions and digests of the metadata acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Root version.
    pub root: u64,
    /// Targets version.
    pub targets: u64,
    /// Snapshot version.
    pub snapshot: u64,
    /// Timestamp version.
    pub timestamp: u64,
    /// Digest of the timestamp's bytes, which covers all the others.
    pub timestamp_sha256: Sha256Digest,
    /// What of it had expired and was accepted by `--accept-expired`, which stands among the overrides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgiven: Vec<Forgiven>,
}

/// What a statement is about: a TUF target, a configuration, or the publication's timestamp where none of
/// both is involved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Name of the target, `configuration`, or `timestamp.json`.
    pub name: String,
    /// Its digest.
    pub sha256: Sha256Digest,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A push is about to begin.
    PushStarted(Box<PushStarted>),
    /// A run has ended.
    PushEnded(Box<PushEnded>),
    /// What a recorder is and needs.
    Inventory(Box<InventoryTaken>),
    /// A configuration is about to go back to a recorder.
    RestoreStarted(Box<RestoreStarted>),
    /// A restore has ended.
    RestoreEnded(Box<RestoreEnded>),
    /// A recorder was audited.
    Audit(Box<Audit>),
    /// Of a type that this version does not know: kept, not understood.
    Other {
        /// The predicate type.
        predicate_type: String,
        /// All of it.
        predicate: Value,
    },
}

/// A statement whose signature was checked. There is no other way to get one than
/// [`VerifiedStatement::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatement {
    statement: Statement,
    digest: Sha256Digest,
}

/// Why an envelope holds no statement of this laptop.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStatement {
    /// The envelope or its signature.
    #[error(transparent)]
    Envelope(#[from] InvalidEnvelope),
    /// The signed bytes are no statement.
    #[error("statement cannot be read")]
    Json(#[source] serde_json::Error),
    /// Not in-toto Statement v1 with one subject.
    #[error("statement is not an in-toto Statement v1 with one subject")]
    NotInToto,
    /// A later major version.
    #[error("statement has format {0}, this program knows {FORMAT}: update it")]
    Format(u64),
    /// It names another laptop than the key that signed it.
    #[error("statement says laptop {claimed}, its signature is by laptop {signer}")]
    Laptop {
        /// In the statement.
        claimed: LaptopId,
        /// By the key.
        signer: LaptopId,
    },
    /// Statements are numbered from 1, and all but the first name the one before.
    #[error("statement {counter}: place in the chain contradicts itself")]
    Place {
        /// As stated.
        counter: u64,
    },
}

/// In-toto Statement v1; the predicate is whatever its type says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<P> {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<WireSubject>,
    predicate_type: String,
    predicate: P,
}

#[derive(Serialize, Deserialize)]
struct WireSubject {
    name: String,
    digest: WireDigest,
}

#[derive(Serialize, Deserialize)]
struct WireDigest {
    sha256: Sha256Digest,
}

/// What is read of a predicate before all else.
#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    format: Value,
}

/// Head and body side by side in one JSON object.
#[derive(Serialize)]
struct Predicate<'a, B> {
    format: u64,
    #[serde(flatten)]
    head: &'a Head,
    #[serde(flatten)]
    body: &'a B,
}

impl fmt::Display for Statement {
    /// What is said, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Body::PushStarted(start) => {
                let Device { model, serial, revision, .. } = &start.device;
                write!(f, "{model} {serial}: push of {} began, from {revision}", start.target.release)
            }
            Body::PushEnded(end) => {
                let Device { model, serial, .. } = &end.device;
                write!(f, "{model} {serial}: {}: {}", end.result, end.detail)
            }
            Body::Inventory(inventory) => inventory.fmt(f),
            Body::RestoreStarted(start) => {
                let Device { model, serial, .. } = &start.device;
                let taken = start.configuration.taken.strftime("%F %H:%M");
                write!(f, "{model} {serial}: restore of the configuration of {taken} began")
            }
            Body::RestoreEnded(end) => {
                let Device { model, serial, .. } = &end.device;
                write!(f, "{model} {serial}: restore: {}: {}", end.result, end.detail)
            }
            Body::Audit(audit) => {
                let Device { model, serial, .. } = &audit.device;
                write!(f, "{model} {serial}: audit by {}: {}", audit.profile, audit.counts)
            }
            Body::Other { predicate_type, .. } => {
                write!(f, "statement of type {}, not understood", Text::cleaned(predicate_type))
            }
        }
    }
}

impl Statement {
    /// Signs the statement and gives the bytes of its envelope.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, serde_json::Error> {
        let head = &self.head;
        let (predicate_type, predicate) = match &self.body {
            Body::PushStarted(body) => (PUSH_STARTED, predicate(head, body)?),
            Body::PushEnded(body) => (PUSH_ENDED, predicate(head, body)?),
            Body::Inventory(body) => (INVENTORY, predicate(head, body)?),
            Body::RestoreStarted(body) => (RESTORE_STARTED, predicate(head, body)?),
            Body::RestoreEnded(body) => (RESTORE_ENDED, predicate(head, body)?),
            Body::Audit(body) => (AUDIT, predicate(head, body)?),
            Body::Other { predicate_type, predicate } => (predicate_type.as_str(), predicate.clone()),
        };
        let Subject { name, sha256 } = self.subject.clone();
        let wire = Wire {
            kind: STATEMENT.into(),
            subject: vec![WireSubject { name, digest: WireDigest { sha256 } }],
            predicate_type: predicate_type.into(),
            predicate,
        };
        Ok(Envelope::sign(PAYLOAD_TYPE, &serde_json::to_vec(&wire)?, key))
    }
}

fn predicate<B: Serialize>(head: &Head, body: &B) -> Result<Value, serde_json::Error> {
    serde_json::to_value(Predicate { format: FORMAT, head, body })
}

impl VerifiedStatement {
    /// Checks the signature by this key, then reads the statement.
    pub fn open(envelope: &Envelope, key: &PublicKey) -> Result<Self, InvalidStatement> {
        let payload = envelope.verify(PAYLOAD_TYPE, key)?;
        let wire = serde_json::from_slice(payload).map_err(InvalidStatement::Json)?;
        let statement = read(wire)?;
        let signer = LaptopId::of(key);
        if statement.head.laptop != signer {
            return Err(InvalidStatement::Laptop { claimed: statement.head.laptop, signer });
        }
        let counter = statement.head.counter;
        if counter == 0 || (counter == 1) != statement.head.previous.is_none() {
            return Err(InvalidStatement::Place { counter });
        }
        Ok(Self { statement, digest: envelope.digest() })
    }

    /// What was signed.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Digest of the envelope: what the next statement of the chain names.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }
}

fn read(wire: Wire<&RawValue>) -> Result<Statement, InvalidStatement> {
    let Ok([WireSubject { name, digest }]) = <[WireSubject; 1]>::try_from(wire.subject) else {
        return Err(InvalidStatement::NotInToto);
    };
    if wire.kind != STATEMENT {
        return Err(InvalidStatement::NotInToto);
    }
    let predicate = wire.predicate.get();
    let Version { format } = part(predicate)?;
    let format = format.as_u64().unwrap_or_default();
    if format != FORMAT {
        return Err(InvalidStatement::Format(format));
    }
    let head = part(predicate)?;
    let body = match wire.predicate_type.as_str() {
        PUSH_STARTED => Body::PushStarted(part(predicate)?),
        PUSH_ENDED => Body::PushEnded(part(predicate)?),
        INVENTORY => Body::Inventory(part(predicate)?),
        RESTORE_STARTED => Body::RestoreStarted(part(predicate)?),
        RESTORE_ENDED => Body::RestoreEnded(part(predicate)?),
        AUDIT => Body::Audit(part(predicate)?),
        _ => Body::Other { predicate_type: wire.predicate_type, predicate: part(predicate)? },
    };
    Ok(Statement { head, subject: Subject { name, sha256: digest.sha256 }, body })
}

/// What one reader takes of a predicate, in which head and body stand side by side.
fn part<P: DeserializeOwned>(predicate: &str) -> Result<P, InvalidStatement> {
    serde_json::from_str(predicate).map_err(InvalidStatement::Json)
}

#[cfg(test)]
pub(crate) mod tests;

//! What the four kinds of metadata say (specification §4.3 to §4.6), as far as the workflow and its
//! callers need it. Values exist only inside [`crate::Verified`].

use std::collections::BTreeMap;

use jiff::Timestamp as Time;
use keys::PublicKey;
use serde_json::Value;

use crate::delegations::{Delegation, Delegations};
use crate::fields::{self, Object};
use crate::signatures::{KeyRing, RoleKeys};
use crate::verified::Document;
use crate::{Hashes, Mismatch, Rejection, Role, TargetName};

/// Reads the signed part of one kind; `_type` and `spec_version` have been checked.
pub trait Parse: Sized {
    /// Called by verification, with what has been verified or, for a first root, is about to be.
    fn parse(signed: &Object) -> Result<Self, Rejection>;
}

/// Which keys count for which role, and how many of them must sign (§4.3).
#[derive(Debug, Clone)]
pub struct Root {
    ring: KeyRing,
    roles: BTreeMap<Role, RoleKeys>,
    consistent_snapshot: bool,
}

impl Document for Root {
    const ROLE: Role = Role::Root;
}

impl Parse for Root {
    fn parse(signed: &Object) -> Result<Self, Rejection> {
        let listed = fields::object(signed, "roles")?;
        let role = |role: Role| Ok((role, RoleKeys::parse(fields::object(listed, role.name())?)?));
        Ok(Self {
            ring: KeyRing::parse(fields::object(signed, "keys")?)?,
            roles: Role::ALL.into_iter().map(role).collect::<Result<_, Rejection>>()?,
            consistent_snapshot: fields::optional_boolean(signed, "consistent_snapshot")?.unwrap_or(false),
        })
    }
}

impl Root {
    /// The different keys of a role that can be verified with here, in the order of their bytes.
    pub fn keys(&self, role: Role) -> Vec<&PublicKey> {
        self.ring.of(self.role(role))
    }

    /// How many different keys of the role must sign.
    pub fn threshold(&self, role: Role) -> u64 {
        self.role(role).threshold()
    }

    /// Whether the file names of snapshot, targets and target files carry versions and hashes (§6.2).
    pub fn consistent_snapshot(&self) -> bool {
        self.consistent_snapshot
    }

    /// Names the set of keys of a role; changes when a key does.
    pub(crate) fn keys_digest(&self, role: Role) -> String {
        self.ring.digest(self.role(role))
    }

    pub(crate) fn delegation(&self, role: Role) -> Delegation<'_> {
        Delegation { role: role.name(), ring: &self.ring, keys: self.role(role) }
    }

    fn role(&self, role: Role) -> &RoleKeys {
        // `parse` put all four there
        &self.roles[&role]
    }
}

/// Version, and perhaps length and hashes, of a metadata file (§4.4: METAFILES).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaFile {
    version: u64,
    length: Option<u64>,
    hashes: Option<Hashes>,
}

impl MetaFile {
    fn parse(listed: &Object) -> Result<Self, Rejection> {
        Ok(Self {
            version: fields::positive(listed, "version")?,
            length: fields::optional_length(listed, "length")?,
            hashes: fields::optional_object(listed, "hashes")?.map(Hashes::parse).transpose()?,
        })
    }

    /// The only version that fits.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The length in bytes, if listed.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The hashes, if listed.
    pub fn hashes(&self) -> Option<&Hashes> {
        self.hashes.as_ref()
    }

    /// Length and hashes, where listed (§5.5.2, 5.6.2); the version is checked after the signatures.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), Mismatch> {
        let found = bytes.len() as u64;
        match self.length {
            Some(expected) if expected != found => Err(Mismatch::Length { expected, found }),
            _ => self.hashes.as_ref().map_or(Ok(()), |hashes| hashes.check(bytes)),
        }
    }
}

/// Which snapshot is the newest (§4.6).
#[derive(Debug, Clone)]
pub struct Timestamp {
    snapshot: MetaFile,
    signed_at: Option<Time>,
}

impl Document for Timestamp {
    const ROLE: Role = Role::Timestamp;
}

impl Parse for Timestamp {
    fn parse(signed: &Object) -> Result<Self, Rejection> {
        let meta = fields::object(signed, "meta")?;
        let signed_at = match signed.get("custom").and_then(Value::as_object) {
            Some(custom) if custom.contains_key("signed_at") => Some(fields::time(custom, "signed_at")?),
            _ => None,
        };
        let expires = fields::time(signed, "expires")?;
        match signed_at {
            Some(signed_at) if signed_at > expires => {
                Err(Rejection::SignedAfterExpiry { signed_at, expires })
            }
            _ => Ok(Self {
                snapshot: MetaFile::parse(fields::object(meta, Role::Snapshot.file())?)?,
                signed_at,
            }),
        }
    }
}

impl Timestamp {
    /// What it says about `snapshot.json`.
    pub fn snapshot(&self) -> &MetaFile {
        &self.snapshot
    }

    /// `custom.signed_at`: it was at least this late when the key signed. Never after `expires`.
    pub fn signed_at(&self) -> Option<Time> {
        self.signed_at
    }
}

/// Which targets metadata files belong together (§4.4).
#[derive(Debug, Clone)]
pub struct Snapshot {
    meta: BTreeMap<String, MetaFile>,
}

impl Document for Snapshot {
    const ROLE: Role = Role::Snapshot;
}

impl Parse for Snapshot {
    fn parse(signed: &Object) -> Result<Self, Rejection> {
        let file = |(name, value): (&String, &Value)| {
            Ok((name.clone(), MetaFile::parse(fields::as_object(value, name)?)?))
        };
        let meta: BTreeMap<_, _> =
            fields::object(signed, "meta")?.iter().map(file).collect::<Result<_, Rejection>>()?;
        if meta.contains_key(Role::Targets.file()) {
            Ok(Self { meta })
        } else {
            Err(Rejection::NotListed { name: Role::Targets.file().into() })
        }
    }
}

impl Snapshot {
    /// What it says about `targets.json`.
    pub fn targets(&self) -> &MetaFile {
        // `parse` saw it there
        &self.meta[Role::Targets.file()]
    }

    /// All targets metadata files by name, delegated ones among them.
    pub fn meta(&self) -> &BTreeMap<String, MetaFile> {
        &self.meta
    }
}

/// Which target files are approved, and who else may approve some (§4.5).
///
/// One target that this client cannot use must not hide the others from it, when other clients keep
/// going: a target whose hashes are all of unknown algorithms is listed here and refused when it is
/// opened; one whose name is no [`TargetName`] is left out, since nobody can ask for it. Both must be
/// well formed all the same.
#[derive(Debug, Clone)]
pub struct Targets {
    targets: BTreeMap<TargetName, Target>,
    delegations: Option<Delegations>,
}

/// One approved file.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    length: u64,
    hashes: Hashes,
    custom: Option<Value>,
}

impl Document for Targets {
    const ROLE: Role = Role::Targets;
}

impl Parse for Targets {
    fn parse(signed: &Object) -> Result<Self, Rejection> {
        let target = |(name, value): (&String, &Value)| {
            let listed = fields::as_object(value, name)?;
            let length = fields::optional_length(listed, "length")?;
            let target = Target {
                length: length
                    .ok_or(Rejection::Malformed { field: "length".into(), expected: "a length in bytes" })?,
                hashes: Hashes::parse(fields::object(listed, "hashes")?)?,
                custom: fields::optional_object(listed, "custom")?.cloned().map(Value::Object),
            };
            Ok(name.parse().ok().map(|name| (name, target)))
        };
        let listed = fields::object(signed, "targets")?.iter();
        let targets =
            listed.filter_map(|entry| target(entry).transpose()).collect::<Result<_, Rejection>>()?;
        let delegations = fields::optional_object(signed, "delegations")?;
        Ok(Self { targets, delegations: delegations.map(Delegations::parse).transpose()? })
    }
}

impl Targets {
    /// All targets by name; those with names that are unsafe here are not among them.
    pub fn targets(&self) -> &BTreeMap<TargetName, Target> {
        &self.targets
    }

    /// The target of this name, if it stands in this file: [`crate::TrustedMetadata::find`] follows
    /// delegations as well.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.get(name)
    }

    pub(crate) fn delegations(&self) -> Option<&Delegations> {
        self.delegations.as_ref()
    }
}

impl Target {
    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The hashes.
    pub fn hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// What the approver says about the file, an object of the application's own making.
    pub fn custom(&self) -> Option<&Value> {
        self.custom.as_ref()
    }
}

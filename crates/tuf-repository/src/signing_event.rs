//! A signing event: the next root, the next targets metadata, or both, on their way between the
//! people whose signatures they need.
//!
//! It is one file that is carried from machine to machine. It holds the root and the targets
//! metadata that are current, so that whoever signs can see what changes, and what is proposed, with
//! the signatures so far. Nothing in it is believed: what is current must verify by itself, the
//! proposal counts only once thresholds of the keys of the current root, and of the next, have signed.
//!
//! A new root and new targets metadata belong into one event where the new root gives the targets
//! role keys that the current list does not satisfy: neither is good without the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keys::{PublicKey, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tuf_client::{Document, Rejection, Role, Root, Targets, Verified, json as strict_json};

use crate::metadata::NotMetadata;
use crate::root::{Roles, Signers, root};
use crate::{DraftError, Signed, TargetsDraft};

/// The major version of the file.
const FORMAT: u64 = 1;

/// What is to be signed, over what is current.
#[derive(Debug, Clone)]
pub struct SigningEvent {
    root: Verified<Root>,
    targets: Verified<Targets>,
    next_root: Option<Proposed>,
    next_targets: Option<Signed<Targets>>,
    documents: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Proposed {
    roles: Roles,
    root: Signed<Root>,
}

/// How far one role has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What is to be signed: the next root, or the next targets metadata.
    pub what: Role,
    /// Whether these are the keys that the next root lists, and not those of the current one.
    pub by_next_root: bool,
    /// How many must sign.
    pub threshold: u64,
    /// Who has.
    pub signed: Vec<PublicKey>,
    /// Who could.
    pub open: Vec<PublicKey>,
}

/// Enough have signed.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The root that holds from now on.
    pub root: Verified<Root>,
    /// Its file, where it is a new one.
    pub new_root: Option<Signed<Root>>,
    /// The new list, where there is one.
    pub new_targets: Option<Signed<Targets>>,
}

/// Why an event cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not JSON as it was written.
    #[error("not a signing event")]
    NotJson(#[source] serde_json::Error),
    /// It is no signing event, or of a version that is not known here.
    #[error("not a signing event of format {FORMAT}")]
    Format,
    /// What it calls current is not signed as it should be.
    #[error("the {0} metadata that it calls current is rejected")]
    Current(Role, #[source] Rejection),
    /// What it proposes is not metadata.
    #[error(transparent)]
    Proposed(#[from] NotMetadata),
    /// The proposed root is not one that could be made here.
    #[error("the root that it proposes has roles or keys that are not known here")]
    Roles,
    /// It proposes more than whoever signs is shown: another client might act on it.
    #[error("the {role} metadata that it proposes says more than this program makes and shows")]
    Unshown {
        /// Root or targets.
        role: Role,
    },
    /// What it proposes does not follow what is current.
    #[error("it proposes {role} version {found} after version {current}")]
    Version {
        /// Root or targets.
        role: Role,
        /// The version that is current.
        current: u64,
        /// The version proposed.
        found: u64,
    },
    /// It proposes nothing.
    #[error("it proposes nothing")]
    Empty,
    /// What two files of the same event propose differs.
    #[error("it proposes something else than the event that is open here")]
    Differs,
    /// It belongs to another root, or to an older or newer publication.
    #[error("it was made over root version {root} and targets version {targets}, which are not current here")]
    NotCurrent {
        /// Version of its root.
        root: u64,
        /// Version of its targets metadata.
        targets: u64,
    },
    /// Enough have signed, and yet it does not verify.
    #[error("the {0} metadata that it proposes is rejected")]
    Rejected(Role, #[source] Rejection),
}

impl SigningEvent {
    /// Over what is current, proposing nothing yet.
    pub fn over(root: Verified<Root>, targets: Verified<Targets>) -> Self {
        Self { root, targets, next_root: None, next_targets: None, documents: BTreeMap::new() }
    }

    /// Proposes the next root, in place of one proposed before.
    pub fn propose_root(&mut self, roles: &Roles, expires: Timestamp) -> Result<(), DraftError> {
        let root = root(Some(&self.root), expires, roles)?.sign(&[]);
        self.next_root = Some(Proposed { roles: roles.clone(), root });
        Ok(())
    }

    /// Proposes the next list, in place of one proposed before.
    pub fn propose_targets(&mut self, draft: &TargetsDraft, expires: Timestamp) -> Result<(), DraftError> {
        self.next_targets = Some(draft.unsigned(expires)?.sign(&[]));
        Ok(())
    }

    /// Takes the text of a proposed target along, so that whoever signs its digest can read it.
    pub fn attach(&mut self, name: &str, text: &str) {
        self.documents.insert(name.into(), text.into());
    }

    /// The text of a proposed target, if it was taken along and is the one whose length and digest
    /// would be signed.
    pub fn document(&self, name: &str) -> Option<&str> {
        let text = self.documents.get(name)?;
        let target = &self.next_targets()?.signed()["targets"][name];
        let fits = target["length"].as_u64() == Some(text.len() as u64)
            && target["hashes"]["sha256"].as_str() == Some(&hex::encode(Sha256::digest(text)));
        fits.then_some(text)
    }

    /// Who signs what once this has been carried out.
    pub fn roles(&self) -> Roles {
        self.next_root.as_ref().map_or_else(|| Roles::of(&self.root), |next| next.roles.clone())
    }

    /// Whether the next root would leave the current list without enough signatures, so that a next
    /// one must be proposed with it.
    pub fn needs_targets(&self) -> bool {
        let Signers { keys, threshold } = self.roles().targets;
        let signed = strict_json::parse(self.targets.bytes()).ok();
        let signed = signed.and_then(|document| Signed::<Targets>::from_value(&document).ok());
        let count = signed.map_or(0, |signed| signed.signers(&keys).len());
        self.next_targets.is_none() && (count as u64) < threshold
    }

    /// What is current.
    pub fn current(&self) -> (&Verified<Root>, &Verified<Targets>) {
        (&self.root, &self.targets)
    }

    /// The root proposed, if one is.
    pub fn next_root(&self) -> Option<&Signed<Root>> {
        self.next_root.as_ref().map(|next| &next.root)
    }

    /// The list proposed, if one is.
    pub fn next_targets(&self) -> Option<&Signed<Targets>> {
        self.next_targets.as_ref()
    }

    /// Signs with this key whatever it counts for, and says what that was.
    pub fn sign(&mut self, key: &SigningKey) -> Vec<Role> {
        let public = key.public();
        let wanted: Vec<Role> =
            self.standing().into_iter().filter(|s| s.lists(&public)).map(|s| s.what).collect();
        let mut signed = Vec::new();
        if let Some(next) = self.next_root.as_mut().filter(|_| wanted.contains(&Role::Root)) {
            next.root.add(key);
            signed.push(Role::Root);
        }
        if let Some(next) = self.next_targets.as_mut().filter(|_| wanted.contains(&Role::Targets)) {
            next.add(key);
            signed.push(Role::Targets);
        }
        signed
    }

    /// Who has signed and who could, for each threshold that must be met.
    pub fn standing(&self) -> Vec<Standing> {
        let roles = self.roles();
        let mut all = Vec::new();
        if let Some(next) = &self.next_root {
            let old = Roles::of(&self.root).root;
            all.push(Standing::of(&next.root, &old, false));
            if old != roles.root {
                all.push(Standing::of(&next.root, &roles.root, true));
            }
        }
        if let Some(next) = &self.next_targets {
            all.push(Standing::of(next, &roles.targets, self.next_root.is_some()));
        }
        all
    }

    /// Takes the signatures that another file of the same event has.
    pub fn join(&mut self, other: &Self) -> Result<(), EventError> {
        let keys: Vec<PublicKey> = self
            .standing()
            .into_iter()
            .flat_map(|standing| [standing.signed, standing.open].concat())
            .collect();
        let root = match (&mut self.next_root, &other.next_root) {
            (Some(own), Some(others)) => own.root.join(&others.root, &keys),
            (own, others) => own.is_none() && others.is_none(),
        };
        let targets = match (&mut self.next_targets, &other.next_targets) {
            (Some(own), Some(others)) => own.join(others, &keys),
            (own, others) => own.is_none() && others.is_none(),
        };
        if root && targets { Ok(()) } else { Err(EventError::Differs) }
    }

    /// Refuses an event that was made over something else than what is current.
    pub fn must_be_over(&self, root: &Verified<Root>, targets: &Verified<Targets>) -> Result<(), EventError> {
        if self.root.bytes() == root.bytes() && self.targets.bytes() == targets.bytes() {
            return Ok(());
        }
        Err(EventError::NotCurrent { root: self.root.version(), targets: self.targets.version() })
    }

    /// What holds from now on, if enough have signed; `None` if not.
    pub fn finish(&self) -> Result<Option<Finished>, EventError> {
        if self.needs_targets() || !self.standing().iter().all(Standing::is_met) {
            return Ok(None);
        }
        let root = match &self.next_root {
            Some(next) => {
                let bytes = next.root.bytes();
                self.root.successor(&bytes).map_err(|reason| EventError::Rejected(Role::Root, reason))?
            }
            None => self.root.clone(),
        };
        if let Some(next) = &self.next_targets {
            next.verified_by(&root).map_err(|reason| EventError::Rejected(Role::Targets, reason))?;
        }
        let new_root = self.next_root.as_ref().map(|next| next.root.clone());
        Ok(Some(Finished { root, new_root, new_targets: self.next_targets.clone() }))
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // as text, because a fingerprint is one of exact bytes
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes));
        let event = json!({
            "format": FORMAT,
            "current": {"root": text(self.root.bytes()), "targets": text(self.targets.bytes())},
            "proposed": {
                "root": self.next_root.as_ref().map(|next| next.root.to_value()),
                "targets": self.next_targets.as_ref().map(Signed::to_value),
            },
            "documents": self.documents,
        });
        event.to_string().into_bytes()
    }

    /// Reads a file that came from somewhere.
    pub fn read(bytes: &[u8]) -> Result<Self, EventError> {
        let event = strict_json::parse(bytes).map_err(EventError::NotJson)?;
        if event["format"].as_u64() != Some(FORMAT) {
            return Err(EventError::Format);
        }
        let current = |role: Role| event["current"][role.name()].as_str().ok_or(EventError::Format);
        let root = Verified::self_signed(current(Role::Root)?.as_bytes());
        let root = root.map_err(|reason| EventError::Current(Role::Root, reason))?;
        let targets = root.verify::<Targets>(current(Role::Targets)?.as_bytes());
        let targets = targets.map_err(|reason| EventError::Current(Role::Targets, reason))?;
        let proposed = |role: Role| Some(&event["proposed"][role.name()]).filter(|value| !value.is_null());
        let next_root = proposed(Role::Root).map(|next| Proposed::read(next, &root)).transpose()?;
        let next_targets = proposed(Targets::ROLE).map(Signed::from_value).transpose()?;
        if let Some(next) = &next_targets {
            follows(Role::Targets, targets.version(), next.version())?;
            if !is_plain_list(next.signed()) {
                return Err(EventError::Unshown { role: Role::Targets });
            }
        }
        if next_root.is_none() && next_targets.is_none() {
            return Err(EventError::Empty);
        }
        let documents = event["documents"].as_object().into_iter().flatten();
        let documents = documents.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
        Ok(Self { root, targets, next_root, next_targets, documents: documents.collect() })
    }
}

fn follows(role: Role, current: u64, found: u64) -> Result<(), EventError> {
    if current.checked_add(1) == Some(found) {
        Ok(())
    } else {
        Err(EventError::Version { role, current, found })
    }
}

impl Proposed {
    /// Only a root that this program would make itself: whoever signs it sees its roles and its expiry.
    fn read(document: &Value, current: &Verified<Root>) -> Result<Self, EventError> {
        let proposed = Signed::<Root>::from_value(document)?;
        follows(Role::Root, current.version(), proposed.version())?;
        let roles = Roles::proposed(proposed.signed()).ok_or(EventError::Roles)?;
        let expires = proposed.signed()["expires"].as_str().and_then(|text| text.parse().ok());
        let made = expires.and_then(|expires| root(Some(current), expires, &roles).ok());
        if made.is_none_or(|made| made.sign(&[]).signed() != proposed.signed()) {
            return Err(EventError::Unshown { role: Role::Root });
        }
        Ok(Self { roles, root: proposed })
    }
}

/// Whether a proposed list holds files and nothing else. Delegations, say, would be signed unseen, and a
/// client that follows them would take files that nobody was shown.
fn is_plain_list(signed: &Value) -> bool {
    let only = |value: &Value, known: &[&str]| {
        value.as_object().is_some_and(|members| members.keys().all(|name| known.contains(&name.as_str())))
    };
    let targets = signed["targets"].as_object();
    only(signed, &["_type", "spec_version", "version", "expires", "targets"])
        && targets.is_some_and(|targets| targets.values().all(|t| only(t, &["length", "hashes", "custom"])))
}

impl Standing {
    fn of<T: Document>(document: &Signed<T>, signers: &Signers, by_next_root: bool) -> Self {
        let signed: Vec<PublicKey> = document.signers(&signers.keys).into_iter().cloned().collect();
        let open = signers.keys.iter().filter(|key| !signed.contains(key)).cloned().collect();
        Self { what: T::ROLE, by_next_root, threshold: signers.threshold, signed, open }
    }

    /// Whether enough have signed.
    pub fn is_met(&self) -> bool {
        self.signed.len() as u64 >= self.threshold
    }

    fn lists(&self, key: &PublicKey) -> bool {
        self.signed.contains(key) || self.open.contains(key)
    }
}

#[cfg(test)]
mod tests;

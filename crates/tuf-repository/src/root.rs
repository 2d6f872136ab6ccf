use std::collections::BTreeMap;

use jiff::Timestamp;
use keys::PublicKey;
use serde_json::{Value, json};
use tuf_client::{Role, Root, Verified};

use crate::draft::{self, DraftError};
use crate::metadata::{Unsigned, key_id, key_object, listed_key};

/// The keys of one role, and how many of them must sign. The order of the keys means nothing.
#[derive(Debug, Clone)]
pub struct Signers {
    /// The keys; one given twice counts once.
    pub keys: Vec<PublicKey>,
    /// Signatures by different keys that make metadata good.
    pub threshold: u64,
}

impl PartialEq for Signers {
    fn eq(&self, other: &Self) -> bool {
        self.threshold == other.threshold && self.by_id() == other.by_id()
    }
}

impl Eq for Signers {}

/// Who signs what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Says who signs what; kept offline.
    pub root: Signers,
    /// Approves firmware; kept offline.
    pub targets: Signers,
    /// Says which targets metadata is current; unattended.
    pub snapshot: Signers,
    /// Says which snapshot is current; unattended.
    pub timestamp: Signers,
}

impl Signers {
    /// One key, one signature.
    pub fn one(key: PublicKey) -> Self {
        Self { keys: vec![key], threshold: 1 }
    }

    fn by_id(&self) -> BTreeMap<String, &PublicKey> {
        self.keys.iter().map(|key| (key_id(key), key)).collect()
    }
}

impl Roles {
    /// As an existing root has it, to be changed for the next.
    pub fn of(root: &Root) -> Self {
        let signers = |role| Signers {
            keys: root.keys(role).into_iter().cloned().collect(),
            threshold: root.threshold(role),
        };
        Self {
            root: signers(Role::Root),
            targets: signers(Role::Targets),
            snapshot: signers(Role::Snapshot),
            timestamp: signers(Role::Timestamp),
        }
    }

    /// As root metadata that is still to be signed has it; `None` where it is not one that [`root`]
    /// makes.
    pub(crate) fn proposed(signed: &Value) -> Option<Self> {
        let signers = |role: Role| {
            let listed = &signed["roles"][role.name()];
            let key = |id: &Value| listed_key(&signed["keys"][id.as_str()?]);
            let keys = listed["keyids"].as_array()?.iter().map(key).collect::<Option<_>>()?;
            Some(Signers { keys, threshold: listed["threshold"].as_u64()? })
        };
        let roles = Self {
            root: signers(Role::Root)?,
            targets: signers(Role::Targets)?,
            snapshot: signers(Role::Snapshot)?,
            timestamp: signers(Role::Timestamp)?,
        };
        roles.check().is_ok().then_some(roles)
    }

    /// Keys and threshold of one role.
    pub fn signers(&self, role: Role) -> &Signers {
        match role {
            Role::Root => &self.root,
            Role::Targets => &self.targets,
            Role::Snapshot => &self.snapshot,
            Role::Timestamp => &self.timestamp,
        }
    }

    /// Keys and threshold of one role, to be changed.
    pub fn signers_mut(&mut self, role: Role) -> &mut Signers {
        match role {
            Role::Root => &mut self.root,
            Role::Targets => &mut self.targets,
            Role::Snapshot => &mut self.snapshot,
            Role::Timestamp => &mut self.timestamp,
        }
    }

    fn check(&self) -> Result<(), DraftError> {
        for role in Role::ALL {
            let (threshold, keys) = (self.signers(role).threshold, self.signers(role).by_id().len() as u64);
            if threshold == 0 || threshold > keys {
                return Err(DraftError::Threshold { role, threshold, keys });
            }
        }
        for offline in [Role::Root, Role::Targets] {
            for online in [Role::Snapshot, Role::Timestamp] {
                let unattended = &self.signers(online).keys;
                if let Some(key) = self.signers(offline).keys.iter().find(|key| unattended.contains(key)) {
                    return Err(DraftError::SharedKey { fingerprint: key.fingerprint(), offline, online });
                }
            }
        }
        Ok(())
    }
}

/// Root metadata (specification §4.3): version 1, or the one after `previous`, which must then be
/// signed by the keys of both (§5.3.4).
pub fn root(
    previous: Option<&Verified<Root>>,
    expires: Timestamp,
    roles: &Roles,
) -> Result<Unsigned<Root>, DraftError> {
    roles.check()?;
    let keys: BTreeMap<_, _> = Role::ALL
        .into_iter()
        .flat_map(|role| roles.signers(role).by_id())
        .map(|(id, key)| (id, key_object(key)))
        .collect();
    let role = |role: Role| {
        let signers = roles.signers(role);
        let ids: Vec<_> = signers.by_id().into_keys().collect();
        (role.name().to_string(), json!({"keyids": ids, "threshold": signers.threshold}))
    };
    let members = vec![
        ("consistent_snapshot", Value::Bool(true)),
        ("keys", json!(keys)),
        ("roles", Value::Object(Role::ALL.into_iter().map(role).collect())),
    ];
    Ok(Unsigned::new(draft::signed(previous, expires, members))?)
}

#[cfg(test)]
mod tests {
    use keys::SigningKey;

    use super::*;

    fn roles(keys: &[SigningKey; 4]) -> Roles {
        let [root, targets, snapshot, timestamp] = keys.each_ref().map(|key| Signers::one(key.public()));
        Roles { root, targets, snapshot, timestamp }
    }

    fn new_keys() -> [SigningKey; 4] {
        // of both kinds that sign here
        std::array::from_fn(|number| match number {
            0 | 1 => SigningKey::generate_p256(),
            _ => SigningKey::generate(),
        })
    }

    fn expires() -> Timestamp {
        "2028-11-22T08:15:00.75Z".parse().unwrap()
    }

    #[test]
    fn a_client_reads_the_roles_that_were_written() {
        let keys = new_keys();
        let roles = roles(&keys);
        let signed = root(None, expires(), &roles).unwrap().sign(&[&keys[0]]);
        assert_eq!(signed.file_name(), "1.root.json");
        let verified = Verified::self_signed(&signed.bytes()).unwrap();
        assert_eq!(Roles::of(&verified), roles);
        assert_eq!((verified.version(), verified.expires().to_string()), (1, "2028-11-22T08:15:00Z".into()));
        assert!(verified.consistent_snapshot());
        let again = root(None, expires(), &roles).unwrap().sign(&[&keys[0]]);
        assert_eq!(again.bytes(), signed.bytes(), "same input, same bytes");
    }

    #[test]
    fn a_root_is_followed_by_one_that_old_and_new_keys_signed() {
        let keys = new_keys();
        let mut roles = roles(&keys);
        let first =
            Verified::self_signed(&root(None, expires(), &roles).unwrap().sign(&[&keys[0]]).bytes()).unwrap();
        let new = SigningKey::generate();
        roles.root = Signers { keys: vec![keys[0].public(), new.public()], threshold: 2 };
        let second = root(Some(&first), expires(), &roles).unwrap();
        assert!(first.successor(&second.clone().sign(&[&keys[0]]).bytes()).is_err(), "new threshold");
        assert!(first.successor(&second.clone().sign(&[&new]).bytes()).is_err(), "old threshold");
        let second = first.successor(&second.sign(&[&keys[0], &new]).bytes()).unwrap();
        assert_eq!((second.version(), second.threshold(Role::Root)), (2, 2));
    }

    #[test]
    fn refuses_thresholds_that_no_one_or_anyone_meets() {
        let keys = new_keys();
        for threshold in [0, 2] {
            let mut roles = roles(&keys);
            roles.targets = Signers { keys: vec![keys[1].public(), keys[1].public()], threshold };
            let error = root(None, expires(), &roles).unwrap_err();
            assert!(matches!(error, DraftError::Threshold { role: Role::Targets, keys: 1, .. }), "{error}");
        }
    }

    #[test]
    fn refuses_an_unattended_key_in_an_offline_role() {
        let keys = new_keys();
        for role in [Role::Root, Role::Targets] {
            let mut roles = roles(&keys);
            let signers = if role == Role::Root { &mut roles.root } else { &mut roles.targets };
            signers.keys.push(keys[3].public());
            let error = root(None, expires(), &roles).unwrap_err();
            assert!(matches!(error, DraftError::SharedKey { online: Role::Timestamp, .. }), "{error}");
        }
    }
}

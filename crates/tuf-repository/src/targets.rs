use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tuf_client::{Target, TargetName, Targets, Verified, case_twins};

use crate::draft::{self, DraftError};
use crate::metadata::Unsigned;

/// The list of approved files while it is being changed (specification §4.5).
#[derive(Debug, Clone, Default)]
pub struct TargetsDraft {
    previous: Option<Verified<Targets>>,
    targets: BTreeMap<TargetName, Value>,
}

impl TargetsDraft {
    /// The first list, empty.
    pub fn first() -> Self {
        Self::default()
    }

    /// The list that follows one already published, with all that is on it and can be verified:
    /// what others listed by unknown hashes alone is no use to anybody who reads what is signed here.
    pub fn after(previous: Verified<Targets>) -> Self {
        let targets = as_listed(&previous);
        Self { previous: Some(previous), targets }
    }

    /// Approves a file, or changes what is said about it. `custom` is an object of the
    /// application's own making.
    pub fn insert(&mut self, name: TargetName, length: u64, sha256: &[u8; 32], custom: &Map<String, Value>) {
        let hashes = json!({"sha256": hex::encode(sha256)});
        self.targets.insert(name, json!({"length": length, "hashes": hashes, "custom": custom}));
    }

    /// Withdraws a file; whether it was on the list.
    pub fn remove(&mut self, name: &str) -> bool {
        self.targets.remove(name).is_some()
    }

    /// Whether the list differs from the published one: what has not changed need not be signed.
    pub fn is_changed(&self) -> bool {
        self.previous.as_ref().is_none_or(|previous| as_listed(previous) != self.targets)
    }

    /// The list to be signed: version 1, or the one after the published list.
    pub fn unsigned(&self, expires: Timestamp) -> Result<Unsigned<Targets>, DraftError> {
        if let Some((first, second)) = case_twins(self.targets.keys().map(TargetName::as_str)) {
            return Err(DraftError::Twins { first: first.into(), second: second.into() });
        }
        let targets = self.targets.iter().map(|(name, target)| (name.to_string(), target.clone())).collect();
        let members = vec![("targets", Value::Object(targets))];
        Ok(Unsigned::new(draft::signed(self.previous.as_ref(), expires, members))?)
    }
}

fn as_listed(targets: &Targets) -> BTreeMap<TargetName, Value> {
    let entry = |(name, target): (&TargetName, &Target)| {
        let hashes = [("sha256", target.hashes().sha256()), ("sha512", target.hashes().sha512())];
        let hashes: BTreeMap<_, _> = hashes.into_iter().filter(|(_, hash)| hash.is_some()).collect();
        let mut listed = json!({"length": target.length(), "hashes": hashes});
        if let Some(custom) = target.custom() {
            listed["custom"] = custom.clone();
        }
        (name.clone(), listed)
    };
    targets.targets().iter().filter(|(_, target)| target.hashes().is_known()).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Roles, Signers, root};
    use keys::SigningKey;
    use tuf_client::Root;

    struct Depot {
        approver: SigningKey,
        root: Verified<Root>,
    }

    fn expires() -> Timestamp {
        "2027-05-22T00:00:00Z".parse().unwrap()
    }

    fn depot() -> Depot {
        let keys: [SigningKey; 4] = std::array::from_fn(|_| SigningKey::generate());
        let [root_key, approver, snapshot, timestamp] = keys;
        let one = |key: &SigningKey| Signers::one(key.public());
        let roles = Roles {
            root: one(&root_key),
            targets: one(&approver),
            snapshot: one(&snapshot),
            timestamp: one(&timestamp),
        };
        let signed = root(None, expires(), &roles).unwrap().sign(&[&root_key]);
        Depot { approver, root: Verified::self_signed(&signed.bytes()).unwrap() }
    }

    fn custom(value: &str) -> Map<String, Value> {
        Map::from_iter([("format".to_string(), value.into())])
    }

    #[test]
    fn a_list_is_carried_on_from_its_published_bytes() {
        let Depot { approver, root } = depot();
        let mut draft = TargetsDraft::first();
        draft.insert("a/digicap.dav".parse().unwrap(), 3, &[1; 32], &custom("1"));
        draft.insert("b/digicap.dav".parse().unwrap(), 4, &[2; 32], &custom("1"));
        let first = draft.unsigned(expires()).unwrap().sign(&[&approver]);
        assert_eq!(first.file_name(), "1.targets.json");
        let first = root.verify(&first.bytes()).unwrap();

        let mut draft = TargetsDraft::after(first);
        assert!(!draft.is_changed());
        assert!(draft.remove("a/digicap.dav") && !draft.remove("a/digicap.dav"));
        draft.insert("c/digicap.dav".parse().unwrap(), 5, &[3; 32], &custom("1"));
        assert!(draft.is_changed());
        let second = draft.unsigned(expires()).unwrap().sign(&[&approver]).verified_by(&root).unwrap();
        assert_eq!(second.version(), 2);
        let names: Vec<_> = second.targets().keys().map(TargetName::as_str).collect();
        assert_eq!(names, ["b/digicap.dav", "c/digicap.dav"]);
        let target = second.target("b/digicap.dav").unwrap();
        assert_eq!((target.length(), target.hashes().sha256().unwrap()), (4, "02".repeat(32).as_str()));
        assert_eq!(target.custom(), Some(&Value::Object(custom("1"))));
    }

    #[test]
    fn saying_the_same_again_changes_nothing() {
        let Depot { approver, root } = depot();
        let mut draft = TargetsDraft::first();
        assert!(draft.is_changed(), "an empty first list is published as well");
        draft.insert("a".parse().unwrap(), 3, &[1; 32], &custom("1"));
        let published = draft.unsigned(expires()).unwrap().sign(&[&approver]).verified_by(&root).unwrap();
        let mut draft = TargetsDraft::after(published);
        draft.insert("a".parse().unwrap(), 3, &[1; 32], &custom("1"));
        assert!(!draft.is_changed());
        draft.insert("a".parse().unwrap(), 3, &[1; 32], &custom("2"));
        assert!(draft.is_changed());
    }

    #[test]
    fn names_that_fat_takes_for_one_are_refused_before_signing() {
        let mut draft = TargetsDraft::first();
        draft.insert("nvr-a/digicap.dav".parse().unwrap(), 3, &[1; 32], &custom("1"));
        draft.insert("NVR-A/digicap.dav".parse().unwrap(), 3, &[2; 32], &custom("1"));
        let error = draft.unsigned(expires()).unwrap_err();
        assert!(matches!(&error, DraftError::Twins { first, .. } if first == "NVR-A/digicap.dav"), "{error}");
        assert!(draft.remove("NVR-A/digicap.dav") && draft.unsigned(expires()).is_ok());
    }

    #[test]
    fn the_wrong_key_is_noticed_before_anything_is_published() {
        let Depot { root, .. } = depot();
        let signed = TargetsDraft::first().unsigned(expires()).unwrap().sign(&[&SigningKey::generate()]);
        assert!(signed.verified_by(&root).is_err());
    }
}

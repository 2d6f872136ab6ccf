//! The documents that steer plans: read only as they were signed, and never silently missing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use firmware::Sha256Digest;
use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use jiff::Timestamp;
use keys::SigningKey;
use serde_json::{Map, Value, json};
use stick::{
    Directory, Document, LARGEST_DOCUMENT, OpenError, SignedDocument, UnverifiedPublication, document_bytes,
    document_facts, document_name, layout, listed_documents, media,
};
use tempfile::TempDir;
use tuf_client::{Clock, MemoryStore, Root, Targets, Verified};
use tuf_repository::{Roles, Signers, TargetsDraft};

const NOW: &str = "2026-11-22T10:00:00Z";

/// A stick with the metadata of one publication.
struct Stick {
    dir: TempDir,
    root: Verified<Root>,
    targets: Verified<Targets>,
}

/// A target to be listed: name, length, bytes, custom.
type Listed<'a> = (&'a str, u64, &'a [u8], Map<String, Value>);

impl Stick {
    fn listing(listed: &[Listed<'_>]) -> Self {
        let keys: [SigningKey; 4] = std::array::from_fn(|_| SigningKey::generate());
        let [root_key, approver, snapshot_key, timestamp_key] = &keys;
        let one = |key: &SigningKey| Signers::one(key.public());
        let roles = Roles {
            root: one(root_key),
            targets: one(approver),
            snapshot: one(snapshot_key),
            timestamp: one(timestamp_key),
        };
        let expires = "2026-12-22T10:00:00Z".parse().unwrap();
        let root = tuf_repository::root(None, expires, &roles).unwrap().sign(&[root_key]);
        let root = Verified::<Root>::self_signed(&root.bytes()).unwrap();
        let mut draft = TargetsDraft::first();
        for (name, length, bytes, custom) in listed {
            draft.insert(name.parse().unwrap(), *length, Sha256Digest::of(bytes).as_bytes(), custom);
        }
        let signed = draft.unsigned(expires).unwrap().sign(&[approver]);
        let targets = signed.verified_by(&root).unwrap();
        let snapshot = tuf_repository::snapshot(None, expires, &targets).unwrap().sign(&[snapshot_key]);
        let verified = snapshot.verified_by(&root).unwrap();
        let timestamp = tuf_repository::timestamp(None, expires, NOW.parse().unwrap(), &verified).unwrap();
        let timestamp = timestamp.sign(&[timestamp_key]);
        let stick = Self { dir: tempfile::tempdir().unwrap(), root, targets };
        let metadata = [
            ("1.root.json".to_owned(), stick.root.bytes().to_vec()),
            (signed.file_name(), signed.bytes()),
            (snapshot.file_name(), snapshot.bytes()),
            ("timestamp.json".to_owned(), timestamp.bytes()),
        ];
        for (name, bytes) in metadata {
            media::write(&stick.medium(), &layout::metadata(name), &bytes).unwrap();
        }
        stick
    }

    fn medium(&self) -> Directory {
        Directory::open(self.dir.path()).unwrap()
    }

    fn put(&self, name: &str, signed: &[u8], bytes: &[u8]) {
        let path = layout::target(document_name(name, Sha256Digest::of(signed)));
        media::write(&self.medium(), &path, bytes).unwrap();
    }

    /// The policy and the number of advisories, each where it is listed.
    fn verify(&self) -> Result<(Option<Policy>, Option<usize>), OpenError> {
        let now: Timestamp = NOW.parse().unwrap();
        let (clock, medium) = (Clock { system: now, build: now }, self.medium());
        let mut store = MemoryStore::trusting(&self.root);
        let publication = UnverifiedPublication::on(&medium).verify(&mut store, clock)?;
        let policy = publication.policy().map(|policy| policy.document().clone());
        Ok((policy, publication.advisories().map(|table| table.document().advisories().len())))
    }
}

fn strict() -> Policy {
    Policy { backup_required: true, ..Policy::default() }
}

fn table() -> AdvisoryTable {
    let advisories = json!([{"id": "A-1", "title": "t", "affected": []}]);
    serde_json::from_value(json!({"collected": "2026-11-22", "advisories": advisories})).unwrap()
}

/// A publication that lists these bytes as its policy, and carries them.
fn with_policy(bytes: &[u8], custom: &Value) -> Result<Option<Policy>, OpenError> {
    let custom = custom.as_object().unwrap().clone();
    let stick = Stick::listing(&[(Policy::NAME, bytes.len() as u64, bytes, custom)]);
    stick.put(Policy::NAME, bytes, bytes);
    stick.verify().map(|(policy, _)| policy)
}

#[test]
fn what_was_signed_is_read_and_what_was_not_is_none() {
    assert_eq!(Stick::listing(&[]).verify().unwrap(), (None, None));
    let (policy, advisories) = (document_bytes(&strict()).unwrap(), document_bytes(&table()).unwrap());
    let stick = Stick::listing(&[
        (Policy::NAME, policy.len() as u64, &policy, document_facts::<Policy>()),
        (AdvisoryTable::NAME, advisories.len() as u64, &advisories, document_facts::<AdvisoryTable>()),
    ]);
    stick.put(Policy::NAME, &policy, &policy);
    stick.put(AdvisoryTable::NAME, &advisories, &advisories);
    assert_eq!(stick.verify().unwrap(), (Some(strict()), Some(1)));
    assert_eq!(listed_documents(&stick.targets).unwrap().len(), 2);
    let text = "{\"audit_baseline\":\"air-gapped\",\"backup_required\":true,\"forbidden_overrides\":[],\
                \"format\":1,\"minimum_versions\":{}}";
    assert_eq!(String::from_utf8(policy).unwrap(), text, "canonical JSON");
}

#[test]
fn a_policy_that_was_stripped_or_exchanged_is_rejected() {
    let signed = document_bytes(&strict()).unwrap();
    let loose = document_bytes(&Policy::default()).unwrap();
    let stick = Stick::listing(&[(Policy::NAME, signed.len() as u64, &signed, document_facts::<Policy>())]);
    assert!(matches!(stick.verify(), Err(OpenError::Stripped { target: "policy.json" })));
    for bytes in [&loose[..], &signed[..signed.len() - 1], &[&signed[..], b" "].concat(), b""] {
        stick.put(Policy::NAME, &signed, bytes);
        assert!(matches!(stick.verify(), Err(OpenError::Exchanged { .. })), "{bytes:?}");
    }
    // the loose one under its own name changes nothing
    stick.put(Policy::NAME, &loose, &loose);
    assert!(matches!(stick.verify(), Err(OpenError::Exchanged { .. })));
    stick.put(Policy::NAME, &signed, &signed);
    assert_eq!(stick.verify().unwrap().0, Some(strict()));
}

#[test]
fn what_is_signed_wrongly_is_told_and_what_is_newer_asks_for_an_update() {
    let good = json!({"format": 1, "kind": "policy"});
    let facts = |bytes: &[u8], custom: Value, words: &str| match with_policy(bytes, &custom) {
        Err(OpenError::Facts { target, why }) => {
            assert!(target == "policy.json" && why.contains(words), "{why}");
        }
        other => panic!("{words}: {:?}", other.map_err(|error| error.to_string())),
    };
    facts(br#"{"format":1}"#, json!({"format": 1, "kind": "advisories"}), "kind is \"advisories\"");
    facts(br#"{"format":1"#, good.clone(), "EOF");
    facts(br#"{"format":1,"backup_required":1}"#, good.clone(), "boolean");
    facts(
        br#"{"format":1,"backup_required":true,"backup_required":false}"#,
        good.clone(),
        "duplicate member",
    );
    for (bytes, custom) in [
        (&br#"{"format":2}"#[..], good.clone()),
        (br#"{"backup_required":true}"#, good.clone()),
        (br#"{"format":1}"#, json!({"format": 2, "kind": "policy"})),
        (br#"{"format":1}"#, json!({})),
    ] {
        let error = with_policy(bytes, &custom).unwrap_err();
        assert!(matches!(error, OpenError::Format { .. }), "{error}");
        assert!(error.to_string().ends_with("update it"), "{error}");
    }
    let later = with_policy(br#"{"format":1,"backup_required":true,"mood":{"a":[1]}}"#, &good).unwrap();
    assert_eq!(later, Some(strict()), "what a later depot of the same format adds is ignored");
}

#[test]
fn a_document_beyond_the_cap_is_refused_before_it_is_read() {
    let listed = (Policy::NAME, LARGEST_DOCUMENT + 1, &b""[..], document_facts::<Policy>());
    // there is no file: if it were looked for, it would be stripped
    let error = Stick::listing(&[listed]).verify().unwrap_err();
    assert!(
        matches!(&error, OpenError::Facts { why, .. } if why.contains("the limit is 4194304")),
        "{error}"
    );
}

#[test]
fn a_depot_reads_what_it_kept_by_digest() {
    let signed = document_bytes(&strict()).unwrap();
    let stick = Stick::listing(&[(Policy::NAME, signed.len() as u64, &signed, document_facts::<Policy>())]);
    let kept = |bytes: &[u8]| SignedDocument::<Policy>::kept(&stick.targets, |_| Ok(bytes.to_vec()));
    assert_eq!(kept(&signed).unwrap().unwrap().document(), &strict());
    assert!(matches!(kept(b"{}"), Err(OpenError::Exchanged { .. })));
    assert!(
        SignedDocument::<AdvisoryTable>::kept(&stick.targets, |_| panic!("not listed")).unwrap().is_none()
    );
}

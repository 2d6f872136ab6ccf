//! What the unattended keys sign: which targets metadata is current, and that it still is.

use jiff::Timestamp as Time;
use serde_json::json;
use tuf_client::{Role, Snapshot, Targets, Timestamp, Verified};

use crate::draft::{self, DraftError};
use crate::metadata::Unsigned;

/// Snapshot metadata (specification §4.4) over targets that the approver signed: version 1, or the
/// one after `previous`.
pub fn snapshot(
    previous: Option<&Verified<Snapshot>>,
    expires: Time,
    targets: &Verified<Targets>,
) -> Result<Unsigned<Snapshot>, DraftError> {
    let meta = json!({Role::Targets.file(): draft::listed(targets)});
    Ok(Unsigned::new(draft::signed(previous, expires, vec![("meta", meta)]))?)
}

/// Timestamp metadata (§4.6) over a snapshot: version 1, or the one after `previous`.
/// `custom.signed_at` lets a client correct a clock that is behind.
pub fn timestamp(
    previous: Option<&Verified<Timestamp>>,
    expires: Time,
    signed_at: Time,
    snapshot: &Verified<Snapshot>,
) -> Result<Unsigned<Timestamp>, DraftError> {
    if signed_at >= expires {
        return Err(DraftError::ExpiresBeforeSigned { signed_at, expires });
    }
    let meta = json!({Role::Snapshot.file(): draft::listed(snapshot)});
    let custom = json!({"signed_at": draft::whole_seconds(signed_at)});
    Ok(Unsigned::new(draft::signed(previous, expires, vec![("meta", meta), ("custom", custom)]))?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use keys::SigningKey;
    use tuf_client::{Clock, FetchError, MemoryStore, Repository, Root};

    use super::*;
    use crate::{Roles, Signed, Signers, TargetsDraft, root};

    struct Files(BTreeMap<String, Vec<u8>>);

    impl Repository for Files {
        fn metadata(&mut self, name: &str, _cap: u64) -> Result<Option<Vec<u8>>, FetchError> {
            Ok(self.0.get(name).cloned())
        }

        fn target<'a>(&'a mut self, path: &str) -> Result<Option<Box<dyn Read + 'a>>, FetchError> {
            Ok(self.0.get(path).map(|bytes| Box::new(&bytes[..]) as Box<dyn Read>))
        }
    }

    impl Files {
        fn put<T: tuf_client::Document>(&mut self, signed: &Signed<T>) {
            self.0.insert(signed.file_name(), signed.bytes());
        }
    }

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    /// Root, approver, snapshot, timestamp.
    struct Depot {
        keys: [SigningKey; 4],
        root: Verified<Root>,
        files: Files,
    }

    fn depot() -> Depot {
        let keys: [SigningKey; 4] = std::array::from_fn(|_| SigningKey::generate());
        let [root_, targets, snapshot, timestamp] = keys.each_ref().map(|key| Signers::one(key.public()));
        let roles = Roles { root: root_, targets, snapshot, timestamp };
        let first = root(None, time("2028-01-01T00:00:00Z"), &roles).unwrap().sign(&[&keys[0]]);
        let mut files = Files(BTreeMap::new());
        files.put(&first);
        Depot { root: Verified::self_signed(&first.bytes()).unwrap(), keys, files }
    }

    #[test]
    fn a_client_follows_from_one_publication_to_the_next() {
        let Depot { keys: [_, approver, snapshot_key, timestamp_key], root, mut files } = depot();
        let mut store = MemoryStore::trusting(&root);
        let clock = Clock { system: time("2026-11-22T09:00:00Z"), build: time("2026-11-01T00:00:00Z") };
        let (signed_at, month) = (time("2026-11-22T08:15:00.5Z"), time("2026-12-22T08:15:00Z"));
        let (mut before_snapshot, mut before_timestamp) = (None, None);
        let mut draft = TargetsDraft::first();
        for version in 1..=3 {
            let sha256 = <sha2::Sha256 as sha2::Digest>::digest(b"abc").into();
            draft.insert(
                format!("{version}/digicap.dav").parse().unwrap(),
                3,
                &sha256,
                &serde_json::Map::new(),
            );
            let targets = draft.unsigned(time("2027-05-22T00:00:00Z")).unwrap().sign(&[&approver]);
            files.put(&targets);
            let targets = targets.verified_by(&root).unwrap();
            let new = snapshot(before_snapshot.as_ref(), month, &targets).unwrap().sign(&[&snapshot_key]);
            files.put(&new);
            let new_snapshot = new.verified_by(&root).unwrap();
            let new = timestamp(before_timestamp.as_ref(), month, signed_at, &new_snapshot)
                .unwrap()
                .sign(&[&timestamp_key]);
            files.put(&new);
            before_timestamp = Some(new.verified_by(&root).unwrap());
            before_snapshot = Some(new_snapshot);
            draft = TargetsDraft::after(targets);

            let trusted = tuf_client::refresh(&mut store, &mut files, clock).unwrap();
            assert_eq!((trusted.targets().version(), trusted.timestamp().version()), (version, version));
            assert_eq!(trusted.timestamp().signed_at(), Some(time("2026-11-22T08:15:00Z")));
            assert_eq!(trusted.good_until(), month);
            let name = format!("{version}/digicap.dav");
            let hash = trusted.targets().target(&name).unwrap().hashes().sha256().unwrap();
            files.0.insert(format!("{version}/{hash}.digicap.dav"), b"abc".to_vec());
            let mut bytes = Vec::new();
            trusted.open(&mut files, &name).unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, b"abc");
        }
    }

    #[test]
    fn a_timestamp_that_expires_when_signed_is_refused() {
        let Depot { keys: [_, approver, snapshot_key, _], root, .. } = depot();
        let now = time("2026-11-22T08:15:00Z");
        let targets =
            TargetsDraft::first().unsigned(now).unwrap().sign(&[&approver]).verified_by(&root).unwrap();
        let snapshot =
            snapshot(None, now, &targets).unwrap().sign(&[&snapshot_key]).verified_by(&root).unwrap();
        assert!(matches!(timestamp(None, now, now, &snapshot), Err(DraftError::ExpiresBeforeSigned { .. })));
    }
}

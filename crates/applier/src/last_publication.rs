//! The publication that this laptop verified last, for statements that are made without a stick.

use firmware::Sha256Digest;
use receipt::Publication;
use serde_json::Value;
use tuf_client::{Role, StoreError, TrustStore};

/// Versions and digests of the stored metadata; none where nothing but a root was ever verified. They were
/// verified before they were stored, and whoever edits the state can only make this laptop say so.
pub fn last_publication(store: &dyn TrustStore) -> Result<Option<Publication>, StoreError> {
    let load = |role: Role| store.load(role.file(), role.cap());
    let (Some(root), Some(timestamp), Some(snapshot)) =
        (load(Role::Root)?, load(Role::Timestamp)?, load(Role::Snapshot)?)
    else {
        return Ok(None);
    };
    Ok(versions(&root, &timestamp, &snapshot))
}

fn versions(root: &[u8], timestamp: &[u8], snapshot: &[u8]) -> Option<Publication> {
    let signed = |bytes| serde_json::from_slice::<Value>(bytes).ok()?.get_mut("signed").map(Value::take);
    let version = |value: &Value| value.get("version").and_then(Value::as_u64);
    let listed = |snapshot: &Value| version(snapshot.get("meta")?.get(Role::Targets.file())?);
    let snapshot = signed(snapshot)?;
    Some(Publication {
        root: version(&signed(root)?)?,
        targets: listed(&snapshot)?,
        snapshot: version(&snapshot)?,
        timestamp: version(&signed(timestamp)?)?,
        timestamp_sha256: Sha256Digest::of(timestamp),
        forgiven: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_files() {
        let root = br#"{"signatures":[],"signed":{"version":3}}"#;
        let timestamp = br#"{"signed":{"version":9,"meta":{"snapshot.json":{"version":7}}}}"#;
        let snapshot = br#"{"signed":{"version":7,"meta":{"targets.json":{"version":5}}}}"#;
        let found = versions(root, timestamp, snapshot).unwrap();
        assert_eq!((found.root, found.targets, found.snapshot, found.timestamp), (3, 5, 7, 9));
        assert_eq!(found.timestamp_sha256, Sha256Digest::of(timestamp));
        for damaged in [&b""[..], b"{}", br#"{"signed":{"version":-1}}"#, br#"{"signed":[]}"#] {
            assert_eq!(versions(damaged, timestamp, snapshot), None);
            assert_eq!(versions(root, timestamp, damaged), None);
        }
    }
}

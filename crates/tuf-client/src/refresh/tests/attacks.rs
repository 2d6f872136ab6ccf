//! One case per attack or defect: what was changed since a good run, and what the client says.
//! After each the trusted metadata is as before, from the refused file on.

use super::*;
use crate::testing::key_json;

struct Case {
    name: &'static str,
    change: fn(&mut World),
    says: &'static str,
}

fn case(name: &'static str, change: fn(&mut World), says: &'static str) -> Case {
    Case { name, change, says }
}

/// Runs the cases; none may touch what is stored from `refused` on.
fn check(refused: &str, cases: &[Case]) {
    let first = FILES.iter().position(|file| *file == refused).expect("one of the four");
    for Case { name, change, says } in cases {
        let mut world = refreshed();
        change(&mut world);
        let before = world.store.clone();
        let message = said(&world.refresh().expect_err(name));
        assert!(message.contains(says), "{name}: {message}");
        for file in &FILES[first..] {
            assert_eq!(stored(&world.store, file), stored(&before, file), "{name}: {file} changed");
        }
    }
}

/// Changes the bytes of a metadata file as text.
fn edit(world: &mut World, file: &str, from: &str, to: &str) {
    let bytes = world.repository.metadata.get_mut(file).unwrap();
    let text = String::from_utf8(std::mem::take(bytes)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    *bytes = text.replace(from, to).into_bytes();
}

/// Cuts a metadata file, or fills it up with white space.
fn resize(world: &mut World, file: &str, length: usize) {
    world.repository.metadata.get_mut(file).unwrap().resize(length, b' ');
}

/// The next version, one role of it signed with a key that the root does not know.
fn next_signed_by_a_stranger(world: &mut World, role: Role) {
    let own = world.keys.insert(role, vec![SigningKey::generate()]);
    world.publish_next();
    world.keys.insert(role, own.unwrap());
}

/// Publishes these bytes as version 2 of the targets.
fn list_targets(world: &mut World, bytes: Vec<u8>) {
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&bytes));
    world.snapshot["version"] = 2.into();
    world.timestamp["version"] = 2.into();
    world.snapshot["meta"]["targets.json"] =
        json!({"version": 2, "length": bytes.len(), "hashes": {"sha256": sha256}});
    world.repository.metadata.insert("2.targets.json".into(), bytes);
    world.publish_snapshot();
}

#[test]
fn root() {
    let changed_byte = |w: &mut World| {
        w.next_root(|_| {});
        edit(w, "2.root.json", "\"threshold\":1", "\"threshold\":2");
    };
    let strangers = |w: &mut World| {
        w.keys.insert(Role::Root, vec![SigningKey::generate()]);
        w.next_root(|_| {});
    };
    let new_keys_silent = |w: &mut World| {
        w.next_root(|root| {
            root["keys"]["new"] = key_json(&SigningKey::generate());
            root["roles"]["root"]["keyids"] = json!(["new"]);
        });
    };
    let version_skipped = |w: &mut World| {
        w.next_root(|_| {});
        w.next_root(|_| {});
        let third = w.root_bytes(3);
        w.repository.metadata.insert("2.root.json".into(), third);
    };
    let old_again = |w: &mut World| {
        let first = w.root_bytes(1);
        w.repository.metadata.insert("2.root.json".into(), first);
    };
    let oversized = |w: &mut World| {
        w.next_root(|_| {});
        resize(w, "2.root.json", (512 << 10) + 1);
    };
    let threshold = |w: &mut World| w.next_root(|root| root["roles"]["root"]["threshold"] = 2.into());
    let role_gone = |w: &mut World| {
        w.next_root(|root| drop(root["roles"].as_object_mut().unwrap().remove("snapshot")));
    };
    check(
        "root.json",
        &[
            case(
                "changed byte",
                changed_byte,
                "2.root.json is rejected: signatures of the root role: 0 valid",
            ),
            case(
                "not signed by the old keys",
                strangers,
                "signatures of the root role: 0 valid, threshold is 1",
            ),
            case("not signed by the new keys", new_keys_silent, "signatures of the root role: 0 valid"),
            case("new threshold not met", threshold, "1 valid, threshold is 2"),
            case("version skipped", version_skipped, "2.root.json is rejected: version is 3, expected 2"),
            case("old version again", old_again, "2.root.json is rejected: version is 1, expected 2"),
            case("oversized", oversized, "2.root.json is rejected: file is longer than 524288 bytes"),
            case("a role without keys", role_gone, "field \"snapshot\" is not an object"),
        ],
    );
    let expired = |w: &mut World| w.next_root(|root| root["expires"] = day(1).to_string().into());
    check("timestamp.json", &[case("newest expired", expired, "root.json expired on")]);
}

#[test]
fn timestamp() {
    let missing = |w: &mut World| drop(w.repository.metadata.remove("timestamp.json"));
    let changed_byte = |w: &mut World| edit(w, "timestamp.json", "\"version\":1", "\"version\":9");
    let stranger = |w: &mut World| next_signed_by_a_stranger(w, Role::Timestamp);
    let snapshot_in_its_place = |w: &mut World| {
        let snapshot = w.repository.metadata["1.snapshot.json"].clone();
        w.repository.metadata.insert("timestamp.json".into(), snapshot);
    };
    let wrong_type = |w: &mut World| {
        w.timestamp["_type"] = "snapshot".into();
        w.publish_next();
    };
    let other_major = |w: &mut World| {
        w.timestamp["spec_version"] = "2.0.0".into();
        w.publish_next();
    };
    let threshold = |w: &mut World| {
        w.next_root(|root| root["roles"]["timestamp"]["threshold"] = 2.into());
        w.publish_next();
    };
    let one_key_two_ids = |w: &mut World| {
        w.next_root(|root| {
            let id = root["roles"]["timestamp"]["keyids"][0].as_str().unwrap().to_string();
            root["keys"]["twin"] = root["keys"][&id].clone();
            root["roles"]["timestamp"] = json!({"keyids": [id, "twin"], "threshold": 2});
        });
        w.publish_next();
        let key = &w.keys[&Role::Timestamp][0];
        let bytes = sign(&w.timestamp, &[(&key.public().fingerprint(), key), ("twin", key)]);
        w.repository.metadata.insert("timestamp.json".into(), bytes);
    };
    let rollback = |w: &mut World| {
        w.publish_next();
        w.refresh().unwrap();
        w.timestamp["version"] = 1.into();
        w.publish_timestamp();
    };
    let expired = |w: &mut World| w.clock.system = day(30);
    let member_twice =
        |w: &mut World| edit(w, "timestamp.json", "\"version\":1", "\"version\":1,\"version\":2");
    let oversized = |w: &mut World| resize(w, "timestamp.json", (64 << 10) + 1);
    let truncated = |w: &mut World| resize(w, "timestamp.json", 100);
    let signed_late = |w: &mut World| {
        w.timestamp["custom"]["signed_at"] = day(31).to_string().into();
        w.publish_next();
    };
    check(
        "timestamp.json",
        &[
            case("missing", missing, "timestamp.json is missing"),
            case("changed byte", changed_byte, "signatures of the timestamp role: 0 valid, threshold is 1"),
            case("signed by a stranger", stranger, "signatures of the timestamp role: 0 valid"),
            case("snapshot in its place", snapshot_in_its_place, "signatures of the timestamp role: 0 valid"),
            case("another role's words under the right key", wrong_type, "field \"_type\" is not timestamp"),
            case("another major specification", other_major, "specification version is 2.0.0, expected 1"),
            case("threshold not met", threshold, "1 valid, threshold is 2"),
            case("one key under two ids", one_key_two_ids, "1 valid, threshold is 2"),
            case("rollback", rollback, "timestamp.json is version 1, older than version 2"),
            case("expired", expired, "timestamp.json expired on"),
            case("member twice", member_twice, "timestamp.json is rejected: not strict JSON"),
            case("oversized", oversized, "longer than 65536 bytes"),
            case("truncated", truncated, "not strict JSON"),
            case("signed after its own expiry", signed_late, "is after expires 20"),
        ],
    );
}

#[test]
fn snapshot() {
    let missing = |w: &mut World| {
        w.publish_next();
        w.repository.metadata.remove("2.snapshot.json");
    };
    let changed_byte = |w: &mut World| {
        w.publish_next();
        edit(w, "2.snapshot.json", "snapshot", "snapshOt");
    };
    let shorter = |w: &mut World| {
        w.publish_next();
        resize(w, "2.snapshot.json", 10);
    };
    let longer = |w: &mut World| {
        w.publish_next();
        resize(w, "2.snapshot.json", 9999);
    };
    let stranger = |w: &mut World| next_signed_by_a_stranger(w, Role::Snapshot);
    let other_version = |w: &mut World| {
        w.publish_next();
        w.timestamp["meta"]["snapshot.json"]["version"] = 3.into();
        w.publish_timestamp();
        let second = w.repository.metadata["2.snapshot.json"].clone();
        w.repository.metadata.insert("3.snapshot.json".into(), second);
    };
    let no_targets = |w: &mut World| {
        w.publish_next();
        w.snapshot["meta"] = json!({});
        w.publish_snapshot();
    };
    let over_the_cap = |w: &mut World| {
        w.publish_next();
        resize(w, "2.snapshot.json", (4 << 20) + 1);
        w.timestamp["meta"]["snapshot.json"]["length"] = ((4 << 20) + 1).into();
        w.publish_timestamp();
    };
    let expired = |w: &mut World| {
        w.snapshot["expires"] = day(1).to_string().into();
        w.publish_next();
    };
    check(
        "snapshot.json",
        &[
            case("missing", missing, "2.snapshot.json is missing"),
            case("changed byte", changed_byte, "2.snapshot.json is rejected: SHA-256 is"),
            case("shorter", shorter, "length is 10, expected"),
            case("longer", longer, "2.snapshot.json is rejected: file is longer than"),
            case("signed by a stranger", stranger, "signatures of the snapshot role: 0 valid"),
            case(
                "other version than listed",
                other_version,
                "3.snapshot.json is rejected: version is 2, expected 3",
            ),
            case("no targets listed", no_targets, "2.snapshot.json is rejected: targets.json is not listed"),
            case("listed longer than the cap", over_the_cap, "file is longer than 4194304 bytes"),
            case("expired", expired, "snapshot.json expired on"),
        ],
    );
}

#[test]
fn what_was_listed_before_neither_disappears_nor_gets_older() {
    fn list(world: &mut World, extra: Option<u64>) {
        let meta = world.snapshot["meta"].as_object_mut().unwrap();
        match extra {
            Some(version) => drop(meta.insert("extra.json".into(), json!({"version": version}))),
            None => drop(meta.remove("extra.json")),
        }
        world.publish_next();
    }
    let in_the_timestamp = |w: &mut World| {
        w.publish_next();
        w.refresh().unwrap();
        w.timestamp["version"] = 3.into();
        w.timestamp["meta"]["snapshot.json"]["version"] = 1.into();
        w.publish_timestamp();
    };
    let targets = |w: &mut World| {
        w.publish_next();
        w.refresh().unwrap();
        w.version_up(|w| &mut w.snapshot);
        w.version_up(|w| &mut w.timestamp);
        w.targets["version"] = 1.into();
        w.publish();
    };
    let disappears = |w: &mut World| {
        list(w, Some(5));
        w.refresh().unwrap();
        list(w, None);
    };
    let delegated = |w: &mut World| {
        list(w, Some(5));
        w.refresh().unwrap();
        list(w, Some(4));
    };
    let in_the_timestamp = case(
        "snapshot",
        in_the_timestamp,
        "snapshot.json is version 1, older than version 2 which was seen before",
    );
    check("timestamp.json", &[in_the_timestamp]);
    check(
        "snapshot.json",
        &[
            case("targets", targets, "targets.json is version 1, older than version 2"),
            case("a role disappears", disappears, "3.snapshot.json is rejected: extra.json is not listed"),
            case("a delegated role", delegated, "extra.json is version 4, older than version 5"),
        ],
    );
}

#[test]
fn targets() {
    let missing = |w: &mut World| {
        w.publish_next();
        w.repository.metadata.remove("2.targets.json");
    };
    let changed_byte = |w: &mut World| {
        w.publish_next();
        edit(w, "2.targets.json", "targets", "tArgets");
    };
    let shorter = |w: &mut World| {
        w.publish_next();
        resize(w, "2.targets.json", 10);
    };
    let unattended_key = |w: &mut World| {
        w.targets["version"] = 2.into();
        let key = &w.keys[&Role::Snapshot][0];
        let bytes = sign(&w.targets, &[(&key.public().fingerprint(), key)]);
        list_targets(w, bytes);
    };
    let older_renamed = |w: &mut World| {
        let first = w.repository.metadata["1.targets.json"].clone();
        list_targets(w, first);
    };
    let expired = |w: &mut World| {
        w.targets["expires"] = day(0).to_string().into();
        w.publish_next();
    };
    let no_hash = |w: &mut World| {
        w.targets["targets"]["x"] = json!({"length": 1, "hashes": {}});
        w.publish_next();
    };
    let unknown_hash = |w: &mut World| {
        w.publish_next();
        w.snapshot["meta"]["targets.json"]["hashes"] = json!({"blake9": "00"});
        w.version_up(|w| &mut w.snapshot);
        w.version_up(|w| &mut w.timestamp);
        w.publish_snapshot();
    };
    let no_length = |w: &mut World| {
        w.targets["targets"]["x"] = json!({"hashes": {"sha256": "0".repeat(64)}});
        w.publish_next();
    };
    check(
        "targets.json",
        &[
            case("missing", missing, "2.targets.json is missing"),
            case("changed byte", changed_byte, "2.targets.json is rejected: SHA-256 is"),
            case("shorter", shorter, "length is 10, expected"),
            case("signed by an unattended key", unattended_key, "signatures of the targets role: 0 valid"),
            case(
                "older under a newer number",
                older_renamed,
                "2.targets.json is rejected: version is 1, expected 2",
            ),
            case("expired", expired, "targets.json expired on"),
            case("a target without a hash", no_hash, "field \"hashes\" is not one digest or more"),
            case(
                "listed by unknown hashes alone",
                unknown_hash,
                "2.targets.json is rejected: no hash of a known",
            ),
            case("a target without a length", no_length, "field \"length\" is not a length in bytes"),
        ],
    );
}

#[test]
fn a_damaged_trusted_root_is_rejected_and_not_replaced() {
    let damaged = |w: &mut World| w.store.save("root.json", b"{}").unwrap();
    check(
        "root.json",
        &[case("damaged", damaged, "root.json is rejected: field \"signatures\" is not an array")],
    );
}

use std::collections::BTreeMap;
use std::io::Read as _;

use keys::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::testing::{World, day, key_json, sign};
use crate::{DirectoryStore, ExpiryPolicy, refresh, refresh_with, role_file};

/// A world whose targets metadata delegates.
struct Tree {
    world: World,
    roles: BTreeMap<String, (SigningKey, Value)>,
}

impl Tree {
    fn new() -> Self {
        Self { world: World::new(), roles: BTreeMap::new() }
    }

    /// The signed part of a role.
    fn part(&mut self, role: &str) -> &mut Value {
        match role {
            "targets" => &mut self.world.targets,
            _ => &mut self.roles.get_mut(role).unwrap().1,
        }
    }

    /// `from` trusts `role` with everything, without being terminating, unless changed.
    fn delegate(&mut self, from: &str, role: &str, change: impl FnOnce(&mut Value)) {
        let (key, _) = self.roles.entry(role.into()).or_insert_with(|| {
            let signed = json!({"_type": "targets", "spec_version": "1.0.34", "version": 1,
                "expires": day(180).to_string(), "targets": {}});
            (SigningKey::generate(), signed)
        });
        let (id, key) = (key.public().fingerprint(), key_json(key));
        let mut delegated = json!({"name": role, "keyids": [id], "threshold": 1, "terminating": false, "paths": ["*", "*/*"]});
        change(&mut delegated);
        let delegations = &mut self.part(from)["delegations"];
        if delegations.is_null() {
            *delegations = json!({"keys": {}, "roles": []});
        }
        delegations["keys"][id] = key;
        delegations["roles"].as_array_mut().unwrap().push(delegated);
    }

    /// `role` approves a target with these bytes.
    fn approve(&mut self, role: &str, name: &str, bytes: &[u8]) {
        self.world.set_target(name, bytes);
        let target = self.world.targets["targets"].as_object_mut().unwrap().remove(name).unwrap();
        self.part(role)["targets"][name] = target;
    }

    fn publish(&mut self) {
        self.world.snapshot["meta"] = json!({});
        for (role, (key, signed)) in &self.roles {
            let bytes = sign(signed, &[(&key.public().fingerprint(), key)]);
            let version = signed["version"].as_u64().unwrap();
            let sha256 = hex::encode(Sha256::digest(&bytes));
            self.world.snapshot["meta"][format!("{role}.json")] =
                json!({"version": version, "length": bytes.len(), "hashes": {"sha256": sha256}});
            self.world.repository.metadata.insert(role_file::versioned(role, version, true), bytes);
        }
        self.world.publish_next();
    }

    /// The role that approved the target; the requests are only those of the search.
    fn find(&mut self, name: &str) -> Result<Option<String>, Error> {
        let trusted = self.world.refresh()?;
        self.world.repository.requests.clear();
        let World { store, repository, .. } = &mut self.world;
        let found = trusted.find(store, repository, &name.parse().unwrap())?;
        Ok(found.map(|found| found.role().to_string()))
    }

    /// Whom a search for a target that nobody approved asks, in order.
    fn order(&mut self) -> Vec<String> {
        self.publish();
        assert_eq!(self.find("none").unwrap(), None);
        let requests = self.world.repository.requests.iter();
        requests.map(|file| file.trim_start_matches("1.").trim_end_matches(".json").to_string()).collect()
    }

    /// What a search says that must fail.
    fn refused(&mut self) -> String {
        let error = self.find("none").unwrap_err();
        let reason = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", reason.unwrap_or_default())
    }
}

fn plain(_: &mut Value) {}

fn terminating(role: &mut Value) {
    role["terminating"] = true.into();
}

/// targets delegates to a and b, a to c and d.
fn family() -> Tree {
    let mut tree = Tree::new();
    for (from, role) in [("targets", "a"), ("targets", "b"), ("a", "c"), ("a", "d")] {
        tree.delegate(from, role, plain);
    }
    tree
}

#[test]
fn asks_in_pre_order_and_only_once() {
    assert_eq!(family().order(), ["a", "c", "d", "b"]);
    let mut cycle = family();
    cycle.delegate("d", "a", plain);
    cycle.delegate("b", "c", plain);
    assert_eq!(cycle.order(), ["a", "c", "d", "b"]);
    assert_eq!(cycle.find("none").unwrap(), None);
    assert_eq!(cycle.world.repository.requests, [""; 0], "all of it is stored now");
}

#[test]
fn a_terminating_role_ends_the_search_when_it_comes_back() {
    let mut tree = Tree::new();
    for (from, role, change) in [
        ("targets", "a", plain as fn(&mut Value)),
        ("targets", "z", plain),
        ("a", "b", terminating),
        ("a", "y", plain),
        ("b", "c", plain),
    ] {
        tree.delegate(from, role, change);
    }
    assert_eq!(tree.order(), ["a", "b", "c"]);
    let mut elsewhere = Tree::new();
    elsewhere.delegate("targets", "a", |role| {
        terminating(role);
        role["paths"] = json!(["other/*"]);
    });
    elsewhere.delegate("targets", "b", plain);
    assert_eq!(elsewhere.order(), ["b"], "a role that is not asked ends nothing");
}

#[test]
fn the_first_who_approves_is_believed_and_asked_no_further() {
    let mut tree = family();
    tree.approve("c", "x/f", b"of c");
    tree.approve("b", "x/f", b"of b, longer");
    tree.publish();
    assert_eq!(tree.find("x/f").unwrap().as_deref(), Some("c"));
    assert_eq!(tree.world.repository.requests, ["1.a.json", "1.c.json"]);
    let trusted = tree.world.refresh().unwrap();
    let World { store, repository, .. } = &mut tree.world;
    let found = trusted.find(store, repository, &"x/f".parse().unwrap()).unwrap().unwrap();
    let mut bytes = Vec::new();
    found.open(repository).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"of c");
    assert!(trusted.open(repository, "x/f").is_err(), "the top-level file does not list it");

    tree.approve("targets", "x/f", b"of targets");
    tree.part("targets")["targets"]["x/f"] = json!({"length": 1, "hashes": {"sha256": "0".repeat(64)}});
    tree.publish();
    assert_eq!(tree.find("x/f").unwrap().as_deref(), Some("targets"));
    assert_eq!(tree.world.repository.requests, [""; 0]);
}

#[test]
fn a_role_is_not_believed_beyond_its_paths() {
    let mut tree = Tree::new();
    tree.delegate("targets", "a", |role| role["paths"] = json!(["a/*"]));
    tree.delegate("targets", "bin", |role| {
        role.as_object_mut().unwrap().remove("paths");
        // the SHA-256 of "b/f" begins with another digit than that of "c/f"
        role["path_hash_prefixes"] = json!([&hex::encode(Sha256::digest("b/f"))[..2]]);
    });
    for name in ["a/f", "b/f", "c/f"] {
        tree.approve("a", name, b"x");
        tree.approve("bin", name, b"x");
    }
    tree.publish();
    assert_eq!(tree.find("a/f").unwrap().as_deref(), Some("a"));
    assert_eq!(tree.find("b/f").unwrap().as_deref(), Some("bin"));
    assert_eq!(tree.find("c/f").unwrap(), None);
}

#[test]
fn so_many_roles_are_visited_and_no_more() {
    let mut tree = Tree::new();
    for number in 0..40 {
        tree.delegate("targets", &format!("role-{number}"), plain);
    }
    tree.approve("role-31", "within", b"x");
    tree.approve("role-32", "beyond", b"x");
    assert_eq!(tree.order().len(), MAX_VISITS);
    assert_eq!(tree.find("within").unwrap().as_deref(), Some("role-31"));
    assert_eq!(tree.find("beyond").unwrap(), None);
}

#[test]
fn metadata_is_verified_by_whoever_leads_to_it_every_time() {
    let mut tree = Tree::new();
    tree.delegate("targets", "honest", |role| role["paths"] = json!(["h/*"]));
    tree.delegate("targets", "liar", |role| role["paths"] = json!(["l/*"]));
    tree.delegate("honest", "shared", plain);
    // the same role, trusted by the other with a key that did not sign
    tree.delegate("liar", "shared", plain);
    let stranger = SigningKey::generate();
    let keys = &mut tree.part("liar")["delegations"]["keys"];
    keys.as_object_mut().unwrap().values_mut().for_each(|key| *key = key_json(&stranger));
    tree.approve("shared", "h/f", b"x");
    tree.approve("shared", "l/f", b"x");
    tree.publish();
    assert_eq!(tree.find("h/f").unwrap().as_deref(), Some("shared"));
    let error = tree.find("l/f").unwrap_err();
    let Error::Rejected { file, reason: Rejection::Threshold { role, valid: 0, .. } } = error else {
        panic!("{error}")
    };
    assert_eq!((file.as_str(), role.as_str()), ("1.shared.json", "shared"));
}

/// What is changed since it was published, and what the search says.
type Case = (&'static str, fn(&mut Tree), &'static str);

#[test]
fn delegated_metadata_is_held_to_what_the_snapshot_lists() {
    let cases: [Case; 6] = [
        ("missing", |t| drop(t.world.repository.metadata.remove("1.a.json")), "1.a.json is missing"),
        ("longer", |t| t.world.repository.metadata.get_mut("1.a.json").unwrap().push(b' '), "longer than"),
        (
            "other bytes",
            |t| *t.world.repository.metadata.get_mut("1.a.json").unwrap().last_mut().unwrap() = b' ',
            "1.a.json is rejected: SHA-256 is",
        ),
        (
            "not listed",
            |t| {
                t.world.snapshot["meta"].as_object_mut().unwrap().remove("a.json");
                t.world.version_up(|world| &mut world.snapshot);
                t.world.version_up(|world| &mut world.timestamp);
                t.world.publish();
            },
            "a.json is not listed",
        ),
        (
            "another version",
            |t| {
                let bytes = t.world.repository.metadata["1.a.json"].clone();
                t.world.repository.metadata.insert("2.a.json".into(), bytes);
                t.world.snapshot["meta"]["a.json"] = json!({"version": 2});
                t.world.publish_next();
            },
            "version is 1, expected 2",
        ),
        (
            "expired",
            |t| {
                t.part("a")["expires"] = day(0).to_string().into();
                t.publish();
            },
            "a.json expired on",
        ),
    ];
    for (name, change, says) in cases {
        let mut tree = family();
        tree.publish();
        change(&mut tree);
        let message = tree.refused();
        assert!(message.contains(says), "{name}: {message}");
        assert_eq!(tree.world.store.load("a.json", 1 << 20).unwrap(), None, "{name}");
    }
}

#[test]
fn a_role_older_than_before_is_a_rollback() {
    let mut tree = family();
    tree.part("a")["version"] = 2.into();
    tree.publish();
    tree.find("none").unwrap();
    tree.part("a")["version"] = 1.into();
    tree.publish();
    assert!(tree.refused().contains("a.json is version 1, older than version 2"));
}

#[test]
fn hostile_names_stay_in_the_store_and_nothing_else_joins_them() {
    let names = ["../x", ".", "..", "a/../b", "?", "#", "\0", "é", "%2e"];
    let mut tree = Tree::new();
    for name in names {
        tree.delegate("targets", name, plain);
    }
    tree.publish();
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("trusted");
    std::fs::create_dir(&directory).unwrap();
    let mut store = DirectoryStore::new(&directory);
    store.save("root.json", &tree.world.root_bytes(1)).unwrap();
    let World { repository, clock, .. } = &mut tree.world;
    let trusted = refresh(&mut store, repository, *clock).unwrap();
    assert!(trusted.find(&mut store, repository, &"none".parse().unwrap()).unwrap().is_none());
    let listed = |path: &std::path::Path| -> BTreeSet<String> {
        let entries = std::fs::read_dir(path).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(listed(parent.path()), BTreeSet::from(["trusted".to_string()]));
    let top_level = ["root", "timestamp", "snapshot", "targets"].into_iter();
    let mut expected: BTreeSet<_> = top_level.chain(names).map(role_file::plain).collect();
    for name in names {
        let kept = store.load(&role_file::plain(name), 1 << 20).unwrap().unwrap();
        assert_eq!(kept, repository.metadata[&role_file::versioned(name, 1, true)], "{name:?}");
    }
    expected.insert("clock-floor".into());
    assert_eq!(listed(&directory), expected);
}

#[test]
fn hostile_names_are_shown_without_their_control_characters() {
    let mut tree = Tree::new();
    tree.delegate("targets", "\u{1b}[2J", plain);
    tree.roles.get_mut("\u{1b}[2J").unwrap().0 = SigningKey::generate();
    tree.publish();
    assert!(tree.refused().contains(r"signatures of the \u{1b}[2J role"));
}

#[test]
fn a_stored_copy_is_checked_like_a_fresh_one() {
    let mut tree = family();
    tree.publish();
    tree.find("none").unwrap();
    for damaged in [&b"damaged"[..], &tree.world.repository.metadata["1.b.json"].clone()] {
        tree.world.store.save("a.json", damaged).unwrap();
        tree.find("none").unwrap();
        assert_eq!(tree.world.repository.requests, ["1.a.json"]);
    }
}

#[test]
fn expired_delegated_metadata_can_be_accepted_and_is_listed() {
    let mut tree = family();
    tree.part("a")["expires"] = day(0).to_string().into();
    tree.approve("a", "f", b"x");
    tree.publish();
    let World { store, repository, clock, .. } = &mut tree.world;
    let trusted = refresh_with(store, repository, *clock, ExpiryPolicy::AcceptExpired).unwrap();
    let found = trusted.find(store, repository, &"f".parse().unwrap()).unwrap().unwrap();
    assert_eq!(found.forgiven(), [Forgiven { file: "a.json".into(), expires: day(0) }]);
    assert_eq!(trusted.forgiven(), []);
}

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::Read;
use std::sync::OnceLock;

use jiff::Timestamp;
use keys::SigningKey;
use serde_json::{Value, json};
use tuf_client::{
    Clock, Error, FetchError, MemoryStore, Repository, Root, Snapshot, TargetName, Targets, TrustedMetadata,
    Verified, canonical, refresh,
};

/// Stands for the one key, in hexadecimal: it is made here, so that none is in the corpus.
const KEY: &str = "@KEY@";
const TIME: &str = "2030-01-01T00:00:00Z";

/// The first byte names the role: `r` the next root, `t` timestamp, `s` snapshot, `T` targets, `d` every
/// delegated role. The rest is its signed part, which is signed, put beside good metadata of the other
/// roles, and taken through the whole workflow. Anything else is taken for an envelope of every role.
pub fn metadata(data: &[u8]) {
    let Some((role, rest)) = data.split_first() else { return };
    let file = match role {
        b'r' => "2.root.json",
        b't' => "timestamp.json",
        b's' => "snapshot.json",
        b'T' => "targets.json",
        b'd' => "",
        _ => return envelope(data),
    };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let text = text.replace(KEY, &good().key.public().to_string());
    let Ok(signed) = serde_json::from_str::<Value>(&text) else { return envelope(rest) };
    let Some(offered) = sign(&signed) else { return };
    workflow(&mut Offered { file, offered });
}

/// No envelope but ours is signed by the key.
fn envelope(bytes: &[u8]) {
    let root = &good().root;
    assert!(root.verify::<tuf_client::Timestamp>(bytes).is_err());
    assert!(root.verify::<Snapshot>(bytes).is_err());
    assert!(root.verify::<Targets>(bytes).is_err());
    assert!(root.successor(bytes).is_err());
    if let Ok(root) = Verified::<Root>::self_signed(bytes) {
        assert!(root.version() > 0 && root.bytes() == bytes);
    }
}

fn workflow(repository: &mut Offered) {
    let clock = Clock { system: "2026-01-01T00:00:00Z".parse().unwrap(), build: Timestamp::UNIX_EPOCH };
    let mut store = MemoryStore::trusting(&good().root);
    let first = refresh(&mut store, repository, clock);
    let second = refresh(&mut store, repository, clock);
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(versions(&first), versions(&second));
            usable(&first, &mut store, repository);
        }
        (Err(first), Err(_)) => readable(&first),
        (first, second) => panic!("first {first:?}, then {second:?}"),
    }
}

fn versions(trusted: &TrustedMetadata) -> [u64; 4] {
    [
        trusted.root().version(),
        trusted.timestamp().version(),
        trusted.snapshot().version(),
        trusted.targets().version(),
    ]
}

fn usable(trusted: &TrustedMetadata, store: &mut MemoryStore, repository: &mut Offered) {
    assert!(trusted.good_until() > trusted.start().now());
    assert!(
        trusted.timestamp().signed_at().is_none_or(|signed_at| signed_at <= trusted.timestamp().expires())
    );
    let listed = trusted.targets().targets().keys().take(4).cloned();
    let names: Vec<TargetName> = listed.chain(["a/1", "b", "c"].map(|name| name.parse().unwrap())).collect();
    for name in names {
        match trusted.find(store, repository, &name) {
            Ok(Some(found)) => {
                assert_eq!(found.name(), &name);
                // there are no files: what can be opened is not carried
                assert!(found.open(repository).is_err());
            }
            Ok(None) => assert!(trusted.targets().target(name.as_str()).is_none()),
            Err(error) => readable(&error),
        }
    }
}

/// A message is short enough to be read, and steers no terminal.
fn readable(error: &Error) {
    let message = format!("{error} {}", error.source().map(ToString::to_string).unwrap_or_default());
    assert!(message.len() < 4000, "{} bytes", message.len());
    assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{message:?}");
}

struct Good {
    key: SigningKey,
    root: Verified<Root>,
    files: BTreeMap<&'static str, Vec<u8>>,
}

fn sign_with(key: &SigningKey, signed: &Value) -> Option<Vec<u8>> {
    let signature = key.sign(&canonical::encode(signed).ok()?).to_string();
    Some(json!({"signatures": [{"keyid": "k", "sig": signature}], "signed": signed}).to_string().into_bytes())
}

fn sign(signed: &Value) -> Option<Vec<u8>> {
    sign_with(&good().key, signed)
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let key = SigningKey::generate();
        let signed = |kind: &str, more: Value| {
            let mut signed = json!({"_type": kind, "spec_version": "1.0.34", "version": 1, "expires": TIME});
            signed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            sign_with(&key, &signed).unwrap()
        };
        let (role, one) = (json!({"keyids": ["k"], "threshold": 1}), json!({"version": 1}));
        let keys = json!({"k": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.public().to_string()}}});
        let roles = json!({"root": role, "timestamp": role, "snapshot": role, "targets": role});
        let delegated = |name: &str, paths: Value| json!({"name": name, "keyids": ["k"], "threshold": 1, "terminating": false, "paths": paths});
        let delegations = [delegated("a", json!(["a/*"])), delegated("../b", json!(["*"]))];
        let root = signed("root", json!({"consistent_snapshot": true, "keys": keys, "roles": roles}));
        let files = [
            ("timestamp.json", signed("timestamp", json!({"meta": {"snapshot.json": one}}))),
            ("snapshot.json", signed("snapshot", json!({"meta": {"targets.json": one, "a.json": one, "../b.json": one}}))),
            ("targets.json", signed("targets", json!({"targets": {}, "delegations": {"keys": keys, "roles": delegations}}))),
        ];
        let root = Verified::self_signed(&root).unwrap();
        Good { root, files: files.into(), key }
    })
}

/// Good metadata, but for one file.
struct Offered {
    file: &'static str,
    offered: Vec<u8>,
}

impl Repository for Offered {
    fn metadata(&mut self, name: &str, _cap: u64) -> Result<Option<Vec<u8>>, FetchError> {
        assert!(!name.contains(['/', '\\', '\0']) && name.len() <= 255, "{name:?}");
        let known =
            |file: &str| name == file || name.strip_suffix(file).is_some_and(|rest| rest.ends_with('.'));
        let file = good().files.iter().find(|(file, _)| known(file));
        Ok(match file {
            _ if !self.file.is_empty() && known(self.file) => Some(self.offered.clone()),
            Some((_, bytes)) => Some(bytes.clone()),
            None if self.file.is_empty() && !name.ends_with("root.json") => Some(self.offered.clone()),
            None => None,
        })
    }

    fn target<'a>(&'a mut self, path: &str) -> Result<Option<Box<dyn Read + 'a>>, FetchError> {
        assert!(
            !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | "..")),
            "{path:?}"
        );
        Ok(None)
    }
}

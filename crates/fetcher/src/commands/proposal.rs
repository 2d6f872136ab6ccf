//! What a signing event proposes, in words: what a person looks at before signing it.

use std::collections::BTreeSet;

use firmware::{Model, Release};
use keys::PublicKey;
use serde::Deserialize;
use serde_json::Value;
use tuf_client::Role;
use tuf_repository::{Roles, SigningEvent};

use crate::context::Context;

/// Prints it, line by line.
pub(super) fn tell(event: &SigningEvent, context: &Context) {
    for line in lines(event) {
        context.output.data(line);
    }
}

fn lines(event: &SigningEvent) -> Vec<String> {
    let (root, targets) = event.current();
    let mut lines = vec![format!("over root version {}, fingerprint {}", root.version(), root.sha256())];
    if let Some(next) = event.next_root() {
        lines.push(format!("root version {}, good until {}", next.version(), day(next.signed())));
        let before = lines.len();
        for role in Role::ALL {
            lines.extend(role_changes(role, &Roles::of(root), &event.roles()));
        }
        if lines.len() == before {
            lines.push("  keys and thresholds stay as they are".into());
        }
    }
    if let Some(next) = event.next_targets() {
        lines.push(format!("targets version {}, good until {}", next.version(), day(next.signed())));
        let current = serde_json::from_slice::<Value>(targets.bytes()).unwrap_or_default();
        lines.extend(target_changes(&current["signed"]["targets"], &next.signed()["targets"]));
    }
    lines
}

fn day(signed: &Value) -> String {
    let expires = signed["expires"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    expires.map_or_else(|| "no date".into(), |expires| expires.strftime("%F").to_string())
}

fn role_changes(role: Role, before: &Roles, after: &Roles) -> Vec<String> {
    let (before, after) = (before.signers(role), after.signers(role));
    let mut lines = Vec::new();
    let only = |some: &[PublicKey], others: &[PublicKey]| {
        some.iter().filter(|key| !others.contains(key)).map(PublicKey::fingerprint).collect::<Vec<_>>()
    };
    lines.extend(
        only(&before.keys, &after.keys).iter().map(|key| format!("  - {role:<9} key {key} is removed")),
    );
    lines.extend(
        only(&after.keys, &before.keys).iter().map(|key| format!("  + {role:<9} key {key} is added")),
    );
    if before.threshold != after.threshold {
        let (keys, from, to) = (after.keys.len(), before.threshold, after.threshold);
        lines.push(format!("  ~ {role:<9} {to} of {keys} keys must sign, {from} before"));
    }
    lines
}

fn target_changes(before: &Value, after: &Value) -> Vec<String> {
    let names = |list: &Value| {
        list.as_object().into_iter().flat_map(|list| list.keys().cloned()).collect::<BTreeSet<String>>()
    };
    let mut unchanged = 0;
    let mut lines = Vec::new();
    for name in names(before).union(&names(after)) {
        let (old, new) = (&before[name], &after[name]);
        match (old.is_null(), new.is_null()) {
            (true, _) => lines.push(format!("  + {}", described(name, new))),
            (_, true) => lines.push(format!("  - {} is withdrawn", shown(name))),
            _ if old != new => lines.push(format!("  ~ {}", described(name, new))),
            _ => unchanged += 1,
        }
    }
    lines.push(format!("  = {unchanged} as before"));
    lines
}

/// A target as it would be signed. Names and texts may be anything.
fn described(name: &str, target: &Value) -> String {
    let (length, sha256) = (&target["length"], target["hashes"]["sha256"].as_str().unwrap_or("none"));
    let file = format!("{length} bytes, SHA-256 {}", shown(sha256));
    match Release::deserialize(&target["custom"]["release"]) {
        Ok(release) => {
            let models: Vec<&str> = release.models.iter().map(Model::as_str).collect();
            format!("{}  {}, {file}, for {}", release.id, release.revision, models.join(" "))
        }
        Err(_) => format!("{}  {file}", shown(name)),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use keys::SigningKey;
    use serde_json::{Map, json};
    use tuf_repository::{Signers, TargetsDraft};

    use super::*;
    use crate::publication::Publication;
    use crate::publish::tests::{keys, now, publication};

    fn event(published: &Publication) -> SigningEvent {
        SigningEvent::over(published.root().clone(), published.current().targets.clone())
    }

    #[test]
    fn a_root_is_told_by_what_changes() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys();
        let published = publication(dir.path(), &keys);
        let mut event = event(&published);
        let mut roles = Roles::of(published.root());
        event.propose_root(&roles, now()).unwrap();
        assert!(lines(&event)[2].contains("stay as they are"));
        let kim = SigningKey::generate();
        roles.targets.keys.push(kim.public());
        roles.targets.threshold = 2;
        roles.timestamp = Signers::one(kim.public());
        assert!(event.propose_root(&roles, now()).is_err(), "an unattended key never approves");
        let new = SigningKey::generate();
        roles.timestamp = Signers::one(new.public());
        event.propose_root(&roles, now()).unwrap();
        let fingerprint = |key: &SigningKey| key.public().fingerprint();
        assert_eq!(
            lines(&event)[1..],
            [
                "root version 2, good until 2026-11-22".to_string(),
                format!("  - timestamp key {} is removed", fingerprint(&keys.online.timestamp)),
                format!("  + timestamp key {} is added", fingerprint(&new)),
                format!("  + targets   key {} is added", fingerprint(&kim)),
                "  ~ targets   2 of 2 keys must sign, 1 before".into(),
            ]
        );
    }

    #[test]
    fn a_list_is_told_by_what_changes_and_hostile_text_is_escaped() {
        let dir = tempfile::tempdir().unwrap();
        let published = publication(dir.path(), &keys());
        let mut event = event(&published);
        let mut draft = TargetsDraft::after(published.current().targets.clone());
        let release = json!({"id": "nvr-k51-4.61.025-230421", "family": "nvr", "models": ["DS-7608NI-I2"],
            "version": "V4.61.025", "build": "230421", "sources": ["x"]});
        let custom = Map::from_iter([("release".to_string(), release)]);
        draft.insert("nvr-k51-4.61.025-230421/digicap.dav".parse().unwrap(), 7, &[1; 32], &custom);
        draft.insert("a\u{202e}b".parse().unwrap(), 7, &[1; 32], &Map::new());
        event.propose_targets(&draft, now()).unwrap();
        let lines = lines(&event);
        assert_eq!(lines[1], "targets version 2, good until 2026-11-22");
        assert!(lines[2].starts_with("  + a\\u{202e}b  7 bytes, SHA-256 0101"), "{}", lines[2]);
        assert!(lines[3].starts_with("  + nvr-k51-4.61.025-230421  V4.61.025 build 230421, 7 bytes"));
        assert!(lines[3].ends_with("for DS-7608NI-I2") && lines[4] == "  = 0 as before");
    }
}

//! What a signing event proposes, in words: what a person looks at before signing it.

use std::collections::{BTreeMap, BTreeSet};

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
            (true, _) => {
                lines.push(format!("  + {}", described(name, new)));
                lines.extend(differing(old, new).filter(|(fact, ..)| is_a_limit(fact)).map(fact_line));
            }
            (_, true) => lines.push(format!("  - {} is withdrawn", shown(name))),
            _ if old != new => {
                lines.push(format!("  ~ {}", described(name, new)));
                lines.extend(differing(old, new).map(fact_line));
            }
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
        Ok(release) if release.target_name() == name => {
            let models: Vec<&str> = release.models.iter().map(Model::as_str).collect();
            format!("{}  {}, {file}, for {}", release.id, release.revision, models.join(" "))
        }
        _ => format!("{}  {file}", shown(name)),
    }
}

/// All that is said about a target, by name: its length, its hashes, and each fact about its release.
fn facts(target: &Value) -> BTreeMap<String, Value> {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let custom = members(&target["custom"]).into_iter().filter(|(name, _)| name != "release");
    let all = members(target).into_iter().filter(|(name, _)| name != "custom").chain(custom);
    all.chain(members(&target["custom"]["release"])).collect()
}

/// The facts that differ: name, now, before.
fn differing(old: &Value, new: &Value) -> impl Iterator<Item = (String, Value, Value)> {
    let (mut before, now) = (facts(old), facts(new));
    let mut differing = Vec::new();
    for (name, value) in now {
        let was = before.remove(&name).unwrap_or_default();
        if was != value {
            differing.push((name, value, was));
        }
    }
    differing.extend(before.into_iter().map(|(name, was)| (name, Value::Null, was)));
    differing.into_iter()
}

/// Whether a fact says where a release may go, beyond what describes it.
fn is_a_limit(fact: &str) -> bool {
    !matches!(
        fact,
        "length"
            | "hashes"
            | "format"
            | "kind"
            | "id"
            | "family"
            | "models"
            | "version"
            | "build"
            | "sources"
            | "url"
            | "page"
            | "notes"
    )
}

fn fact_line((name, now, before): (String, Value, Value)) -> String {
    let word = |value: Value| if value.is_null() { "none".into() } else { shown(&value.to_string()) };
    let was = if before.is_null() { String::new() } else { format!("  (before: {})", word(before)) };
    format!("      {}: {}{was}", shown(&name), word(now))
}

/// Quotes stay, since JSON is full of them.
fn escaped(c: char) -> String {
    if matches!(c, '"' | '\'') { c.to_string() } else { c.escape_debug().to_string() }
}

/// As it may stand on a terminal; what is cut is seen to be.
fn shown(text: &str) -> String {
    const MOST: usize = 2000;
    let mut shown: String = text.chars().take(MOST).map(escaped).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
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

    #[test]
    fn what_limits_a_release_and_what_changes_about_it_is_told() {
        let target = |release: Value, more: Value| {
            let mut custom = json!({"format": 1, "release": release});
            custom.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"length": 7, "hashes": {"sha256": "00"}, "custom": custom})
        };
        let release = json!({"id": "nvr-k51-4.61.025-230421", "family": "nvr", "models": ["DS-7608NI-I2"],
            "version": "V4.61.025", "build": "230421", "sources": ["x"], "region": "EU",
            "no_downgrade_below": "V4.0.0"});
        let name = "nvr-k51-4.61.025-230421/digicap.dav";
        let before = json!({name: target(release.clone(), json!({}))});
        let added = target_changes(&json!({}), &before);
        assert_eq!(
            added[1..],
            ["      no_downgrade_below: \"V4.0.0\"", "      region: \"EU\"", "  = 0 as before"]
        );

        let mut looser = release.clone();
        looser.as_object_mut().unwrap().remove("no_downgrade_below");
        looser["models"] = json!(["DS-7608NI-I2", "\u{202e}"]);
        let after = json!({name: target(looser, json!({"later": 1}))});
        assert_eq!(
            target_changes(&before, &after)[1..],
            [
                "      later: 1",
                "      models: [\"DS-7608NI-I2\",\"\\u{202e}\"]  (before: [\"DS-7608NI-I2\"])",
                "      no_downgrade_below: none  (before: \"V4.0.0\")",
                "  = 0 as before"
            ]
        );

        // facts about another release than the one that is named
        let strange = json!({"other/digicap.dav": target(release, json!({}))});
        assert!(target_changes(&json!({}), &strange)[0].starts_with("  + other/digicap.dav  7 bytes"));
    }
}

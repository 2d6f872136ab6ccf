//! The same facts give the same digest, in whatever order they come; another fact gives another.

use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Everything that a plan is made of.
#[derive(Clone)]
struct Facts {
    inventory: Inventory,
    listed: Vec<Listed>,
    policy: (Policy, Sha256Digest),
    advisories: (AdvisoryTable, Sha256Digest),
    options: Options,
    now: Timestamp,
}

fn table(ids: &[&str]) -> AdvisoryTable {
    let rows = json!([{"product": "all", "models": "^DS-7608NI", "build_before": "210101"}]);
    let advisories: Vec<_> = ids.iter().map(|id| json!({"id": id, "title": id, "affected": rows})).collect();
    serde_json::from_value(json!({"collected": "2026-11-22", "advisories": advisories})).unwrap()
}

fn facts() -> Facts {
    let mut far = listed("far", "V5.02.000 build 240101");
    far.release.via = vec!["step".parse().unwrap()];
    let mut other_model = listed("other-model", "V9.0.0 build 250101");
    other_model.release.models = vec!["DS-1X".parse().unwrap()];
    Facts {
        inventory: recorder(),
        listed: vec![
            far,
            listed("step", "V4.61.025 build 230421"),
            listed("old", "V4.20.000 build 190101"),
            other_model,
        ],
        policy: (Policy::default(), Sha256Digest::of(b"policy")),
        advisories: (table(&["A-1", "A-2", "A-3"]), Sha256Digest::of(b"advisories")),
        options: Options::default(),
        now: now(),
    }
}

impl Facts {
    fn digest(&self) -> Sha256Digest {
        let (policy, advisories) = ((&self.policy.0, self.policy.1), (&self.advisories.0, self.advisories.1));
        let directives = Directives { policy: Some(policy), advisories: Some(advisories) };
        let at_hand = at_hand(&self.listed);
        match plan(&self.inventory, &self.listed, &at_hand, &directives, &self.options, self.now) {
            Decision::Push(plan) => plan.digest().unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn order_does_not_matter(
        listed in Just(facts().listed).prop_shuffle(),
        ids in Just(["A-1", "A-2", "A-3"]).prop_shuffle(),
        minute in 0i64..600,
    ) {
        let mut shuffled = facts();
        shuffled.listed = listed;
        shuffled.advisories.0 = table(&ids);
        shuffled.now += jiff::SignedDuration::from_mins(minute);
        prop_assert_eq!(shuffled.digest(), facts().digest());
    }
}

#[test]
fn each_fact_that_matters_changes_the_digest() {
    type Change = fn(&mut Facts);
    let changes: &[(&str, Change)] = &[
        ("address", |f| f.inventory.address = "127.0.0.1:81".parse().unwrap()),
        ("serial", |f| f.inventory.device.serial = "X1".parse().unwrap()),
        ("what runs", |f| f.inventory.device.revision = "V4.30.098 build 200101".parse().unwrap()),
        ("its build", |f| f.inventory.device.revision = "V4.30.097 build 200102".parse().unwrap()),
        ("disks unread", |f| f.inventory.disks = None),
        ("users unread", |f| f.inventory.online_users = None),
        ("upgrades unread", |f| f.inventory.upgrade = None),
        ("clock unread", |f| f.inventory.time = None),
        ("clock off", |f| f.now += jiff::SignedDuration::from_hours(24 * 30)),
        ("something unread", |f| f.inventory.unread.push(because("/x"))),
        ("the file of a step", |f| f.listed[1].target.sha256 = Sha256Digest::of(b"x")),
        ("the file of the last", |f| f.listed[0].target.sha256 = Sha256Digest::of(b"x")),
        ("its size", |f| f.listed[0].target.length += 1),
        ("no step in between", |f| f.listed[0].release.via.clear()),
        ("a warning", |f| f.listed[1].release.warnings.push("read the notes".into())),
        ("a brand", |f| f.listed[1].release.oem = Some("Other".into())),
        ("a newer release", |f| f.listed.push(listed("newest", "V5.03.000 build 250101"))),
        ("region", |f| f.options.region = Some("EU".into())),
        ("policy", |f| f.policy.1 = Sha256Digest::of(b"x")),
        ("advisories", |f| f.advisories.1 = Sha256Digest::of(b"x")),
        ("an advisory less", |f| f.advisories.0 = table(&["A-1", "A-2"])),
        ("an override", |f| f.options.plain_http = Some(because("old device"))),
        ("its reason", |f| f.options.plain_http = Some(because("known"))),
    ];
    let mut digests = vec![("nothing", facts().digest())];
    for (what, change) in changes {
        let mut other = facts();
        change(&mut other);
        let digest = other.digest();
        if let Some((same, _)) = digests.iter().find(|(_, known)| *known == digest) {
            panic!("{what} gives the digest of {same}");
        }
        digests.push((what, digest));
    }
}

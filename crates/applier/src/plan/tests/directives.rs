//! What the approvers signed beside the releases.

use firmware::advisory::{AdvisoryTable, Outcome};
use firmware::policy::{OverrideFlag, Policy};
use serde_json::json;

use super::*;

fn digest(text: &str) -> Sha256Digest {
    Sha256Digest::of(text.as_bytes())
}

fn by(policy: &Policy, inventory: &Inventory, listed: &[Listed], options: &Options) -> Decision {
    let directives = Directives { policy: Some((policy, digest("policy"))), advisories: None };
    plan(inventory, listed, Some(&Container::B), &directives, options, now())
}

fn refused(
    policy: &Policy,
    inventory: &Inventory,
    listed: &[Listed],
    options: &Options,
) -> Vec<&'static str> {
    match by(policy, inventory, listed, options) {
        Decision::Refused(refusals) => refusals.iter().map(Refusal::code).collect(),
        other => panic!("{other:?}"),
    }
}

fn forbidding(flag: OverrideFlag) -> Policy {
    Policy { forbidden_overrides: [flag].into(), ..Policy::default() }
}

#[test]
fn a_forbidden_override_is_refused_and_lifts_nothing() {
    let reason = || Some(because("it is fine"));
    let all = Options {
        allow_downgrade: reason(),
        allow_disk_errors: reason(),
        allow_logged_in: reason(),
        push_again: reason(),
        ..Options::default()
    };
    let back = [listed("back", "V4.29.000 build 190101")];
    let mut unfit = recorder();
    unfit.disks = serde_json::from_str(r#"[{"id":"5","status":"error"}]"#).unwrap();
    unfit.online_users = serde_json::from_str(r#"[{"name":"kim"}]"#).unwrap();
    assert!(matches!(by(&Policy::default(), &unfit, &back, &all), Decision::Push(_)));
    for (flag, codes) in [
        (OverrideFlag::AllowDowngrade, ["policy-forbids", "older"].as_slice()),
        (OverrideFlag::AllowDiskErrors, &["disk-error", "policy-forbids"]),
        (OverrideFlag::AllowLoggedIn, &["logged-in", "policy-forbids"]),
        (OverrideFlag::PushAgain, &["policy-forbids"]),
    ] {
        assert_eq!(refused(&forbidding(flag), &unfit, &back, &all), codes, "{flag}");
    }
    // one that is not given, or not by this depot, changes nothing
    let new = [listed("new", "V4.61.025 build 230421")];
    let forbidden = forbidding(OverrideFlag::AllowDowngrade);
    assert!(matches!(by(&forbidden, &recorder(), &new, &Options::default()), Decision::Push(_)));
    assert!(matches!(by(&forbidding(OverrideFlag::PlainHttp), &unfit, &back, &all), Decision::Push(_)));
}

#[test]
fn the_minimum_version_is_that_of_exactly_this_model() {
    let minimum = |model: &str, version: &str| Policy {
        minimum_versions: [(model.parse().unwrap(), version.parse().unwrap())].into(),
        ..Policy::default()
    };
    let releases = [listed("new", "V4.61.025 build 230421")];
    let of = |policy: &Policy| by(policy, &recorder(), &releases, &Options::default());
    let Decision::Refused(found) = of(&minimum("ds-7608ni-i2", "V4.61.026")) else { panic!() };
    assert_eq!(
        found[0].to_string(),
        "policy: release new has version V4.61.025; the depot's signed policy.json allows nothing below V4.61.026 on DS-7608NI-I2"
    );
    assert!(matches!(of(&minimum(M, "V4.61.025")), Decision::Push(_)));
    assert!(matches!(of(&minimum("DS-7608NI-I2/8P", "V9.0.0")), Decision::Push(_)));
}

#[test]
fn a_backup_that_is_required_is_taken_and_refuses_to_go_without() {
    let policy = Policy { backup_required: true, ..Policy::default() };
    let releases = [listed("new", "V4.61.025 build 230421")];
    let Decision::Push(plan) = by(&policy, &recorder(), &releases, &Options::default()) else { panic!() };
    assert!(plan.takes_backup());
    let without = Options { no_backup: Some(Text::cleaned("no room")), ..Options::default() };
    assert_eq!(refused(&policy, &recorder(), &releases, &without), ["policy-backup"]);
    // it is told together with everything else
    assert_eq!(refused(&policy, &recorder(), &[], &without), ["no-release", "policy-backup"]);
    let current = [listed("same", "V4.30.097 build 200101")];
    let decision = by(&policy, &recorder(), &current, &without);
    assert!(matches!(decision, Decision::AlreadyCurrent(_)), "nothing is pushed, so nothing is asked");
}

#[test]
fn a_code_is_the_tag_of_the_json() {
    for refusal in [
        Refusal::PolicyForbids { flag: OverrideFlag::PushAgain },
        Refusal::PolicyBackup,
        Refusal::PolicyMinimum {
            id: "a".parse().unwrap(),
            model: M.parse().unwrap(),
            to: "V4.1.0".parse().unwrap(),
            minimum: "V4.2.0".parse().unwrap(),
        },
    ] {
        assert_eq!(serde_json::to_value(&refusal).unwrap()["refusal"], refusal.code());
        assert!(refusal.to_string().contains("policy.json") && !refusal.hint().is_empty());
    }
}

#[test]
fn what_was_signed_is_part_of_what_a_person_agrees_to() {
    let releases = [listed("new", "V4.61.025 build 230421")];
    let rows = json!([{"product": "all", "models": "^DS-7608NI", "build_before": "210101"}]);
    let table =
        json!({"collected": "2026-11-22", "advisories": [{"id": "A-1", "title": "t", "affected": rows}]});
    let (policy, table): (_, AdvisoryTable) = (Policy::default(), serde_json::from_value(table).unwrap());
    let planned = |directives: Directives<'_>| {
        let options = Options::default();
        match plan(&recorder(), &releases, Some(&Container::B), &directives, &options, now()) {
            Decision::Push(plan) => *plan,
            other => panic!("{other:?}"),
        }
    };
    let none = planned(Directives::default());
    assert!(
        none.notes
            .iter()
            .any(|note| note.starts_with("no policy is signed in this publication, so the defaults"))
    );
    assert!(none.notes.iter().any(|note| note.starts_with("no advisories are signed")));
    let signed = |policy_digest: &str, table_digest: &str| {
        planned(Directives {
            policy: Some((&policy, digest(policy_digest))),
            advisories: Some((&table, digest(table_digest))),
        })
    };
    let both = signed("p", "a");
    assert_eq!((both.policy, both.advisories), (Some(digest("p")), Some(digest("a"))));
    assert_eq!(both.effect.as_ref().unwrap().changes[0].outcome, Outcome::Closed);
    assert!(both.notes.contains(&"A-1 closed: t; matched all".to_owned()), "{:?}", both.notes);
    assert!(both.notes.iter().any(|note| note.contains("no match in this table (2026-11-22)")));
    assert!(both.checks.contains(&format!("policy {} allows this", digest("p"))));
    let digests = [none, both, signed("q", "a"), signed("p", "b")].map(|plan| plan.digest().unwrap());
    for (index, one) in digests.iter().enumerate() {
        assert!(!digests[..index].contains(one), "{index}");
    }
}

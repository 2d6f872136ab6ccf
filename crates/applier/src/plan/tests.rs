use super::*;
use crate::inventory::tests::inventory;

mod determined;
mod directives;
mod steps;

const M: &str = "DS-7608NI-I2";

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn listed(id: &str, revision: &str) -> Listed {
    let revision: Revision = revision.parse().unwrap();
    let release: Release = serde_json::from_value(serde_json::json!({
        "id": id, "family": "nvr", "models": [M], "version": revision.version, "build": revision.build,
    }))
    .unwrap();
    let sha256 = Sha256Digest::of(id.as_bytes());
    let target = Target {
        release: release.id.clone(),
        revision,
        name: Text::cleaned(&format!("{id}/digicap.dav")),
        length: 9,
        sha256,
    };
    Listed { release, target }
}

fn recorder() -> Inventory {
    inventory(M, "V4.30.097 build 200101")
}

/// As if the stick carried all of it.
fn at_hand(listed: &[Listed]) -> Containers<'_> {
    listed.iter().map(|listed| (&listed.release.id, &Container::B)).collect()
}

fn decide(inventory: &Inventory, listed: &[Listed], options: &Options) -> Decision {
    plan(inventory, listed, &at_hand(listed), &Directives::default(), options, now())
}

fn refusals(inventory: &Inventory, listed: &[Listed], options: &Options) -> Vec<Refusal> {
    match decide(inventory, listed, options) {
        Decision::Refused(refusals) => refusals,
        other => panic!("{other:?}"),
    }
}

fn pushed(inventory: &Inventory, listed: &[Listed], options: &Options) -> Plan {
    match decide(inventory, listed, options) {
        Decision::Push(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

fn because(reason: &str) -> Text {
    Text::cleaned(reason)
}

#[test]
fn a_fitting_release_is_planned_with_what_was_checked_and_what_not() {
    let plan = pushed(&recorder(), &[listed("new", "V4.61.025 build 230421")], &Options::default());
    assert_eq!(plan.target.release.as_str(), "new");
    assert_eq!((plan.backup.to_string(), plan.overrides.len()), ("taken before the push".into(), 0));
    assert!(plan.takes_backup());
    assert!(plan.checks.contains(&"nobody is logged in".to_owned()));
    assert!(plan.notes.iter().any(|n| n.contains("language of the package not checked")));
}

#[test]
fn the_same_facts_give_the_same_digest_and_other_facts_another() {
    let releases = [listed("new", "V4.61.025 build 230421")];
    let first = pushed(&recorder(), &releases, &Options::default());
    let later = plan(
        &recorder(),
        &releases,
        &at_hand(&releases),
        &Directives::default(),
        &Options::default(),
        "2026-11-22T11:00:00Z".parse().unwrap(),
    );
    assert_eq!(later, Decision::Push(Box::new(first.clone())));
    let reread: Plan = serde_json::from_slice(&serde_json::to_vec(&first).unwrap()).unwrap();
    assert_eq!(reread.digest().unwrap(), first.digest().unwrap());
    let mut other = recorder();
    other.device.revision = "V4.30.098 build 200101".parse().unwrap();
    assert_ne!(pushed(&other, &releases, &Options::default()).digest().unwrap(), first.digest().unwrap());
}

#[test]
fn what_already_runs_is_not_pushed_again() {
    let current = [listed("same", "V4.30.97 build 200101")];
    assert!(matches!(decide(&recorder(), &current, &Options::default()), Decision::AlreadyCurrent(_)));
    let build = [listed("build", "V4.30.097 build 200102")];
    assert!(matches!(decide(&recorder(), &build, &Options::default()), Decision::Push(_)));
}

#[test]
fn no_release_names_what_looks_alike() {
    let mut near = listed("near", "V4.61.025 build 230421");
    near.release.models = vec!["DS-7608NI-I2/8P".parse().unwrap()];
    let found = refusals(&recorder(), &[near], &Options::default());
    assert_eq!(
        found[0].to_string(),
        "no release of this publication lists model DS-7608NI-I2; similar, but not the same: DS-7608NI-I2/8P"
    );
}

#[test]
fn a_named_release_must_be_listed_and_must_fit() {
    let mut other = listed("other", "V4.61.025 build 230421");
    other.release.models = vec!["DS-7616NI-I2".parse().unwrap()];
    let named = |id: &str| Options { release: Some(id.parse().unwrap()), ..Options::default() };
    let listed = [other];
    assert!(matches!(refusals(&recorder(), &listed, &named("absent"))[..], [Refusal::UnknownRelease { .. }]));
    assert!(matches!(refusals(&recorder(), &listed, &named("other"))[..], [Refusal::Mismatch { .. }]));
}

#[test]
fn an_ambiguous_choice_is_made_by_name() {
    let releases = [listed("a", "V4.61.025 build 230421"), listed("b", "V4.61.025 build 230421")];
    assert!(
        matches!(&refusals(&recorder(), &releases, &Options::default())[..], [Refusal::Ambiguous { ids }] if ids.len() == 2)
    );
    let named = Options { release: Some("b".parse().unwrap()), ..Options::default() };
    assert_eq!(pushed(&recorder(), &releases, &named).target.release.as_str(), "b");
}

#[test]
fn going_back_needs_a_reason_and_never_passes_the_floor() {
    let allowed = Options { allow_downgrade: Some(because("new one drops cameras")), ..Options::default() };
    for (revision, other_branch) in [
        ("V4.29.000 build 190101", false),
        ("V4.30.097 build 191231", false),
        ("V4.40.000 build 191231", true),
    ] {
        let releases = [listed("back", revision)];
        let found = refusals(&recorder(), &releases, &Options::default());
        assert_eq!(matches!(found[..], [Refusal::OtherBranch { .. }]), other_branch, "{revision}");
        assert_eq!(matches!(found[..], [Refusal::Older { .. }]), !other_branch, "{revision}");
        let plan = pushed(&recorder(), &releases, &allowed);
        assert_eq!(plan.overrides[0].flag.as_str(), "allow-downgrade");
    }
    let mut running = listed("running", "V4.30.097 build 200101");
    running.release.no_downgrade_below = Some("V4.30.000".parse().unwrap());
    let releases = [listed("back", "V4.29.000 build 190101"), running];
    let named = Options { release: Some("back".parse().unwrap()), ..allowed };
    assert!(matches!(refusals(&recorder(), &releases, &named)[..], [Refusal::BelowFloor { .. }]));
}

#[test]
fn the_recorder_itself_must_be_fit_for_it() {
    let releases = [listed("new", "V4.61.025 build 230421")];
    let mut unfit = recorder();
    unfit.disks =
        serde_json::from_str(r#"[{"id":"5","status":"error"},{"id":"4","status":"notexist"}]"#).unwrap();
    unfit.online_users = serde_json::from_str(r#"[{"name":"kim","address":"192.0.2.7"}]"#).unwrap();
    unfit.upgrade = serde_json::from_str(r#"{"upgrading":true,"percent":7}"#).unwrap();
    let wrong = Options { expect_serial: Some("X1".parse().unwrap()), ..Options::default() };
    let found: Vec<String> = refusals(&unfit, &releases, &wrong).iter().map(ToString::to_string).collect();
    assert_eq!(
        found[1..],
        [
            "recorder is busy with an upgrade",
            "disk in error: 5 (error)",
            "somebody is logged in: kim from 192.0.2.7"
        ]
    );
    assert!(found[0].ends_with("expected X1"));
    let all = Options {
        allow_disk_errors: Some(because("known")),
        allow_logged_in: Some(because("it is me")),
        ..Options::default()
    };
    assert_eq!(refusals(&unfit, &releases, &all), [Refusal::Busy]);
    unfit.upgrade = None;
    let flags: Vec<Text> = pushed(&unfit, &releases, &all).overrides.into_iter().map(|o| o.flag).collect();
    assert_eq!(flags, [Text::cleaned("allow-disk-errors"), Text::cleaned("allow-logged-in")]);
    assert_eq!(pushed(&recorder(), &releases, &all).overrides, [], "a flag that lifted nothing is not told");
    let again = Options { push_again: Some(because("it is idle since yesterday")), ..Options::default() };
    let overrides = pushed(&recorder(), &releases, &again).overrides;
    assert_eq!((overrides.len(), overrides[0].flag.as_str()), (1, "push-again"));
    unfit.upgrade = serde_json::from_str(r#"{"upgrading":true}"#).unwrap();
    assert!(refusals(&unfit, &releases, &again).contains(&Refusal::Busy), "it lifts nothing else");
}

#[test]
fn every_reason_is_given_at_once() {
    let mut release = listed("cn", "V4.29.000 build 190101");
    release.release.language = Some("CN".into());
    release.release.region = Some("CHN".into());
    let mut busy = recorder();
    busy.upgrade = serde_json::from_str(r#"{"upgrading":true}"#).unwrap();
    let Decision::Refused(found) =
        plan(&busy, &[release], &Containers::new(), &Directives::default(), &Options::default(), now())
    else {
        panic!()
    };
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(found.iter().any(|r| matches!(r, Refusal::NotCarried { .. })));
    assert!(found.iter().all(|r| !r.hint().is_empty()));
}

#[test]
fn what_is_not_known_is_said() {
    let mut silent = recorder();
    (silent.disks, silent.online_users) = (None, None);
    silent.time = serde_json::from_str("\"1970-01-01T00:10:00\"").unwrap();
    silent.unread = vec![Text::cleaned("/x")];
    let plan = pushed(&silent, &[listed("new", "V4.61.025 build 230421")], &Options::default());
    for words in
        ["disks not checked", "logged-in users not checked", "off by more than a day", "not read: /x"]
    {
        assert!(plan.notes.iter().any(|n| n.contains(words)), "{words}");
    }
    assert_eq!(plan.checks.len(), 2);
}

#[test]
fn accepted_expiry_stands_in_the_plan_and_its_digest() {
    let releases = [listed("new", "V4.61.025 build 230421")];
    let plain = pushed(&recorder(), &releases, &Options::default());
    assert!(plain.expired.is_empty());
    let forgiven = |role: &str| Forgiven { role: because(role), expires: now() };
    let accepting = |forgiven: Vec<Forgiven>, reason: &str| Options {
        accept_expired: Some(AcceptedExpired { reason: because(reason), forgiven }),
        ..Options::default()
    };
    let one = pushed(&recorder(), &releases, &accepting(vec![forgiven("timestamp")], "flood"));
    assert_eq!(one.expired, [forgiven("timestamp")]);
    assert_eq!(one.overrides, [Override { flag: because("accept-expired"), reason: because("flood") }]);
    let two = accepting(vec![forgiven("timestamp"), forgiven("snapshot")], "flood");
    let digests = [plain, one, pushed(&recorder(), &releases, &two)].map(|plan| plan.digest().unwrap());
    assert!(digests[0] != digests[1] && digests[1] != digests[2]);
}

#[test]
fn a_laptop_whose_battery_is_low_pushes_nothing_unless_a_person_has_a_reason() {
    let releases = [listed("new", "V4.61.025 build 230421")];
    let on = |power, allow_battery| Options { power, allow_battery, ..Options::default() };
    let battery = |percent| Power::Battery { percent };
    let refused = refusals(&recorder(), &releases, &on(battery(Some(49)), None));
    assert_eq!(refused, [Refusal::OnBattery { percent: Some(49) }]);
    let words = "laptop runs on battery, 49 % full, and less than 50 % is too little for a push";
    assert_eq!((refused[0].to_string().as_str(), refused[0].code()), (words, "on-battery"));
    assert!(refused[0].hint().contains("--allow-battery REASON"));
    assert_eq!(
        refusals(&recorder(), &releases, &on(battery(None), None)).len(),
        1,
        "nobody knows is no answer"
    );

    let lifted = pushed(&recorder(), &releases, &on(battery(Some(3)), Some(because("the power is out"))));
    assert_eq!(lifted.overrides.len(), 1);
    assert_eq!(
        (lifted.overrides[0].flag.as_str(), lifted.overrides[0].reason.as_str()),
        ("allow-battery", "the power is out")
    );
    // what was not needed lifted nothing, and what this laptop runs on is no part of what is agreed to
    let digests: Vec<_> = [Power::NoBattery, Power::Mains, battery(Some(50)), battery(Some(90))]
        .map(|power| {
            pushed(&recorder(), &releases, &on(power, Some(because("in any case")))).digest().unwrap()
        })
        .into();
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

use super::*;

const MODEL: &str = "DS-7608NI-I2";

fn release(facts: &serde_json::Value) -> Release {
    let mut all = serde_json::json!({"family": "nvr", "models": [MODEL]});
    all.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn two(via: &str) -> [Release; 2] {
    [
        release(&serde_json::json!({"id": "step", "version": "V4.1.0", "build": "190101"})),
        release(&serde_json::json!({"id": "new", "version": "V4.2.0", "build": "200101", "via": [via]})),
    ]
}

fn covered(releases: &[Release], carried: &[&str]) -> Covered {
    let listed: Vec<&Release> = releases.iter().collect();
    judge(&MODEL.parse().unwrap(), &listed, &|id| carried.contains(&id.as_str()))
}

#[test]
fn every_step_has_to_be_there() {
    let whole = covered(&two("step"), &["step", "new"]);
    assert!(whole.covered && whole.ask.is_empty(), "{whole:?}");
    assert_eq!(
        whole.lines(),
        ["gets new", "  below V4.1.0: step, then new", "  from V4.1.0, below V4.2.0 build 200101: directly"]
    );
    for (carried, missing) in [(&["new"][..], "step"), (&["step"], "new"), (&[], "new step")] {
        let partly = covered(&two("step"), carried);
        assert!(!partly.covered);
        assert_eq!(partly.ask, [format!("fetcher load --model {MODEL}")]);
        assert!(partly.why_not().ends_with(&format!("approved and not carried: {missing}")), "{partly:?}");
    }
}

#[test]
fn a_step_that_nobody_approved_is_asked_for() {
    let partly = covered(&two("gone"), &["step", "new"]);
    assert!(!partly.covered);
    assert_eq!(partly.ask, ["fetcher approve gone".to_owned(), format!("fetcher load --model {MODEL}")]);
}

#[test]
fn versions_that_nothing_leads_from_are_told_and_the_others_covered() {
    let mut releases = two("step");
    releases[1].via.clear();
    releases[1].requires_at_least = Some("V4.1.0".parse().unwrap());
    let releases = &releases[1..];
    let some = covered(releases, &["new"]);
    assert!(some.covered, "{some:?}");
    let why = "  below V4.1.0: NOT COVERED: release new needs version V4.1.0 or later first, and nothing approved leads there";
    assert_eq!(some.lines()[1], why);
}

#[test]
fn of_several_one_that_is_there_is_enough() {
    let releases = [
        release(&serde_json::json!({"id": "branch", "version": "V4.8.0", "build": "180101"})),
        release(&serde_json::json!({"id": "fix", "version": "V4.7.0", "build": "190101"})),
    ];
    let one = covered(&releases, &["fix"]);
    assert!(one.covered && one.chosen.iter().all(|chosen| chosen.ambiguous), "{one:?}");
    assert!(!covered(&releases, &[]).covered);
}

#[test]
fn a_model_that_nothing_lists_is_not_covered() {
    let mut releases = two("step");
    for release in &mut releases {
        release.models = vec!["DS-7608NI-I2/8P".parse().unwrap()];
    }
    let none = covered(&releases, &["step", "new"]);
    assert!(!none.covered && none.chosen.is_empty());
    assert_eq!(none.near_misses, ["DS-7608NI-I2/8P".parse().unwrap()]);
    assert_eq!(none.ask[0], format!("fetcher releases --model {MODEL}"));
}

#[test]
fn a_package_for_chinese_units_covers_no_others() {
    let releases = [
        release(&serde_json::json!({"id": "all", "version": "V4.8.0", "build": "200101"})),
        release(&serde_json::json!({"id": "cn", "version": "V4.9.0", "build": "200101", "language": "CN"})),
    ];
    assert!(covered(&releases, &["all", "cn"]).covered);
    for carried in ["all", "cn"] {
        assert!(!covered(&releases, &[carried]).covered, "{carried} alone");
    }
    assert!(covered(&releases[1..], &["cn"]).covered, "nothing is approved for other units");
}

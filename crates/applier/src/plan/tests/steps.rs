//! Plans of several steps, and what is asked of the depot where they cannot be.

use super::*;

fn id(text: &str) -> ReleaseId {
    text.parse().unwrap()
}

fn named(text: &str) -> Options {
    Options { release: Some(id(text)), ..Options::default() }
}

fn releases(plan: &Plan) -> Vec<&str> {
    plan.steps().map(|target| target.release.as_str()).collect()
}

/// One that needs another first.
fn two_steps() -> [Listed; 2] {
    let mut far = listed("far", "V5.02.000 build 240101");
    far.release.via = vec![id("step")];
    [far, listed("step", "V4.61.025 build 230421")]
}

fn asked(refusals: &[Refusal]) -> Vec<String> {
    needs(refusals).iter().map(ToString::to_string).collect()
}

#[test]
fn the_whole_way_is_planned_and_agreed_to() {
    let listed = two_steps();
    let plan = pushed(&recorder(), &listed, &Options::default());
    assert_eq!(releases(&plan), ["step", "far"]);
    assert!(plan.checks.contains(&format!("model {M} is listed for step, far")), "{:?}", plan.checks);
    for words in ["2 times", "package step: ", "package far: ", "language of the package far not checked"] {
        assert!(plan.notes.iter().any(|note| note.contains(words)), "{words}: {:?}", plan.notes);
    }
    let mut other = listed.clone();
    other[0].target.sha256 = Sha256Digest::of(b"another file");
    let other = pushed(&recorder(), &other, &Options::default());
    assert_ne!(other.digest().unwrap(), plan.digest().unwrap(), "a later step is agreed to as well");
    let reread: Plan = serde_json::from_slice(&serde_json::to_vec(&plan).unwrap()).unwrap();
    assert_eq!(reread, plan);
}

#[test]
fn after_a_step_only_what_was_agreed_to_continues_it() {
    let listed = two_steps();
    let agreed = pushed(&recorder(), &listed, &named("far"));
    let there = inventory(M, "V4.61.025 build 230421");
    let next = pushed(&there, &listed, &named("far"));
    assert_eq!((releases(&next), next.continues(&agreed)), (vec!["far"], true));
    assert!(!agreed.continues(&next), "backwards");
    assert!(!agreed.continues(&agreed), "the same step again");
    let other_unit =
        Plan { device: Device { serial: "X1".parse().unwrap(), ..next.device.clone() }, ..next.clone() };
    assert!(!other_unit.continues(&agreed));
    let mut exchanged = listed.clone();
    exchanged[0].target.sha256 = Sha256Digest::of(b"another file");
    assert!(!pushed(&there, &exchanged, &named("far")).continues(&agreed));
    // it fell back: the step is due again
    assert!(!pushed(&recorder(), &listed, &named("far")).continues(&agreed));
}

#[test]
fn a_step_that_is_not_carried_is_refused_and_asked_for() {
    let listed = two_steps();
    let far_only = at_hand(&listed[..1]);
    let decision = plan(&recorder(), &listed, &far_only, &Directives::default(), &Options::default(), now());
    let Decision::Refused(found) = decision else { panic!("{decision:?}") };
    assert!(matches!(&found[..], [Refusal::NotCarried { id, .. }] if id.as_str() == "step"), "{found:?}");
    assert_eq!(found[0].hint(), format!("load it at the depot: fetcher load --to STICK --model {M}"));
    assert_eq!(asked(&found), ["release step (not-carried)"]);
    let none =
        plan(&recorder(), &listed, &Containers::new(), &Directives::default(), &Options::default(), now());
    let Decision::Refused(found) = none else { panic!() };
    assert_eq!(asked(&found), ["release step (not-carried)", "release far (not-carried)"], "in their order");
}

#[test]
fn a_way_that_does_not_lead_there_is_refused_with_its_reason() {
    let [far, _] = two_steps();
    let found = refusals(&recorder(), std::slice::from_ref(&far), &Options::default());
    assert_eq!(
        found[0].to_string(),
        "release far cannot be reached from V4.30.097 build 200101: release far needs step first, which is not listed"
    );
    assert_eq!(
        found[0].hint(),
        format!(
            "the depot has to approve and load the steps: fetcher approve step, then fetcher load --to STICK --model {M}"
        )
    );
    assert_eq!(
        (found[0].code(), asked(&found)),
        ("missing-step", vec!["release step (not-listed)".to_owned()])
    );
    let mut least = far;
    least.release.via.clear();
    least.release.requires_at_least = Some("V4.61.000".parse().unwrap());
    let found = refusals(&recorder(), std::slice::from_ref(&least), &Options::default());
    assert!(found[0].to_string().contains("needs version V4.61.000 or later first"), "{}", found[0]);
    assert_eq!(asked(&found), ["version V4.61.000 or later (no-step)"]);
    let both = [least, listed("step", "V4.61.025 build 230421")];
    assert_eq!(releases(&pushed(&recorder(), &both, &Options::default())), ["step", "far"]);
}

#[test]
fn only_what_is_right_for_the_recorder_is_asked_for() {
    let nothing_carried = |listed: &[Listed], inventory: &Inventory, options: &Options| match plan(
        inventory,
        listed,
        &Containers::new(),
        &Directives::default(),
        options,
        now(),
    ) {
        Decision::Refused(refusals) => asked(&refusals),
        other => panic!("{other:?}"),
    };
    let new = [listed("new", "V4.61.025 build 230421")];
    let mut unfit = recorder();
    unfit.disks = serde_json::from_str(r#"[{"id":"5","status":"error"}]"#).unwrap();
    unfit.upgrade = serde_json::from_str(r#"{"upgrading":true}"#).unwrap();
    let options = Options::default();
    assert_eq!(nothing_carried(&new, &unfit, &options), ["release new (not-carried)"], "it will be mended");
    let old = [listed("old", "V4.29.000 build 190101")];
    assert!(nothing_carried(&old, &recorder(), &options).is_empty());
    let mut other = [listed("other", "V4.61.025 build 230421")];
    other[0].release.models = vec!["DS-7616NI-I2".parse().unwrap()];
    assert!(nothing_carried(&other, &recorder(), &named("other")).is_empty());
    let mut regional = new.clone();
    regional[0].release.region = Some("EU".into());
    assert!(nothing_carried(&regional, &recorder(), &options).is_empty());
    let two = [new[0].clone(), listed("newer", "V4.61.025 build 230421")];
    assert!(nothing_carried(&two, &recorder(), &options).is_empty(), "nobody has decided");
}

#[test]
fn every_refusal_says_what_lifts_it_or_that_nothing_does() {
    let reason = firmware::NoPath::TooLong { release: id("a") };
    let from: Revision = "V4.1.0 build 190101".parse().unwrap();
    let (model, version): (firmware::Model, firmware::FirmwareVersion) =
        (M.parse().unwrap(), "V4.1.0".parse().unwrap());
    let mismatch = |mismatch| Refusal::Mismatch { id: id("a"), mismatch };
    let all = [
        (Refusal::NoRelease { model: model.clone(), near: vec![] }, None),
        (Refusal::UnknownRelease { id: id("a") }, None),
        (Refusal::Ambiguous { ids: vec![id("a")] }, Some("--release")),
        (mismatch(firmware::Mismatch::Model { model: model.clone(), listed: 0 }), None),
        (mismatch(firmware::Mismatch::ChineseImage { evidence: "x" }), None),
        (mismatch(firmware::Mismatch::RegionUnknown { release: "EU".into() }), Some("--region")),
        (Refusal::OtherSerial { expected: "A1".parse().unwrap(), found: "B1".parse().unwrap() }, None),
        (Refusal::Older { id: id("a"), from: from.clone(), to: from.clone() }, Some("--allow-downgrade")),
        (
            Refusal::OtherBranch { id: id("a"), from: from.clone(), to: from.clone() },
            Some("--allow-downgrade"),
        ),
        (
            Refusal::BelowFloor {
                id: id("a"),
                from: version.clone(),
                to: version.clone(),
                floor: version.clone(),
            },
            None,
        ),
        (Refusal::MissingStep { id: id("a"), from: from.clone(), model: model.clone(), reason }, None),
        (Refusal::NotCarried { id: id("a"), model }, None),
        (Refusal::OtherCourse { agreed: vec![id("a")], remaining: vec![] }, None),
        (Refusal::DiskError { disks: vec![] }, Some("--allow-disk-errors")),
        (Refusal::LoggedIn { users: vec![] }, Some("--allow-logged-in")),
        (Refusal::Busy, None),
    ];
    for (refusal, flag) in all {
        let lifted = refusal.lifted_by().and_then(|flag| flag.split(' ').next());
        assert_eq!(lifted, flag, "{refusal}");
        assert_eq!(serde_json::to_value(&refusal).unwrap()["refusal"], refusal.code());
        assert!(flag.is_none_or(|flag| refusal.hint().contains(flag)), "{}", refusal.hint());
        assert_eq!(refusal.is_final(), flag.is_none() && refusal != Refusal::Busy, "{refusal}");
    }
}

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::device::tests::device;
use crate::release::tests::release;

const M: &str = "DS-7608NI-I2";

fn recorder(revision: &str) -> Device {
    device(M, "DS-7608NI-I220200414CCRRE00000001WCVU", revision)
}

/// A release for the recorder: its build rises with its version.
fn listed(id: &str, minor: u16, via: &[&str], at_least: Option<u16>) -> Release {
    let mut release = release(id, &[M], &format!("V4.{minor}.0 build {}", 200_101 + u32::from(minor) % 28));
    release.via = via.iter().map(|id| id.parse().unwrap()).collect();
    release.requires_at_least = at_least.map(|minor| format!("V4.{minor}.0").parse().unwrap());
    release
}

fn way(releases: &[Release], runs: &str, wanted: &str) -> Result<Vec<String>, NoPath> {
    let wanted = releases.iter().find(|release| release.id.as_str() == wanted).unwrap();
    let steps = path(releases, &recorder(runs), None, wanted)?;
    Ok(steps.iter().map(|step| step.id.to_string()).collect())
}

const OLD: &str = "V4.1.0 build 190101";

#[test]
fn one_step_is_not_judged() {
    let releases = [listed("new", 9, &[], None), listed("old", 0, &[], None)];
    assert_eq!(way(&releases, OLD, "new").unwrap(), ["new"]);
    assert_eq!(way(&releases, OLD, "old").unwrap(), ["old"], "a way back is another question");
}

#[test]
fn named_steps_are_taken_in_their_order_and_only_where_they_are_ahead() {
    let releases =
        [listed("c", 5, &["a", "b"], None), listed("a", 2, &[], None), listed("b", 4, &["a"], None)];
    assert_eq!(way(&releases, OLD, "c").unwrap(), ["a", "b", "c"]);
    assert_eq!(way(&releases, "V4.2.0 build 200103", "c").unwrap(), ["b", "c"]);
    // the same version in an earlier build is not the step that is named
    assert_eq!(way(&releases, "V4.4.0 build 200104", "c").unwrap(), ["b", "c"]);
    assert_eq!(way(&releases, "V4.4.0 build 200105", "c").unwrap(), ["c"]);
    assert_eq!(way(&releases, "V4.5.0 build 200106", "a").unwrap(), ["a"]);
}

#[test]
fn a_required_version_is_reached_in_as_few_steps_as_can_be() {
    let releases = [
        listed("far", 9, &[], Some(5)),
        listed("five", 5, &[], Some(3)),
        listed("four", 4, &[], None),
        listed("three", 3, &[], None),
        listed("eight", 8, &[], Some(7)),
    ];
    assert_eq!(way(&releases, OLD, "far").unwrap(), ["four", "five", "far"]);
    assert_eq!(way(&releases, "V4.3.0 build 200104", "far").unwrap(), ["five", "far"]);
    assert_eq!(way(&releases, "V4.5.0 build 200106", "far").unwrap(), ["far"]);
    let no_way = way(&releases[..2], OLD, "far").unwrap_err();
    assert!(matches!(no_way, NoPath::Unreachable { ref from, .. } if from.to_string() == OLD), "{no_way}");
    assert_eq!(
        no_way.to_string(),
        "release far needs version V4.5.0 or later first, and no listed release leads there from V4.1.0 build 190101"
    );
}

#[test]
fn several_packages_of_one_revision_are_not_chosen_between() {
    let releases = [listed("far", 9, &[], Some(5)), listed("y", 5, &[], None), listed("x", 5, &[], None)];
    let Err(NoPath::Ambiguous { ids, .. }) = way(&releases, OLD, "far") else { panic!() };
    assert_eq!(ids.iter().map(ReleaseId::as_str).collect::<Vec<_>>(), ["x", "y"]);
}

#[test]
fn only_what_is_for_the_device_leads_on() {
    let mut releases = vec![listed("far", 9, &[], Some(5)), listed("cn", 6, &[], None)];
    releases[1].language = Some("CN".into());
    releases.push(listed("eu", 7, &[], None));
    releases[2].region = Some("EU".into());
    assert!(matches!(way(&releases, OLD, "far"), Err(NoPath::Unreachable { .. })));
    let steps = path(&releases, &recorder(OLD), Some("eu"), &releases[0]).unwrap();
    assert_eq!(steps[0].id.as_str(), "eu");
    releases[0].via = vec!["cn".parse().unwrap()];
    let no_way = way(&releases, OLD, "far").unwrap_err();
    assert!(matches!(&no_way, NoPath::NotForDevice { mismatches, .. } if mismatches.len() == 1), "{no_way}");
}

#[test]
fn what_contradicts_itself_leads_nowhere() {
    let missing = [listed("a", 9, &["x", "b", "y"], None), listed("b", 5, &[], None)];
    let Err(NoPath::NotListed { steps, .. }) = way(&missing, OLD, "a") else { panic!() };
    assert_eq!(steps.len(), 2, "all that is missing is said at once");
    let cycle = [listed("a", 9, &["b"], None), listed("b", 5, &["c"], None), listed("c", 3, &["a"], None)];
    let no_way = way(&cycle, OLD, "a").unwrap_err();
    assert_eq!(no_way.to_string(), "releases need each other first: a, b, c, a");
    assert!(matches!(way(&[listed("a", 9, &["a"], None)], OLD, "a"), Err(NoPath::Cycle { .. })));
    let back = [listed("a", 9, &["b"], None), listed("b", 10, &[], None)];
    assert!(matches!(way(&back, OLD, "a"), Err(NoPath::NotForward { .. })));
    let order = [listed("a", 9, &["c", "b"], None), listed("b", 5, &[], None), listed("c", 6, &[], None)];
    assert!(
        matches!(way(&order, OLD, "a"), Err(NoPath::NotForward { release, .. }) if release.as_str() == "b")
    );
    let mut branch = [listed("a", 9, &["b"], None), listed("b", 5, &[], None)];
    branch[1].revision.build = "230101".parse().unwrap();
    assert!(matches!(way(&branch, OLD, "a"), Err(NoPath::NotForward { .. })), "an older build to end with");
}

#[test]
fn nothing_below_the_floor_follows() {
    let mut releases = [listed("a", 9, &["b"], None), listed("b", 5, &[], None), listed("now", 1, &[], None)];
    releases[2].no_downgrade_below = Some("V4.1.0".parse().unwrap());
    assert!(way(&releases, OLD, "a").is_ok());
    let mut below = releases.clone();
    below[2].no_downgrade_below = Some("V4.6.0".parse().unwrap());
    assert!(
        matches!(way(&below, OLD, "a"), Err(NoPath::BelowFloor { release, .. }) if release.as_str() == "b")
    );
    below[1].no_downgrade_below = Some("V4.10.0".parse().unwrap());
    below[2].no_downgrade_below = None;
    assert!(
        matches!(way(&below, OLD, "a"), Err(NoPath::BelowFloor { release, .. }) if release.as_str() == "a")
    );
    below[1].models.clear();
    assert!(matches!(way(&below, OLD, "a"), Err(NoPath::NotForDevice { .. })));
}

#[test]
fn a_way_has_an_end() {
    let chain = |length: u16| -> Vec<Release> {
        let one = |n: u16| {
            let mut release = listed(&format!("r{n}"), n + 2, &[], Some(n + 1));
            release.revision.build = "200101".parse().unwrap();
            release
        };
        (0..length).map(one).collect()
    };
    let sixteen = chain(16);
    assert_eq!(way(&sixteen, OLD, "r15").unwrap().len(), MOST_STEPS);
    assert!(matches!(way(&chain(17), OLD, "r16"), Err(NoPath::TooLong { .. })));
    let mut deep: Vec<Release> = chain(17);
    for (n, release) in deep.iter_mut().enumerate().skip(1) {
        release.via = vec![format!("r{}", n - 1).parse().unwrap()];
        release.requires_at_least = None;
    }
    assert_eq!(way(&deep[..16], OLD, "r15").unwrap().len(), MOST_STEPS);
    assert!(matches!(way(&deep, OLD, "r16"), Err(NoPath::TooLong { .. })));
}

/// Ten times as many releases must not take a hundred times as long.
#[test]
fn a_hostile_listing_costs_no_more_than_its_size() {
    let version = |n: usize| format!("V4.{}.{}", n / 60_000, n % 60_000);
    let hostile = |count: usize| -> Vec<Release> {
        let id = |n: usize| format!("r{n}").parse::<ReleaseId>().unwrap();
        let mut all: Vec<Release> = (0..count)
            .map(|n| {
                let mut release = release("r", &[M], &format!("{} build 200101", version(n)));
                release.id = id(n);
                release.requires_at_least = (n > 0).then(|| version(n - 1).parse().unwrap());
                release
            })
            .collect();
        // every one of the last names everything, itself included
        for release in all.iter_mut().rev().take(3) {
            release.via = (0..count).map(id).collect();
        }
        all
    };
    let cost = |count: usize| {
        let releases = hostile(count);
        let runs = recorder("V4.0.0 build 190101");
        let began = Instant::now();
        for wanted in [&releases[count - 1], &releases[count - 4], &releases[count / 2]] {
            assert!(path(&releases, &runs, None, wanted).is_err());
        }
        let found = named_steps(&releases, [&releases[count - 1]]);
        assert_eq!((found.listed.len(), found.missing.len()), (count - 1, 0));
        began.elapsed()
    };
    let (small, large) = (cost(5_000), cost(50_000));
    assert!(large < small * 60, "{small:?} for 5,000 and {large:?} for 50,000");
}

#[test]
fn named_steps_are_found_whatever_runs() {
    let releases =
        [listed("a", 9, &["b", "x"], None), listed("b", 5, &["c", "y"], None), listed("c", 3, &["a"], None)];
    let found = named_steps(&releases, [&releases[0]]);
    let ids: Vec<&str> = found.listed.iter().map(|release| release.id.as_str()).collect();
    assert_eq!(ids, ["b", "c"]);
    assert_eq!(found.missing.iter().map(ReleaseId::as_str).collect::<Vec<_>>(), ["x", "y"]);
}

prop_compose! {
    /// Releases that name each other at random, of which some are for other devices.
    fn any_release(count: usize)(
        n in 0..count, minor in 0u16..12, day in 1u32..20, via in prop::collection::vec(0..count + 1, 0..4),
        at_least in prop::option::of(0u16..12), floor in prop::option::weighted(0.1, 0u16..12), other in 0u8..10,
    ) -> Release {
        let models: &[&str] = if other == 0 { &["DS-1X"] } else { &[M] };
        let mut release = release(&format!("r{n}"), models, &format!("V4.{minor}.0 build {}", 200_100 + day));
        release.via = via.into_iter().map(|n| format!("r{n}").parse().unwrap()).collect();
        let version = |minor: u16| format!("V4.{minor}.0").parse().unwrap();
        release.requires_at_least = at_least.map(version);
        release.no_downgrade_below = floor.map(version);
        if other == 1 {
            release.region = Some("EU".into());
        }
        release
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn steps_go_forward_and_each_is_met_by_the_one_before(
        mut releases in prop::collection::vec(any_release(10), 1..12), pick: prop::sample::Index,
        runs in 0u16..12,
    ) {
        releases.sort_by(|a, b| a.id.cmp(&b.id));
        releases.dedup_by(|a, b| a.id == b.id);
        let wanted = pick.get(&releases);
        let device = recorder(&format!("V4.{runs}.0 build 200101"));
        let found = path(&releases, &device, None, wanted);
        let backwards: Vec<Release> = releases.iter().rev().cloned().collect();
        let again = path(&backwards, &device, None, wanted);
        prop_assert_eq!(again.map_err(|e| e.to_string()), found.clone().map_err(|e| e.to_string()));
        let Ok(steps) = found else { return Ok(()) };
        prop_assert!(steps.len() <= MOST_STEPS);
        prop_assert_eq!(&steps[steps.len() - 1].id, &wanted.id);
        let (mut at, mut floor) = (&device.revision, None);
        for step in &steps {
            prop_assert!(steps.len() == 1 || forward(at, &step.revision));
            prop_assert!(step.requires_at_least.as_ref().is_none_or(|least| *least <= at.version));
            for id in &step.via {
                let via = releases.iter().find(|release| release.id == *id);
                prop_assert!(via.is_some_and(|via| reached(at, &via.revision)), "{} before {}", id, step.id);
            }
            prop_assert!(floor <= Some(&step.revision.version));
            prop_assert!(step.id == wanted.id || fits(step, &Container::Unknown, &device, None).is_empty());
            floor = floor.max(step.no_downgrade_below.as_ref());
            at = &step.revision;
        }
    }
}

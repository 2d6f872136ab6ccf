//! What releases do for a model, before anybody has seen a device of it.
//!
//! Not known then: which version it runs, whether it is a Chinese unit, and its region. So all versions are gone
//! through, in the ranges between those that the listing names; Chinese packages are told apart from the others;
//! and the region is taken to be the one that a release names.

use std::mem::discriminant;

use crate::path::path;
use crate::{Choice, Device, FirmwareVersion, Model, NoPath, Release, Revision, Serial, choose};

/// What one kind of unit of a model would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage<'a> {
    /// Units whose serial says that they are Chinese, or all others.
    pub chinese: bool,
    /// The releases that would be chosen: several where a person must name one of them.
    pub chosen: Vec<Chosen<'a>>,
}

/// A release that would be chosen, and the ways to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The release.
    pub release: &'a Release,
    /// From every version below its own, the lowest first.
    pub ways: Vec<Way<'a>>,
}

/// How devices within a range of versions reach a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way<'a> {
    /// The lowest version of the range; `None` for any.
    pub from: Option<FirmwareVersion>,
    /// The version above the range.
    pub below: FirmwareVersion,
    /// The steps, the release itself last; or why there is no way.
    pub steps: Result<Vec<&'a Release>, NoPath>,
}

/// What these releases do for a model: nothing where none lists it, else one or two kinds of units.
pub fn coverage<'a>(releases: &[&'a Release], model: &Model) -> Vec<Coverage<'a>> {
    let kinds = [false, true].into_iter();
    let of_kind = |chinese| {
        let chosen = chosen(releases, model, chinese);
        (!chosen.is_empty()).then_some(Coverage { chinese, chosen })
    };
    kinds.filter_map(of_kind).collect()
}

fn chosen<'a>(releases: &[&'a Release], model: &Model, chinese: bool) -> Vec<Chosen<'a>> {
    let own: Vec<&Release> =
        releases.iter().filter(|r| r.lists(model) && r.is_chinese() == chinese).copied().collect();
    let Some(lowest) = revision(None, &own) else { return Vec::new() };
    let chosen = match choose(own.iter().copied(), &device(model, chinese, lowest), None) {
        Choice::None => Vec::new(),
        Choice::One(release) => vec![release],
        Choice::Ambiguous(several) => several,
    };
    let with_ways = |release| Chosen { release, ways: ways(releases, &own, model, release) };
    chosen.into_iter().map(with_ways).collect()
}

/// The ways to one release, of all versions below it. Neighbouring ranges with the same way are one.
fn ways<'a>(releases: &[&'a Release], own: &[&Release], model: &Model, wanted: &'a Release) -> Vec<Way<'a>> {
    let top = &wanted.revision.version;
    let named = own.iter().flat_map(|r| [Some(&r.revision.version), r.requires_at_least.as_ref()]);
    let mut edges: Vec<&FirmwareVersion> = named.flatten().filter(|version| *version < top).collect();
    edges.sort_unstable();
    edges.dedup();
    let begins = [None].into_iter().chain(edges.iter().copied().map(Some));
    let ends = edges.iter().copied().chain([top]);
    let mut ways: Vec<Way<'a>> = Vec::new();
    for (from, below) in begins.zip(ends) {
        let Some(revision) = revision(from, own) else { continue };
        let device = device(model, wanted.is_chinese(), revision);
        let steps = path(releases.iter().copied(), &device, wanted.region.as_deref(), wanted);
        match ways.last_mut().filter(|before| same(&before.steps, &steps)) {
            Some(before) => before.below = below.clone(),
            None => ways.push(Way { from: from.cloned(), below: below.clone(), steps }),
        }
    }
    ways
}

fn same(one: &Result<Vec<&Release>, NoPath>, other: &Result<Vec<&Release>, NoPath>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one == other,
        // the reason names the version that the way began at
        (Err(one), Err(other)) => discriminant(one) == discriminant(other),
        _ => false,
    }
}

/// What a device runs that has this version: the newest build of it that is listed, or else one that is older than
/// any, since no release then seems to be a step back.
fn revision(version: Option<&FirmwareVersion>, own: &[&Release]) -> Option<Revision> {
    let listed = own.iter().filter(|r| Some(&r.revision.version) == version).map(|r| r.revision.build).max();
    let build = listed.or_else(|| "000101".parse().ok())?;
    let version = version.cloned().or_else(|| "V0.0.0".parse().ok())?;
    Some(Revision { version, build })
}

fn device(model: &Model, chinese: bool, revision: Revision) -> Device {
    let (model, serial) = (model.clone(), Serial::of_any(chinese));
    Device { model, serial, revision, device_type: None, name: None, hardware: None, mac: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::tests::release;

    const M: &str = "DS-7608NI-I2";

    /// Each kind of unit, each release, each way in words.
    fn told(releases: &[Release]) -> Vec<String> {
        let releases: Vec<&Release> = releases.iter().collect();
        let mut told = Vec::new();
        for Coverage { chinese, chosen } in coverage(&releases, &M.parse().unwrap()) {
            for Chosen { release, ways } in chosen {
                told.push(format!("{}{}", if chinese { "cn " } else { "" }, release.id));
                for Way { from, below, steps } in ways {
                    let from = from.map_or("any".to_owned(), |from| from.to_string());
                    let steps = match steps {
                        Ok(steps) => steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>().join(" "),
                        Err(error) => error.to_string(),
                    };
                    told.push(format!("{from}..{below}: {steps}"));
                }
            }
        }
        told
    }

    #[test]
    fn nothing_lists_the_model() {
        assert!(told(&[release("a", &["DS-1X"], "V4.1.0 build 190101")]).is_empty());
    }

    #[test]
    fn one_release_is_for_every_version_below_it() {
        let releases =
            [release("old", &[M], "V4.1.0 build 190101"), release("new", &[M], "V4.2.0 build 200101")];
        assert_eq!(told(&releases), ["new", "any..V4.2.0: new"]);
    }

    #[test]
    fn a_step_that_is_named_goes_before_where_it_was_not_reached() {
        let mut releases =
            [release("step", &[M], "V4.1.0 build 190101"), release("new", &[M], "V4.2.0 build 200101")];
        releases[1].via = vec!["step".parse().unwrap()];
        assert_eq!(told(&releases), ["new", "any..V4.1.0: step new", "V4.1.0..V4.2.0: new"]);
        releases[1].via = vec!["gone".parse().unwrap()];
        assert_eq!(
            told(&releases),
            ["new", "any..V4.2.0: release new needs gone first, which is not listed"]
        );
    }

    #[test]
    fn what_requires_a_version_is_out_of_reach_below_it_unless_something_leads_there() {
        let mut releases = vec![release("new", &[M], "V4.2.0 build 200101")];
        releases[0].requires_at_least = Some("V4.1.5".parse().unwrap());
        let out_of_reach = "release new needs version V4.1.5 or later first, and no listed release leads there from V0.0.0 build 000101";
        assert_eq!(
            told(&releases),
            ["new".to_owned(), format!("any..V4.1.5: {out_of_reach}"), "V4.1.5..V4.2.0: new".into()]
        );
        releases.push(release("between", &[M], "V4.1.6 build 190601"));
        assert_eq!(told(&releases), ["new", "any..V4.1.5: between new", "V4.1.5..V4.2.0: new"]);
    }

    #[test]
    fn several_are_told_where_a_person_must_choose_and_chinese_units_apart() {
        let mut releases = [
            release("branch", &[M], "V4.8.0 build 180101"),
            release("fix", &[M], "V4.7.0 build 190101"),
            release("cn", &[M], "V4.9.0 build 200101"),
        ];
        releases[2].language = Some("CN".into());
        assert_eq!(
            told(&releases),
            ["branch", "any..V4.8.0: branch", "fix", "any..V4.7.0: fix", "cn cn", "any..V4.9.0: cn"]
        );
    }

    #[test]
    fn the_region_of_a_device_is_taken_to_be_that_of_the_release() {
        let mut releases =
            [release("step", &[M], "V4.1.0 build 190101"), release("eu", &[M], "V4.2.0 build 200101")];
        for release in &mut releases {
            release.region = Some("EU".into());
        }
        releases[1].via = vec!["step".parse().unwrap()];
        assert_eq!(told(&releases), ["eu", "any..V4.1.0: step eu", "V4.1.0..V4.2.0: eu"]);
    }
}

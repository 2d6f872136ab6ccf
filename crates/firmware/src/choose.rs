use crate::{Device, Release};

/// Which of several releases is meant for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<'a> {
    /// No release lists the model.
    None,
    /// Exactly one is the newest by version and by build.
    One(&'a Release),
    /// The newest by version is not the newest by build, or several packages share it: a person must
    /// name one of these.
    Ambiguous(Vec<&'a Release>),
}

/// Chooses among the releases that list the device's model: the highest version, if its build is
/// also the highest and one package remains.
///
/// A unit whose serial says Chinese considers only Chinese packages, any other unit only the others.
/// Where `region` is given, packages that name another region are left aside; where it is not, they
/// take part, so that a regional package is refused aloud instead of passed over in silence.
pub fn choose<'a>(
    releases: impl IntoIterator<Item = &'a Release>,
    device: &Device,
    region: Option<&str>,
) -> Choice<'a> {
    let chinese = device.serial.is_chinese_unit();
    let other_region = |r: &Release| match (&r.region, region) {
        (Some(wanted), Some(given)) => !wanted.eq_ignore_ascii_case(given),
        _ => false,
    };
    let listed: Vec<&Release> = releases.into_iter().filter(|r| r.lists(&device.model)).collect();
    let suited = |r: &&&Release| r.is_chinese() == chinese && !other_region(r);
    let mut candidates: Vec<&Release> = listed.iter().filter(suited).copied().collect();
    if candidates.is_empty() {
        // said as a mismatch of these releases, which tells more than "no release"
        candidates = listed;
    }
    newest(candidates)
}

/// The rule of choice among releases that all could be installed. Whatever their order, the answer is
/// the same; several are named by id.
pub(crate) fn newest(candidates: Vec<&Release>) -> Choice<'_> {
    let Some(version) = candidates.iter().map(|r| &r.revision.version).max().cloned() else {
        return Choice::None;
    };
    let newest_build = candidates.iter().map(|r| r.revision.build).max();
    let is_version = |r: &&Release| r.revision.version == version;
    let is_build = |r: &&Release| Some(r.revision.build) == newest_build;
    let mut top: Vec<&Release> = candidates.into_iter().filter(|r| is_version(r) || is_build(r)).collect();
    top.sort_by(|a, b| a.id.cmp(&b.id));
    let best: Vec<&Release> = top.iter().filter(|r| is_version(r) && is_build(r)).copied().collect();
    match best.as_slice() {
        [one] => Choice::One(one),
        [] => Choice::Ambiguous(top),
        _ => Choice::Ambiguous(best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::tests::device;
    use crate::release::tests::release;

    const M: &str = "DS-7608NI-I2";

    fn recorder() -> Device {
        device(M, "DS-7608NI-I220200414CCRRE00000001WCVU", "V4.1.0 build 190101")
    }

    fn ids(choice: &Choice<'_>) -> Vec<String> {
        match choice {
            Choice::None => vec![],
            Choice::One(r) => vec![r.id.to_string()],
            Choice::Ambiguous(rs) => rs.iter().map(|r| r.id.to_string()).collect(),
        }
    }

    #[test]
    fn the_highest_version_with_the_highest_build_wins() {
        let releases = [
            release("old", &[M], "V4.30.0 build 200101"),
            release("new", &[M], "V4.61.025 build 230421"),
            release("other", &["DS-1X"], "V5.0.0 build 240101"),
        ];
        assert_eq!(choose(&releases, &recorder(), None), Choice::One(&releases[1]));
    }

    #[test]
    fn one_version_in_two_builds_takes_the_later_build() {
        let releases =
            [release("a", &[M], "V4.61.025 build 220905"), release("b", &[M], "V4.61.025 build 230421")];
        assert_eq!(choose(&releases, &recorder(), None), Choice::One(&releases[1]));
    }

    #[test]
    fn a_higher_version_with_an_older_build_is_ambiguous() {
        let releases = [
            release("branch", &[M], "V4.84.100 build 250918"),
            release("fix", &[M], "V4.73.111 build 260713"),
            release("old", &[M], "V4.1.0 build 180101"),
        ];
        let choice = choose(&releases, &recorder(), None);
        assert!(matches!(choice, Choice::Ambiguous(_)));
        assert_eq!(ids(&choice), ["branch", "fix"]);
    }

    #[test]
    fn two_packages_of_one_revision_are_ambiguous() {
        let releases =
            [release("s1", &[M], "V4.75.030 build 250508"), release("s2", &[M], "V4.75.030 build 250508")];
        assert_eq!(ids(&choose(&releases, &recorder(), None)), ["s1", "s2"]);
    }

    #[test]
    fn a_region_leaves_other_regions_aside() {
        let mut releases =
            [release("eu", &[M], "V4.75.030 build 250508"), release("asia", &[M], "V4.75.030 build 250508")];
        releases[0].region = Some("EU".into());
        releases[1].region = Some("ASIA".into());
        assert_eq!(choose(&releases, &recorder(), Some("asia")), Choice::One(&releases[1]));
        assert_eq!(ids(&choose(&releases, &recorder(), None)), ["asia", "eu"]);
    }

    #[test]
    fn nothing_lists_the_model() {
        assert_eq!(
            choose(&[release("a", &["DS-1X"], "V4.1.0 build 190101")], &recorder(), None),
            Choice::None
        );
    }

    #[test]
    fn chinese_units_and_packages_belong_together() {
        let mut releases =
            [release("cn", &[M], "V4.9.0 build 250101"), release("ml", &[M], "V4.8.0 build 240101")];
        releases[0].language = Some("CN".into());
        assert_eq!(ids(&choose(&releases, &recorder(), None)), ["ml"]);
        let unit = device(M, "DS-7608NI-I220200414CCCHE00000001WCVU", "V4.1.0 build 190101");
        assert_eq!(ids(&choose(&releases, &unit, None)), ["cn"]);
    }
}

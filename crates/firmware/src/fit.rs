use serde::Serialize;

use crate::container::{Container, Language};
use crate::{Device, Family, Model, Release};

/// One reason why a release is not for a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "mismatch", rename_all = "kebab-case")]
pub enum Mismatch {
    /// The vendor does not list the model for this package.
    #[error("model {model} is not among the {listed} models that the vendor lists for this package")]
    Model {
        /// What the device says it is.
        model: Model,
        /// How many models the release lists.
        listed: usize,
    },
    /// The device says that it is of another family.
    #[error("device is of family {device}, the package is for family {release}")]
    Family {
        /// From `deviceType`.
        device: Family,
        /// From the release.
        release: Family,
    },
    /// A Chinese image on a unit that does not say it is Chinese: the known way to brick one.
    #[error("package is a Chinese image ({evidence}) and the serial number does not say Chinese unit")]
    ChineseImage {
        /// What says so.
        evidence: &'static str,
    },
    /// A unit whose serial says Chinese takes only a Chinese package.
    #[error("serial number says Chinese unit (CCCH), the package is not a Chinese one")]
    ChineseUnit,
    /// The region given disagrees with the package's.
    #[error("package is for region {release}, the recorder is said to be of region {given}")]
    Region {
        /// The region of the package.
        release: String,
        /// The region a person gave.
        given: String,
    },
    /// The package names a region and the recorder's is unknown.
    #[error("package is for region {release} and the recorder's region is not known")]
    RegionUnknown {
        /// The region of the package.
        release: String,
    },
}

/// Compares a release and what its file's header says with a device; `region` is what a person says
/// of the device. Every mismatch is returned, not only the first. An empty answer means "nothing
/// wrong seen", which is all that can be known from outside the device.
pub fn fits(
    release: &Release,
    container: &Container,
    device: &Device,
    region: Option<&str>,
) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    if !release.lists(&device.model) {
        mismatches.push(Mismatch::Model { model: device.model.clone(), listed: release.models.len() });
    }
    match device.family() {
        Some(family) if family != release.family => {
            mismatches.push(Mismatch::Family { device: family, release: release.family });
        }
        _ => {}
    }
    mismatches.extend(language(release, container, device));
    mismatches.extend(self::region(release, region));
    mismatches
}

fn language(release: &Release, container: &Container, device: &Device) -> Option<Mismatch> {
    let evidence = match container.language() {
        Some(Language::Chinese) => Some("container header, language 2"),
        _ if release.is_chinese() => Some("listed as CN"),
        _ => None,
    };
    match (evidence, device.serial.is_chinese_unit()) {
        (Some(evidence), false) => Some(Mismatch::ChineseImage { evidence }),
        (None, true) => Some(Mismatch::ChineseUnit),
        _ => None,
    }
}

fn region(release: &Release, given: Option<&str>) -> Option<Mismatch> {
    let wanted = release.region.as_ref()?;
    match given {
        Some(given) if given.eq_ignore_ascii_case(wanted) => None,
        Some(given) => Some(Mismatch::Region { release: wanted.clone(), given: given.to_owned() }),
        None => Some(Mismatch::RegionUnknown { release: wanted.clone() }),
    }
}

/// Models of these releases that look like `model` without being it: the same up to a suffix or a
/// bracket. For people only; nothing is decided on them.
pub fn near_misses<'a>(releases: impl IntoIterator<Item = &'a Release>, model: &Model) -> Vec<&'a Model> {
    let stem = |m: &Model| m.as_str().split(['/', '(']).next().unwrap_or_default().to_ascii_uppercase();
    let wanted = stem(model);
    let mut near: Vec<&Model> =
        releases.into_iter().flat_map(|r| &r.models).filter(|m| *m != model && stem(m) == wanted).collect();
    near.sort();
    near.dedup();
    near
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::tests::device;
    use crate::release::tests::release;

    const SERIAL: &str = "DS-7608NI-I220200414CCRRE00000001WCVU";
    const CHINESE: &str = "DS-7608NI-I220200414CCCHE00000001WCVU";

    fn chinese_header() -> Container {
        let header = serde_json::json!({"format": "a", "length": 108, "language": "chinese", "device_class": 1, "oem": 1, "files": []});
        serde_json::from_value(header).unwrap()
    }

    #[test]
    fn nothing_wrong_seen() {
        let release = release("r", &["ds-7608ni-i2"], "V4.2.0 build 200101");
        assert_eq!(
            fits(&release, &Container::B, &device("DS-7608NI-I2", SERIAL, "V4.1.0 build 190101"), None),
            []
        );
    }

    #[test]
    fn every_mismatch_is_reported_at_once() {
        let mut release = release("r", &["DS-7608NI-I2/8P"], "V4.2.0 build 200101");
        release.family = Family::Dvr;
        release.region = Some("EU".into());
        let found = fits(
            &release,
            &chinese_header(),
            &device("DS-7608NI-I2", SERIAL, "V4.1.0 build 190101"),
            Some("ASIA"),
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(matches!(found[0], Mismatch::Model { listed: 1, .. }));
        assert!(matches!(found[1], Mismatch::Family { device: Family::Nvr, release: Family::Dvr }));
        assert!(matches!(found[2], Mismatch::ChineseImage { .. }));
        assert!(matches!(found[3], Mismatch::Region { .. }));
    }

    #[test]
    fn chinese_units_take_only_chinese_packages() {
        let mut release = release("r", &["DS-7608NI-I2"], "V4.2.0 build 200101");
        let unit = device("DS-7608NI-I2", CHINESE, "V4.1.0 build 190101");
        assert_eq!(fits(&release, &Container::B, &unit, None), [Mismatch::ChineseUnit]);
        assert_eq!(fits(&release, &chinese_header(), &unit, None), []);
        release.language = Some("CN".into());
        assert_eq!(fits(&release, &Container::B, &unit, None), []);
        let other = device("DS-7608NI-I2", SERIAL, "V4.1.0 build 190101");
        assert_eq!(
            fits(&release, &Container::B, &other, None),
            [Mismatch::ChineseImage { evidence: "listed as CN" }]
        );
    }

    #[test]
    fn a_regional_release_needs_a_region_that_agrees() {
        let mut release = release("r", &["DS-7608NI-I2"], "V4.2.0 build 200101");
        release.region = Some("ASIA".into());
        let unit = device("DS-7608NI-I2", SERIAL, "V4.1.0 build 190101");
        assert_eq!(
            fits(&release, &Container::B, &unit, None),
            [Mismatch::RegionUnknown { release: "ASIA".into() }]
        );
        assert_eq!(fits(&release, &Container::B, &unit, Some("asia")), []);
    }

    #[test]
    fn near_misses_share_the_stem() {
        let releases = [
            release("a", &["DS-7608NI-I2/8P", "DS-7608NI-I2(B)", "DS-7616NI-I2"], "V4.2.0 build 200101"),
            release("b", &["DS-7608NI-I2", "DS-7608NI-I2/8P"], "V4.2.0 build 200101"),
        ];
        let near = near_misses(&releases, &"DS-7608NI-I2".parse().unwrap());
        assert_eq!(
            near.iter().map(|m| m.as_str()).collect::<Vec<_>>(),
            ["DS-7608NI-I2(B)", "DS-7608NI-I2/8P"]
        );
    }
}

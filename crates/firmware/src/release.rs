use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{FirmwareVersion, Model, Pin, Revision};

/// One firmware package and what is known of it. The same facts stand in the manifests, in the
/// signed metadata and in every reply to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Unique and stable.
    pub id: ReleaseId,
    /// The kind of device.
    pub family: Family,
    /// Exactly the models that the vendor lists. Empty: known to exist, never planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<Model>,
    /// The vendor's folder or series label where models are unknown; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_to: Option<String>,
    /// Version and build.
    #[serde(flatten)]
    pub revision: Revision,
    /// Where the package can be downloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The page where a person finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Where its release notes are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Which listings name it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Platform token of the file name, `K51`. Not a compatibility key (reference: container §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The vendor's package number, `S3000568898`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Language token of the file name: `ML`, `EN`, `CN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Edition token of the file name: `STD`, `NEU`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// The region that the package is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The brand that the package is for, where it is not the vendor's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oem: Option<String>,
    /// Hardware revision, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
    /// The device must run this version or a later one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_at_least: Option<FirmwareVersion>,
    /// Once installed, nothing below this version can be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_downgrade_below: Option<FirmwareVersion>,
    /// Releases to install before this one, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<ReleaseId>,
    /// Git blob id of the bare file, to recognise one in hand. It authenticates nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_blob_sha1: Option<String>,
    /// What a person should know first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Size and digest, once a person has pinned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
}

impl Release {
    /// The file name under which firmware travels.
    pub const FILE_NAME: &'static str = "digicap.dav";

    /// The name of the release's TUF target, `<id>/digicap.dav`.
    pub fn target_name(&self) -> String {
        format!("{}/{}", self.id, Self::FILE_NAME)
    }

    /// Whether the vendor lists this model for the package.
    pub fn lists(&self, model: &Model) -> bool {
        self.models.contains(model)
    }

    /// Whether the file name says that this is a Chinese package.
    pub fn is_chinese(&self) -> bool {
        self.language.as_deref().is_some_and(|l| l.eq_ignore_ascii_case("CN"))
    }
}

/// The name of a release: 1 to 60 of `a-z 0-9 . -`, beginning with a letter or digit, so that it is
/// also a safe file name and TUF target path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId(String);

/// The text is not a release id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("release id {0:?} is not 1 to 60 of a-z, 0-9, '.' and '-', beginning with a letter or digit")]
pub struct InvalidReleaseId(pub String);

impl ReleaseId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReleaseId {
    type Err = InvalidReleaseId;

    fn from_str(text: &str) -> Result<Self, InvalidReleaseId> {
        let class = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ok = (1..=60).contains(&text.len())
            && class(text.as_bytes()[0])
            && text.bytes().all(|b| class(b) || b == b'.' || b == b'-');
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidReleaseId(text.chars().take(80).collect())) }
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for ReleaseId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ReleaseId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The kind of device a release is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Network video recorder.
    Nvr,
    /// Digital video recorder, hybrid ones included.
    Dvr,
    /// Network camera.
    Ipc,
}

/// The text is not a family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("family {0:?} is not nvr, dvr or ipc")]
pub struct InvalidFamily(pub String);

impl Family {
    /// As in folder names and ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nvr => "nvr",
            Self::Dvr => "dvr",
            Self::Ipc => "ipc",
        }
    }
}

impl FromStr for Family {
    type Err = InvalidFamily;

    fn from_str(text: &str) -> Result<Self, InvalidFamily> {
        [Self::Nvr, Self::Dvr, Self::Ipc]
            .into_iter()
            .find(|family| family.as_str() == text)
            .ok_or_else(|| InvalidFamily(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A release with the given facts and nothing else.
    pub(crate) fn release(id: &str, models: &[&str], revision: &str) -> Release {
        let revision: Revision = revision.parse().unwrap();
        let json = serde_json::json!({
            "id": id, "family": "nvr", "models": models,
            "version": revision.version, "build": revision.build,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn ids_are_safe_file_names() {
        assert!("nvr-k51-4.61.025-230421".parse::<ReleaseId>().is_ok());
        for text in ["", ".", "..", "-x", "a/b", "A", "a b", "a\\b", &"a".repeat(61), "é"] {
            assert!(text.parse::<ReleaseId>().is_err(), "{text}");
        }
    }

    #[test]
    fn json_keeps_every_fact_and_ignores_new_ones() {
        let mut json = serde_json::json!({
            "id": "a", "family": "dvr", "version": "V4.30.001", "build": "190603", "models": ["DS-7208HUHI-K2"],
            "via": ["b"], "requires_at_least": "V4.0.0", "language": "CN",
            "pin": {"size": 3, "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "on": "2026-11-22", "provenance": "file"},
        });
        let release: Release = serde_json::from_value(json.clone()).unwrap();
        assert!(release.is_chinese());
        assert_eq!(serde_json::to_value(&release).unwrap(), json);
        json["added_later"] = true.into();
        assert_eq!(serde_json::from_value::<Release>(json).unwrap(), release);
    }
}

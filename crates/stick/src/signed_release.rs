//! A release as the approvers signed it: the facts in `custom` of its TUF target.

use firmware::{Release, Sha256Digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tuf_client::{Target, Targets, Verified};

use crate::open::OpenError;
use crate::plan::Sealed;

/// The major version of the release facts in `custom`.
pub(crate) const FORMAT: u64 = 1;

/// A release that the approvers signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedRelease {
    #[serde(flatten)]
    release: Release,
    length: u64,
    sha256: Sha256Digest,
}

/// The release facts that go into `custom` of a target.
pub fn release_facts(release: &Release) -> Value {
    // the pin's size and digest are what TUF itself signs; said twice they could disagree
    let facts = Release { pin: None, ..release.clone() };
    json!({"format": FORMAT, "release": facts})
}

impl SignedRelease {
    /// What was signed about it.
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Size of the firmware, bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Digest of the firmware.
    pub fn sha256(&self) -> Sha256Digest {
        self.sha256
    }

    /// The consistent name below `targets/`.
    pub fn consistent_name(&self) -> String {
        format!("{}/{}.{}", self.release.id, self.sha256, Release::FILE_NAME)
    }

    /// Every firmware release of verified targets metadata, by id.
    pub fn all(targets: &Verified<Targets>) -> Result<Vec<Self>, OpenError> {
        let targets = targets.targets().iter();
        targets.filter_map(|(name, target)| Self::read(name.as_str(), target).transpose()).collect()
    }

    /// Size and digest.
    pub fn sealed(&self) -> Sealed {
        Sealed { length: self.length, sha256: self.sha256 }
    }

    /// Whether a release of the catalogue is still what was signed, pin and all.
    pub fn says_the_same_as(&self, release: Option<&Release>) -> bool {
        release.is_some_and(|release| {
            let pin = release.pin.as_ref().map(|pin| (pin.size, pin.sha256));
            pin == Some((self.length, self.sha256))
                && Release { pin: None, ..release.clone() } == self.release
        })
    }

    fn read(name: &str, target: &Target) -> Result<Option<Self>, OpenError> {
        if !name.ends_with(&format!("/{}", Release::FILE_NAME)) {
            return Ok(None);
        }
        let facts = |why: String| OpenError::Facts { target: name.to_owned(), why };
        let custom = target.custom().ok_or_else(|| facts("its custom part is missing".into()))?;
        match custom.get("format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            format => return Err(OpenError::Format { target: name.to_owned(), format: format.unwrap_or(0) }),
        }
        let release = Release::deserialize(&custom["release"]).map_err(|e| facts(e.to_string()))?;
        if release.target_name() != name {
            return Err(facts(format!("it names release {}", release.id)));
        }
        let sha256 = target.hashes().sha256().and_then(|hex| hex.parse().ok());
        let sha256 = sha256.ok_or_else(|| facts("no SHA-256 is signed".into()))?;
        Ok(Some(Self { release, length: target.length(), sha256 }))
    }
}

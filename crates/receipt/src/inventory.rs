use std::fmt;

use firmware::{Device, FirmwareVersion, ReleaseId, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Link;

/// `inventory/v1`: a recorder as it is, and what it needs that was not at hand. To the depot that is a
/// request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryTaken {
    /// The recorder as it describes itself.
    pub device: Device,
    /// What it needs, in the order in which it is to be installed.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// The cameras behind it, as far as there is room; none also where it does not tell.
    #[serde(default, skip_serializing_if = "CamerasTold::is_empty")]
    pub cameras: CamerasTold,
    /// How the recorder was reached.
    pub link: Link,
    /// When it was read.
    pub taken: Timestamp,
}

/// Cameras behind a recorder, at most so many as leave a statement readable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CamerasTold {
    /// In the order of the recorder.
    pub listed: Vec<CameraTold>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub left_out: usize,
}

/// A camera behind a recorder, as the recorder tells it. Its address and its name stay out of it: a stick
/// gets lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraTold {
    /// Its channel.
    pub channel: Text,
    /// Its model; older recorders tell neither this nor the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Text>,
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Text>,
    /// Its firmware, as it is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Text>,
}

/// Bytes of all of them: 256 real ones are below 48 KiB, and an envelope is read up to 256 KiB.
const ROOM: usize = 96 * 1024;

impl CamerasTold {
    /// Those that there is room for, whatever stands in them, and how many more there are.
    pub fn of(cameras: impl IntoIterator<Item = CameraTold>) -> Self {
        let (mut told, mut bytes) = (Self::default(), 0);
        for camera in cameras {
            bytes += serde_json::to_vec(&camera).map_or(ROOM, |json| json.len() + 1);
            if bytes <= ROOM {
                told.listed.push(camera);
            } else {
                told.left_out += 1;
            }
        }
        told
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.listed.len().saturating_add(self.left_out)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_none(left_out: &usize) -> bool {
    *left_out == 0
}

/// One thing that was not at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The release, where it is known which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// Else a release of this version or a later one for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<FirmwareVersion>,
    /// A stable code that says why it was not at hand, for programs: `not-carried`, approved and not on
    /// the stick; `not-listed`, a step that is not approved; `no-step`, nothing approved leads there.
    pub reason: Text,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.release, &self.at_least) {
            (Some(release), _) => write!(f, "release {release}")?,
            (None, Some(version)) => write!(f, "version {version} or later")?,
            (None, None) => f.write_str("something")?,
        }
        write!(f, " ({})", self.reason)
    }
}

impl fmt::Display for InventoryTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Device { model, serial, revision, .. } = &self.device;
        let needs: Vec<String> = self.needs.iter().map(ToString::to_string).collect();
        write!(f, "{model} {serial}: runs {revision}; needs ")?;
        f.write_str(&if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") })?;
        match self.cameras.count() {
            0 => Ok(()),
            1 => f.write_str("; 1 camera behind it"),
            count => write!(f, "; {count} cameras behind it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::tests::statement;
    use crate::{Body, Envelope, LONGEST_ENVELOPE, LaptopId, VerifiedStatement};

    fn camera(channel: usize, text: &str) -> CameraTold {
        let text = Some(Text::cleaned(text));
        CameraTold {
            channel: Text::cleaned(&channel.to_string()),
            model: text.clone(),
            serial: text.clone(),
            firmware: text,
        }
    }

    #[test]
    fn whatever_stands_in_cameras_the_statement_stays_readable() {
        let key = keys::SigningKey::generate();
        let mut said = statement(LaptopId::of(&key.public()), 1, None);
        let Body::PushEnded(end) = &said.body else { panic!("another body") };
        let of = |text: &str| CamerasTold::of((1..=256).map(|channel| camera(channel, text)));
        assert_eq!((of("DS-2CD2386G2-IU20210101AAWRK00000001").left_out, of("").count()), (0, 256));
        let taken = InventoryTaken {
            device: end.device.clone(),
            needs: vec![],
            cameras: of(&"\u{10ffff}\"".repeat(150)),
            link: end.link.clone(),
            taken: end.ended,
        };
        assert!(taken.cameras.left_out > 0 && taken.cameras.count() == 256, "{}", taken.cameras.left_out);
        said.body = Body::Inventory(Box::new(taken));
        let bytes = said.sign(&key).unwrap();
        assert!(bytes.len() as u64 <= LONGEST_ENVELOPE, "{}", bytes.len());
        let opened = VerifiedStatement::open(&Envelope::read(&bytes).unwrap(), &key.public()).unwrap();
        assert_eq!(opened.statement(), &said);
        assert!(said.to_string().ends_with("needs nothing; 256 cameras behind it"), "{said}");
    }

    #[test]
    fn a_statement_without_cameras_reads_as_before() {
        let key = keys::SigningKey::generate();
        let Body::PushEnded(end) = statement(LaptopId::of(&key.public()), 1, None).body else { panic!() };
        let old = serde_json::json!({
            "device": end.device, "needs": [], "link": end.link, "taken": end.ended, "later": "unknown",
        });
        let taken: InventoryTaken = serde_json::from_value(old).unwrap();
        assert!(taken.cameras.is_empty() && taken.to_string().ends_with("needs nothing"), "{taken}");
        assert!(serde_json::to_value(&taken).unwrap().get("cameras").is_none());
    }
}

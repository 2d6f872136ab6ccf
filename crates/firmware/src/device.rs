use serde::{Deserialize, Serialize};

use crate::{Family, Model, Revision, Serial, Text};

/// What a device says it is. All of it is a claim: a rogue device can lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Model name.
    pub model: Model,
    /// Serial number.
    pub serial: Serial,
    /// The firmware it runs.
    #[serde(flatten)]
    pub revision: Revision,
    /// `NVR`, `DVR`, `IPCamera`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_type: Option<Text>,
    /// The name its owner gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Hardware version; absent on some recorders, its form differs between lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Text>,
    /// MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Text>,
}

impl Device {
    /// The family that `deviceType` names, where it is one of the documented values.
    pub fn family(&self) -> Option<Family> {
        match self.device_type.as_ref()?.as_str() {
            "NVR" => Some(Family::Nvr),
            "DVR" => Some(Family::Dvr),
            "IPCamera" | "IPDome" => Some(Family::Ipc),
            _ => None,
        }
    }

    /// What to call it: `camera` where it says that it is one, else `recorder`.
    pub fn noun(&self) -> &'static str {
        if self.family() == Some(Family::Ipc) { "camera" } else { "recorder" }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A recorder of this model and serial that runs this firmware.
    pub(crate) fn device(model: &str, serial: &str, revision: &str) -> Device {
        Device {
            model: model.parse().unwrap(),
            serial: serial.parse().unwrap(),
            revision: revision.parse().unwrap(),
            device_type: Some(Text::cleaned("NVR")),
            name: None,
            hardware: None,
            mac: None,
        }
    }

    #[test]
    fn family_is_read_from_documented_types_only() {
        let mut device = device("DS-7608NI-I2", "1", "V4.1.2 build 200101");
        assert_eq!((device.family(), device.noun()), (Some(Family::Nvr), "recorder"));
        device.device_type = Some(Text::cleaned("IPDome"));
        assert_eq!((device.family(), device.noun()), (Some(Family::Ipc), "camera"));
        device.device_type = Some(Text::cleaned("HybridThing"));
        assert_eq!((device.family(), device.noun()), (None, "recorder"));
    }
}

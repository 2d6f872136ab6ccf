use firmware::{Device, Revision};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// Who the recorder is (reference: ISAPI §8). Without model, serial, version and build there is nothing
/// to decide on, so they must be there; the rest may be absent.
impl Document for Device {
    const PATH: &'static str = "/ISAPI/System/deviceInfo";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "DeviceInfo")?;
        Ok(Self {
            model: root.required("model")?,
            serial: root.required("serialNumber")?,
            revision: Revision {
                version: root.required("firmwareVersion")?,
                build: root.required("firmwareReleasedDate")?,
            },
            device_type: root.shown("deviceType"),
            name: root.shown("deviceName"),
            hardware: root.shown("hardwareVersion"),
            mac: root.shown("macAddress"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Device, Malformed> {
        Device::parse(text.as_bytes())
    }

    /// Reference: ISAPI §8.1
    const RECORDER: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<DeviceInfo version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<deviceName>nvr</deviceName><deviceID>484a3831-3130-0000-0000-000c0000f00e</deviceID>
<model>DS-7608NXI-I2/8P/S</model><serialNumber>DS-7608NXI-I0/0P/S0000000000CCRRJ00000000WCVU</serialNumber>
<macAddress>e0:44:cf:0b:a7:98</macAddress>
<firmwareVersion>V4.62.210</firmwareVersion><firmwareReleasedDate>build 230619</firmwareReleasedDate>
<encoderVersion>V5.0</encoderVersion><deviceType>NVR</deviceType><hardwareVersion>0100000092010000</hardwareVersion>
</DeviceInfo>"#;

    #[test]
    fn reads_a_recorder() {
        let device = read(RECORDER).unwrap();
        assert_eq!(device.model.as_str(), "DS-7608NXI-I2/8P/S");
        assert_eq!(device.revision.to_string(), "V4.62.210 build 230619");
        assert_eq!(device.family(), Some(firmware::Family::Nvr));
        assert_eq!(device.mac.unwrap().as_str(), "e0:44:cf:0b:a7:98");
    }

    #[test]
    fn hardware_may_be_absent_and_hostile_names_are_cleaned() {
        let text = RECORDER
            .replace("<hardwareVersion>0100000092010000</hardwareVersion>", "")
            .replace("<deviceName>nvr", "<deviceName>&#27;[2J=x");
        let device = read(&text.replace("&#27;", "\u{1b}")).unwrap();
        assert_eq!(device.hardware, None);
        assert_eq!(device.name.unwrap().as_str(), "?[2J=x");
    }

    #[test]
    fn what_is_decided_on_must_be_readable() {
        for (from, to) in [
            ("V4.62.210", "V4.62"),
            ("build 230619", ""),
            ("DS-7608NXI-I2/8P/S<", "DS 7608<"),
            ("<serialNumber>DS-7608NXI-I0/0P/S0000000000CCRRJ00000000WCVU</serialNumber>", ""),
        ] {
            assert!(read(&RECORDER.replace(from, to)).is_err(), "{to}");
        }
    }
}

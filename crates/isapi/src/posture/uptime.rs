use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// Seconds since the recorder started, from `/ISAPI/System/status`.
///
/// That recorders tell it is known (reference: ISAPI §15), no capture shows how: the node is called
/// `deviceUpTime` here, as in the vendor's guide. Without it the reply is malformed: an uptime that
/// fell proves a restart, so one that is not known must never look like one that fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uptime {
    /// Seconds.
    pub seconds: u64,
}

impl Document for Uptime {
    const PATH: &'static str = "/ISAPI/System/status";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { seconds: Element::around(body, "deviceUpTime")?.required("deviceUpTime")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_number_or_an_error() {
        let text = b"<DeviceStatus version='2.0'><currentDeviceTime>2026-09-09T07:24:29</currentDeviceTime><deviceUpTime>19500</deviceUpTime><CPUList/></DeviceStatus>";
        assert_eq!(Uptime::parse(text), Ok(Uptime { seconds: 19500 }));
        for text in
            [&b"<DeviceStatus/>"[..], b"<x><deviceUpTime>-1</deviceUpTime></x>", b"<x><deviceUpTime/></x>"]
        {
            assert!(Uptime::parse(text).is_err());
        }
    }
}

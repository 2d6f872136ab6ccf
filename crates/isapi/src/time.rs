use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::xml::{Element, Malformed};

/// The recorder's wall clock, from `/ISAPI/System/time` (reference: ISAPI §13).
///
/// The offset that it states is not kept: in summer it was seen to be an hour off while the wall clock
/// was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceTime(pub DateTime);

impl DeviceTime {
    pub(crate) const ROOT: &str = "Time";

    pub(crate) fn read(root: &Element) -> Result<Self, Malformed> {
        let text: String = root.required("localTime")?;
        let wall = text.get(..19).unwrap_or(&text);
        wall.parse()
            .map(Self)
            .map_err(|e: jiff::Error| Malformed::Value { node: "localTime", why: e.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(local: &str) -> Result<DeviceTime, Malformed> {
        let text = format!(
            "<Time xmlns=\"http://www.hikvision.com/ver20/XMLSchema\"><timeMode opt=\"NTP,manual\">NTP</timeMode><localTime>{local}</localTime></Time>"
        );
        DeviceTime::read(&Element::document(text.as_bytes(), DeviceTime::ROOT)?)
    }

    #[test]
    fn keeps_the_wall_clock_and_drops_the_offset() {
        let expected = DeviceTime(jiff::civil::date(2026, 9, 9).at(7, 24, 29, 0));
        for local in [
            "2026-09-09T07:24:29-05:00",
            "2026-09-09T07:24:29",
            "2026-09-09T07:24:29Z",
            "2026-09-09T07:24:29+14:00",
        ] {
            assert_eq!(read(local), Ok(expected), "{local}");
        }
    }

    #[test]
    fn what_is_no_time_is_an_error() {
        for local in ["", "yesterday", "2026-13-09T07:24:29", "2026-09-09T07:24:2é-05:00"] {
            assert!(read(local).is_err(), "{local}");
        }
    }
}

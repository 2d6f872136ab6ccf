use firmware::Text;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// The recorder's wall clock, from `/ISAPI/System/time` (reference: ISAPI §13).
///
/// The offset that it states is not kept: in summer it was seen to be an hour off while the wall clock
/// was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceTime(pub DateTime);

impl Document for DeviceTime {
    const PATH: &'static str = "/ISAPI/System/time";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        Ok(TimeSettings::parse(body)?.wall)
    }
}

/// The clock with what sets it, from the same path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSettings {
    /// The wall clock.
    pub wall: DeviceTime,
    /// `NTP`, `manual` or `platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Text>,
    /// In the notation of POSIX `TZ`, whose sign is the other way round: `CST+5:00:00DST01:00:00,…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Text>,
}

impl Document for TimeSettings {
    const PATH: &'static str = DeviceTime::PATH;

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "Time")?;
        let text: String = root.required("localTime")?;
        let wall = wall(&text).map_err(|why| Malformed::value("localTime", &why))?;
        Ok(Self { wall, mode: root.shown("timeMode"), zone: root.shown("timeZone") })
    }
}

/// The wall clock alone, from `/ISAPI/System/time/localTime`, which is plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime(pub DeviceTime);

impl Document for LocalTime {
    const PATH: &'static str = "/ISAPI/System/time/localTime";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        wall(plain(body)?).map(Self).map_err(|why| Malformed::plain_text(&why))
    }
}

/// The time zone alone, from `/ISAPI/System/time/timeZone`, which is plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(pub Text);

impl Document for TimeZone {
    const PATH: &'static str = "/ISAPI/System/time/timeZone";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let text = plain(body)?;
        // a page of HTML or a refusal in XML is no time zone, and neither is anything long
        if text.is_empty() || text.len() > 128 || text.contains(['<', '\n']) {
            return Err(Malformed::plain_text(&"not a time zone"));
        }
        Ok(Self(Text::cleaned(text)))
    }
}

fn plain(body: &[u8]) -> Result<&str, Malformed> {
    str::from_utf8(body).map(str::trim).map_err(|e| Malformed::plain_text(&e))
}

fn wall(text: &str) -> Result<DeviceTime, String> {
    let clock = text.get(..19).unwrap_or(text);
    clock.parse().map(DeviceTime).map_err(|e: jiff::Error| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(local: &str) -> Result<DeviceTime, Malformed> {
        let text = format!(
            "<Time xmlns=\"http://www.hikvision.com/ver20/XMLSchema\"><timeMode opt=\"NTP,manual\">NTP</timeMode><localTime>{local}</localTime></Time>"
        );
        DeviceTime::parse(text.as_bytes())
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
            assert_eq!(LocalTime::parse(format!("{local}\r\n").as_bytes()), Ok(LocalTime(expected)));
        }
    }

    /// Reference: ISAPI §13
    #[test]
    fn keeps_what_sets_the_clock() {
        let zone = "CST+5:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00";
        let text = format!(
            r#"<Time version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><timeMode opt="NTP,manual,platform">NTP</timeMode>
<localTime>2026-09-09T07:24:29-05:00</localTime><timeZone>{zone}</timeZone><timeType opt="local,UTC">local</timeType></Time>"#
        );
        let settings = TimeSettings::parse(text.as_bytes()).unwrap();
        assert_eq!(settings.mode.unwrap().as_str(), "NTP");
        assert_eq!(settings.zone.unwrap().as_str(), zone);
        assert_eq!(TimeZone::parse(zone.as_bytes()).unwrap().0.as_str(), zone);
    }

    #[test]
    fn what_is_no_time_is_an_error() {
        for local in ["", "yesterday", "2026-13-09T07:24:29", "2026-09-09T07:24:2é-05:00"] {
            assert!(read(local).is_err() && LocalTime::parse(local.as_bytes()).is_err(), "{local}");
        }
        for zone in [&b""[..], b"<ResponseStatus/>", b"\xff", b"a\nb", &[b'x'; 129]] {
            assert!(TimeZone::parse(zone).is_err());
        }
    }
}

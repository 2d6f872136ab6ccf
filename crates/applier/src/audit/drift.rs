//! By how much a recorder's clock is off. It tells its wall clock and the zone that is set; the offset that it
//! states is wrong in summer (reference: ISAPI §13), so it is not looked at.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::observed::ClockReading;

/// How far a clock is off, as far as that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drift {
    /// Seconds, ahead or behind.
    pub(super) seconds: u64,
    /// Whether its zone could be read. Where not, a clock that is off by whole quarters of an hour is taken
    /// for one in another zone.
    pub(super) zone_known: bool,
}

/// Zones differ by quarters of an hour, from UTC-12 to UTC+14.
const QUARTER: i64 = 15 * 60;
const WESTERNMOST: i64 = -12 * 3600;
const EASTERNMOST: i64 = 14 * 3600;

pub(super) fn drift(clock: &ClockReading) -> Drift {
    let ahead = clock.settings.wall.0.duration_since(TimeZone::UTC.to_datetime(clock.at)).as_secs();
    let zone = clock.settings.zone.as_ref().and_then(|zone| offsets(zone.as_str()));
    let off = match zone {
        Some(offsets) => offsets.map(|offset| ahead.saturating_sub(offset).unsigned_abs()).into_iter().min(),
        None => None,
    };
    Drift { seconds: off.unwrap_or_else(|| from_any_zone(ahead)), zone_known: off.is_some() }
}

fn from_any_zone(ahead: i64) -> u64 {
    if !(WESTERNMOST..=EASTERNMOST).contains(&ahead) {
        return ahead.saturating_sub(ahead.clamp(WESTERNMOST, EASTERNMOST)).unsigned_abs();
    }
    let over = ahead.rem_euclid(QUARTER);
    over.min(QUARTER - over).unsigned_abs()
}

/// Seconds east of Greenwich, without and with summer time, of a zone in the notation of POSIX `TZ`:
/// `CST+5:00:00DST01:00:00,M3.2.0/…`. Its sign is the other way round.
fn offsets(zone: &str) -> Option<[i64; 2]> {
    let rest = zone.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let (standard, rest) = clock_time(rest)?;
    let summer = match rest.strip_prefix("DST") {
        Some(shift) => clock_time(shift).map_or(3600, |(shift, _)| shift),
        None => 0,
    };
    Some([-standard, -standard + summer])
}

/// `[+-]h[:m[:s]]` in seconds, and what comes after it.
fn clock_time(text: &str) -> Option<(i64, &str)> {
    let (sign, text) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(text.len());
    let mut seconds = 0;
    let parts: Vec<i64> = text[..end].split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        seconds += part.checked_mul(unit)?;
    }
    let plausible = parts.len() <= 3 && seconds <= SignedDuration::from_hours(24).as_secs();
    plausible.then_some((sign * seconds, &text[end..]))
}

#[cfg(test)]
mod tests {
    use firmware::Text;
    use isapi::{DeviceTime, TimeSettings};
    use proptest::prelude::*;

    use super::*;

    fn off(wall: &str, zone: Option<&str>) -> (u64, bool) {
        let at = "2026-09-09T11:24:29Z".parse().unwrap();
        let wall = DeviceTime(wall.parse().unwrap());
        let settings = TimeSettings { wall, mode: None, zone: zone.map(Text::cleaned) };
        let Drift { seconds, zone_known } = drift(&ClockReading { settings, at });
        (seconds, zone_known)
    }

    const NEW_YORK: &str = "CST+5:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00";

    /// The recorder of the sample, at UTC-4 in summer (reference: ISAPI §13).
    #[test]
    fn the_zone_that_is_set_decides_with_and_without_summer_time() {
        assert_eq!(off("2026-09-09T07:24:29", Some(NEW_YORK)), (0, true));
        assert_eq!(off("2026-09-09T06:24:39", Some(NEW_YORK)), (10, true));
        assert_eq!(off("2026-09-09T08:24:29", Some(NEW_YORK)), (3600, true));
        assert_eq!(off("2026-09-09T19:24:00", Some("CST-8:00:00")), (29, true));
        assert_eq!(off("2026-09-09T17:09:29", Some("CST-5:45:00")), (0, true));
    }

    #[test]
    fn without_a_zone_any_zone_may_be_meant() {
        for zone in [None, Some(""), Some("Europe/Berlin"), Some("CST+99:00:00"), Some("CST+:")] {
            assert_eq!(off("2026-09-09T13:24:39", zone), (10, false), "{zone:?}");
            assert_eq!(off("2026-09-09T13:31:00", zone), (391, false));
            assert_eq!(off("2026-09-11T01:24:29", zone), (86_400, false));
            assert!(!off("1970-01-01T00:00:00", zone).1);
        }
    }

    proptest! {
        #[test]
        fn never_panics(zone in ".{0,40}") {
            let _ = offsets(&zone);
            let _ = off("2026-09-09T13:24:39", Some(&zone));
        }
    }
}

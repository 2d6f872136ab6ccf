use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a run and of its journal: when it began, and four random bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

/// How the time stands in a name, and how many bytes it takes.
const FORM: &str = "%Y%m%dT%H%M%SZ";
const TIME: usize = 16;

/// The text is not the name of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("run {0:?} is not of the form 20261122T100000Z-0badcafe")]
pub struct InvalidRunId(String);

impl RunId {
    /// A name that sorts by time.
    pub fn new(began: Timestamp, random: [u8; 4]) -> Self {
        let time = TimeZone::UTC.to_datetime(began).strftime(FORM);
        Self(format!("{time}-{}", hex::encode(random)))
    }

    /// The same, moved to the second after `other` if it would not sort behind it.
    #[must_use]
    pub fn later_than(self, other: Option<&Self>) -> Self {
        let Some(last) = other.filter(|other| self.0[..TIME] <= other.0[..TIME]) else { return self };
        let next = DateTime::strptime(FORM, &last.0[..TIME]).and_then(|time| time.checked_add(1.second()));
        match next {
            Ok(time) => Self(format!("{}{}", time.strftime(FORM), &self.0[TIME..])),
            // no journal of ours has the name of a time that there is not
            Err(_) => self,
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        let shape = |at: usize, b: u8| match at {
            8 => b == b'T',
            15 => b == b'Z',
            16 => b == b'-',
            0..=14 => b.is_ascii_digit(),
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        };
        let ok = text.len() == 25 && text.bytes().enumerate().all(|(at, b)| shape(at, b));
        if ok { Ok(Self(text.into())) } else { Err(InvalidRunId(text.chars().take(40).collect())) }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_names_are_safe_file_names_that_sort_by_time() {
        let run = |time: &str| RunId::new(time.parse().unwrap(), [0x0b, 0xad, 0xca, 0xfe]);
        let first = run("2026-11-22T10:00:00Z");
        assert_eq!(first.as_str(), "20261122T100000Z-0badcafe");
        assert_eq!(first.as_str().parse(), Ok(first.clone()));
        assert!(first < run("2026-11-22T10:00:01Z"));
        let set_back = run("2025-01-01T00:00:00Z");
        assert_eq!(set_back.clone().later_than(Some(&first)), run("2026-11-22T10:00:01Z"));
        assert_eq!(first.clone().later_than(Some(&first)), run("2026-11-22T10:00:01Z"));
        assert_eq!(first.clone().later_than(Some(&set_back)), first);
        for text in
            ["", "../x", "20261122T100000Z-0badcaf", "20261122T100000Z-0BADCAFE", "20261122T100000Z/0badcafe"]
        {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}

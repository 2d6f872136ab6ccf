use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of an advisory, `CVE-2025-66177` or a vendor's own: 1 to 40 ASCII letters, digits, `.` and
/// `-`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdvisoryId(String);

/// The text is not the name of an advisory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("advisory id {0:?} is not 1 to 40 letters, digits, '.' and '-', beginning with a letter or digit")]
pub struct InvalidAdvisoryId(pub String);

impl AdvisoryId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AdvisoryId {
    type Err = InvalidAdvisoryId;

    fn from_str(text: &str) -> Result<Self, InvalidAdvisoryId> {
        let ok = (1..=40).contains(&text.len())
            && text.as_bytes()[0].is_ascii_alphanumeric()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidAdvisoryId(text.chars().take(64).collect())) }
    }
}

impl fmt::Display for AdvisoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for AdvisoryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AdvisoryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        for text in ["CVE-2025-66177", "HSRC-202109-01", "icsa-17.124"] {
            assert_eq!(text.parse::<AdvisoryId>().unwrap().as_str(), text);
        }
        for text in ["", "-x", "CVE 2025", "CVE\u{1b}", "é", &"A".repeat(41)] {
            assert!(text.parse::<AdvisoryId>().is_err(), "{text}");
        }
    }
}

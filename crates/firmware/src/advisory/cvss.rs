use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A CVSS base score, `0.0` to `10.0`. Kept as text in signed documents: canonical JSON has no
/// fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cvss {
    tenths: u8,
}

/// The text is not a CVSS score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("CVSS score {0:?} is not a number from 0.0 to 10.0 with one decimal")]
pub struct InvalidCvss(pub String);

impl FromStr for Cvss {
    type Err = InvalidCvss;

    fn from_str(text: &str) -> Result<Self, InvalidCvss> {
        let read = || -> Option<Self> {
            let (whole, tenth) = text.split_once('.')?;
            match (whole.as_bytes(), tenth.as_bytes()) {
                (b"10", b"0") => Some(Self { tenths: 100 }),
                ([ones @ b'0'..=b'9'], [tenth @ b'0'..=b'9']) => {
                    Some(Self { tenths: (ones - b'0') * 10 + (tenth - b'0') })
                }
                _ => None,
            }
        };
        read().ok_or_else(|| InvalidCvss(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Cvss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenths / 10, self.tenths % 10)
    }
}

impl Serialize for Cvss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cvss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_reads_back_and_nothing_else_is_one() {
        for tenths in 0..=100 {
            let score = Cvss { tenths };
            assert_eq!(score.to_string().parse(), Ok(score));
        }
        for text in
            ["", "8", "8.", ".8", "8.80", "10.1", "11.0", "99.9", "08.8", "00.0", "-1.0", "8,8", "٨.٨"]
        {
            assert!(text.parse::<Cvss>().is_err(), "{text}");
        }
    }
}

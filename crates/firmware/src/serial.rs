use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{InvalidText, Text};

/// A device serial, `DS-7608NI-I20120200414CCRRE00000001WCVU`: model, eight digits of date, four
/// region and class letters, a letter, digits (reference: ISAPI §8.3).
///
/// The M series writes it with a hyphen over ISAPI and without over the SDK, so equality ignores
/// blanks, hyphens and case. At most 64 characters.
#[derive(Debug, Clone)]
pub struct Serial(Text);

/// The text is not a serial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSerial {
    /// It is empty once blanks and hyphens are gone.
    #[error("serial number is empty")]
    Empty,
    /// It is too long or not printable.
    #[error(transparent)]
    Text(#[from] InvalidText),
}

impl Serial {
    /// Stands for the serial of any unit, Chinese or not, where there is no device.
    pub(crate) fn of_any(chinese: bool) -> Self {
        Self(Text::cleaned(if chinese { "any 00000000CCCH" } else { "any" }))
    }

    /// The serial as the device wrote it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Upper case without blanks and hyphens: the form to compare and to name files by.
    pub fn normalised(&self) -> String {
        let kept = self.as_str().chars().filter(|c| !c.is_whitespace() && *c != '-');
        kept.map(|c| c.to_ascii_uppercase()).collect()
    }

    /// Whether the region letters say that this is a Chinese-region unit (`CCCH` after the date).
    /// No other letters are interpreted: their meaning is not documented.
    pub fn is_chinese_unit(&self) -> bool {
        let serial = self.normalised();
        let bytes = serial.as_bytes();
        bytes.windows(12).any(|w| w[..8].iter().all(u8::is_ascii_digit) && &w[8..] == b"CCCH")
    }
}

impl FromStr for Serial {
    type Err = InvalidSerial;

    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        if text.len() > 64 {
            return Err(InvalidText(text.chars().take(64).collect()).into());
        }
        let serial = Self(text.trim().parse()?);
        if serial.normalised().is_empty() { Err(InvalidSerial::Empty) } else { Ok(serial) }
    }
}

impl PartialEq for Serial {
    fn eq(&self, other: &Self) -> bool {
        self.normalised() == other.normalised()
    }
}

impl Eq for Serial {}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(text: &str) -> Serial {
        text.parse().unwrap()
    }

    #[test]
    fn hyphens_blanks_and_case_do_not_matter() {
        assert_eq!(
            serial("DS-7732NI-M41620240101CCWRE00000001WCVU"),
            serial("ds7732ni-m4 1620240101ccwre00000001wcvu")
        );
        assert_ne!(serial("A1"), serial("A2"));
    }

    #[test]
    fn only_ccch_after_a_date_is_a_chinese_unit() {
        assert!(serial("DS-7608N-E20150315CCCH000000001WCVU").is_chinese_unit());
        assert!(!serial("DS-7608NI-I220200414CCRRE00000001WCVU").is_chinese_unit());
        assert!(!serial("CCCH").is_chinese_unit());
        assert!(Serial::of_any(true).is_chinese_unit() && !Serial::of_any(false).is_chinese_unit());
    }

    #[test]
    fn refuses_empty_and_control_characters() {
        for text in ["", " - ", "A\u{1b}[31m", &"9".repeat(65)] {
            assert!(text.parse::<Serial>().is_err(), "{text:?}");
        }
    }
}

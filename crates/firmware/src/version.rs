use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A firmware version as recorders spell it, `V4.61.025`: three numbers whose width varies
/// (`V4.30.097`, `V5.03.020`, `V5.2.0`).
///
/// The spelling is kept for people. Equality and order compare the three numbers and nothing else,
/// so `V5.3.20` equals `V5.03.020` and `V5.5.820` is above `V5.5.89` (reference: container §8).
#[derive(Debug, Clone)]
pub struct FirmwareVersion {
    numbers: [u16; 3],
    text: String,
}

/// The text is not a firmware version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("firmware version {0:?} is not of the form V4.61.025")]
pub struct InvalidVersion(pub String);

impl FirmwareVersion {
    /// Major, minor and patch as numbers.
    pub fn numbers(&self) -> [u16; 3] {
        self.numbers
    }
}

impl FromStr for FirmwareVersion {
    type Err = InvalidVersion;

    /// Accepts `V4.61.025`, `v4.61.025` and `4.61.025`; each number has one to five digits.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.chars().take(64).collect());
        let bare = text.strip_prefix(['V', 'v']).unwrap_or(text);
        let mut numbers = [0; 3];
        let mut parts = bare.split('.');
        for number in &mut numbers {
            let part = parts.next().ok_or_else(invalid)?;
            if part.is_empty() || part.len() > 5 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(invalid());
            }
            *number = part.parse().map_err(|_| invalid())?;
        }
        if parts.next().is_some() {
            return Err(invalid());
        }
        Ok(Self { numbers, text: format!("V{bare}") })
    }
}

impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for FirmwareVersion {
    fn eq(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }
}

impl Eq for FirmwareVersion {}

impl PartialOrd for FirmwareVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FirmwareVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

impl Serialize for FirmwareVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FirmwareVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> FirmwareVersion {
        text.parse().unwrap()
    }

    #[test]
    fn compares_components_as_numbers() {
        assert!(version("V5.5.820") > version("V5.5.89"));
        assert!(version("V4.9.0") < version("V4.61.025"));
        assert_eq!(version("5.3.20"), version("V5.03.020"));
    }

    #[test]
    fn keeps_the_spelling() {
        assert_eq!(version("v5.03.020").to_string(), "V5.03.020");
    }

    #[test]
    fn refuses_what_is_not_three_numbers() {
        for text in [
            "",
            "V",
            "V4",
            "V4.61",
            "V4.61.025.1",
            "V4.61.",
            "V4..25",
            "V4.61.x",
            "V4.61.+5",
            "V4.61.99999",
            "V4.61.025 build 220905",
        ] {
            assert_eq!(text.parse::<FirmwareVersion>(), Err(InvalidVersion(text.into())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_the_order_of_the_numbers(a: [u16; 3], b: [u16; 3]) {
            let text = |n: [u16; 3]| format!("V{}.{}.{:03}", n[0], n[1], n[2]);
            prop_assert_eq!(version(&text(a)).cmp(&version(&text(b))), a.cmp(&b));
        }

        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = text.parse::<FirmwareVersion>();
        }
    }
}

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A build date as recorders spell it, `YYMMDD` (`230421` is 21 April 2023). Order is by date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Build(u32);

/// The text is not a build date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("build {0:?} is not a date of the form YYMMDD")]
pub struct InvalidBuild(pub String);

impl FromStr for Build {
    type Err = InvalidBuild;

    /// Accepts `230619` and the device's own `build 230619` (its `firmwareReleasedDate`), any case.
    fn from_str(text: &str) -> Result<Self, InvalidBuild> {
        let invalid = || InvalidBuild(text.chars().take(64).collect());
        let digits = match text.get(..5) {
            Some(word) if word.eq_ignore_ascii_case("build") => text[5..].trim_start(),
            _ => text,
        };
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let number: u32 = digits.parse().map_err(|_| invalid())?;
        let (month, day) = (number / 100 % 100, number % 100);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(invalid());
        }
        Ok(Self(number))
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl Serialize for Build {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Build {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings() {
        assert_eq!("build 230619".parse::<Build>().unwrap(), "230619".parse().unwrap());
        assert_eq!("Build230619".parse::<Build>().unwrap().to_string(), "230619");
        assert_eq!("090102".parse::<Build>().unwrap().to_string(), "090102");
    }

    #[test]
    fn orders_by_date() {
        assert!("221231".parse::<Build>().unwrap() < "230101".parse().unwrap());
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "build",
            "23061",
            "2306190",
            "231301",
            "230600",
            "230632",
            "2306a9",
            "build 230619 ",
            "+30619",
            "ébuild",
        ] {
            assert!(text.parse::<Build>().is_err(), "{text}");
        }
    }
}

use std::fmt;
use std::str::FromStr;

use keys::PublicKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a laptop: the first 16 hexadecimal digits of its public key's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaptopId([u8; DIGITS]);

const DIGITS: usize = 16;

/// The text is not a laptop id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("laptop id {0:?} is not 16 lower-case hexadecimal digits")]
pub struct InvalidLaptopId(pub String);

impl LaptopId {
    /// The id of the laptop that holds this key.
    pub fn of(key: &PublicKey) -> Self {
        let mut digits = [b'0'; DIGITS];
        for (digit, of_key) in digits.iter_mut().zip(key.fingerprint().bytes()) {
            *digit = of_key;
        }
        Self(digits)
    }

    /// The 16 digits.
    pub fn as_str(&self) -> &str {
        // ASCII, however it came to be
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for LaptopId {
    type Err = InvalidLaptopId;

    fn from_str(text: &str) -> Result<Self, InvalidLaptopId> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        match text.as_bytes().try_into() {
            Ok(digits) if text.bytes().all(digit) => Ok(Self(digits)),
            _ => Err(InvalidLaptopId(text.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for LaptopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for LaptopId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LaptopId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_head_of_the_fingerprint() {
        let key = keys::SigningKey::generate().public();
        let id = LaptopId::of(&key);
        assert!(key.fingerprint().starts_with(id.as_str()));
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
    }

    #[test]
    fn refuses_other_text() {
        for text in ["", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdef0", "../../../../etc/x"] {
            assert!(text.parse::<LaptopId>().is_err(), "{text}");
        }
    }
}

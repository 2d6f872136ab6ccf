use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A model name exactly as the vendor lists it and the device reports it, `DS-7608NI-I2/8P`.
///
/// Two names are the same model if they are equal in ASCII without regard to case, and in no other
/// way: suffixes such as `(B)` or `/8P` are hardware revisions with firmware of their own
/// (reference: container §5). Three to 48 printable ASCII characters without blanks, with balanced
/// brackets and at least one letter and one digit: folder titles and halves of names fail that.
#[derive(Debug, Clone)]
pub struct Model(String);

/// The text is not a model name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model {name:?} {why}")]
pub struct InvalidModel {
    /// The text, cut to 64 characters.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Model {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|b| b.to_ascii_uppercase())
    }
}

impl FromStr for Model {
    type Err = InvalidModel;

    fn from_str(text: &str) -> Result<Self, InvalidModel> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(why) => Err(InvalidModel { name: text.chars().take(64).collect(), why }),
        }
    }
}

fn fault(text: &str) -> Option<&'static str> {
    if !(3..=48).contains(&text.len()) {
        return Some("is not 3 to 48 characters long");
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/()+.,_#*&".contains(&b)) {
        return Some("holds a blank or another character that no model name has");
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Some("does not start with a letter or digit");
    }
    let has = |class: fn(&u8) -> bool| text.as_bytes().iter().any(class);
    if !has(u8::is_ascii_alphabetic) || !has(u8::is_ascii_digit) {
        return Some("lacks a letter or a digit");
    }
    let mut depth = 0_i32;
    for byte in text.bytes() {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        if depth < 0 {
            break;
        }
    }
    (depth != 0).then_some("has unbalanced brackets")
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Model {}

impl Hash for Model {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|b| state.write_u8(b));
        state.write_u8(0xff);
    }
}

impl PartialOrd for Model {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Model {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn equality_ignores_case_and_nothing_else() {
        let model = |text: &str| text.parse::<Model>().unwrap();
        assert_eq!(model("iDS-9632NXI-I8/S"), model("IDS-9632NXI-I8/S"));
        assert_ne!(model("DS-7608NI-I2"), model("DS-7608NI-I2/8P"));
        assert_ne!(model("DS-7604NI-Q1"), model("DS-7604NI-Q1(B)"));
        let set: HashSet<_> = [model("nvr-104mh-d"), model("NVR-104MH-D")].into();
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn refuses_names_that_are_no_model() {
        for text in [
            "",
            "DS",
            "76 77 86 NI-K",
            "2nd Generation of DeepinMind",
            "DeepinMind",
            "DS-E08NI-Q1(SSD",
            "IDS-7208HQHI-M2/S( -STD)",
            "4G Dongle",
            "temp",
            "IDS-6708NXI-M1/X(1×4T)",
            "DS-1)(",
            "\u{1b}[2JDS-7608",
            "-7608NI",
        ] {
            assert!(text.parse::<Model>().is_err(), "{text}");
        }
    }
}

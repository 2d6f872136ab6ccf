use std::fmt;
use std::str::FromStr;

use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use serde::{Deserialize, Serialize};

/// To whom something is encrypted: an X25519 recipient of age, `age1…` (age v1, c2sp.org/age).
///
/// Only its text is here, with its checksum held: what is encrypted to it is another matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient(String);

/// The text is no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("recipient {0:?} is not an age recipient, age1… of 62 characters")]
pub struct InvalidRecipient(pub String);

/// The part before the separator.
const PREFIX: &str = "age";
/// Bytes of a public key.
const KEY: usize = 32;

impl Recipient {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = InvalidRecipient;

    /// In lower case only: one key is one text.
    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        let is_one = text.starts_with(PREFIX)
            && CheckedHrpstring::new::<Bech32>(text)
                .is_ok_and(|parsed| parsed.hrp().as_str() == PREFIX && parsed.byte_iter().count() == KEY);
        if is_one {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRecipient(text.chars().take(64).collect()))
        }
    }
}

impl TryFrom<String> for Recipient {
    type Error = InvalidRecipient;

    fn try_from(text: String) -> Result<Self, InvalidRecipient> {
        text.parse()
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.0
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Of the documentation of age.
    pub(in crate::policy) const RECIPIENT: &str =
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn one_slip_of_the_pen_and_it_is_none() {
        assert_eq!(RECIPIENT.parse::<Recipient>().unwrap().to_string(), RECIPIENT);
        let slips = [
            RECIPIENT.replace("hjy5", "hjy4"),
            RECIPIENT[..61].to_owned(),
            RECIPIENT.to_uppercase(),
            RECIPIENT.replace("age1", "agf1"),
            format!(" {RECIPIENT}"),
            "age1".to_owned(),
            String::new(),
            "age-secret-key-1".to_owned(),
            "é".repeat(62),
        ];
        for slip in slips {
            assert!(slip.parse::<Recipient>().is_err(), "{slip}");
        }
    }
}

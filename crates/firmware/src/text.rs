use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A string that came from a device or another party, safe to show: at most 300 characters, no
/// control characters, none that reorder or hide text on a terminal, and no leading character that
/// a spreadsheet takes for a formula.
///
/// Hostile names are the reason: a recorder may be called `\x1b[2J` or `=cmd|…`. [`Text::cleaned`]
/// keeps the rest of such a name readable; [`FromStr`] refuses it, for fields where a strange
/// character means that the value is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(String);

/// The text holds characters that must not be shown, or is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is too long or holds unprintable characters")]
pub struct InvalidText(pub String);

/// Characters, not bytes.
const LONGEST: usize = 300;

impl Text {
    /// The text with every harmful character replaced by `?`, cut to 300 characters.
    pub fn cleaned(text: &str) -> Self {
        let mut clean: String =
            text.trim().chars().take(LONGEST).map(|c| if harmful(c) { '?' } else { c }).collect();
        if clean.starts_with(FORMULA) {
            clean.insert(0, '\'');
        }
        Self(clean)
    }

    /// Whether a character is safe to show: not a control, and none that reorders or hides text.
    pub fn allows(c: char) -> bool {
        !harmful(c)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What spreadsheets take for the start of a formula (OWASP, CSV injection).
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

fn harmful(c: char) -> bool {
    // controls; bidirectional overrides and isolates; zero-width and byte-order marks; line separators
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

impl FromStr for Text {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.chars().count() > LONGEST || text.chars().any(harmful) || text.starts_with(FORMULA) {
            return Err(InvalidText(text.chars().take(64).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A reason in words, as every flag wants it that lifts a refusal; or what is wrong with it, in words.
pub fn reason(text: &str) -> Result<Text, String> {
    if text.trim().is_empty() {
        return Err("a reason in words is needed: it is written down".into());
    }
    text.parse().map_err(|e: InvalidText| e.to_string())
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    /// Reads through [`Text::cleaned`]: a statement must stay readable whatever a name holds.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::cleaned(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_words() {
        assert_eq!(reason("moved to Graz").unwrap().as_str(), "moved to Graz");
        assert!(reason(" ").is_err() && reason("a\u{1b}[2J").is_err());
    }

    #[test]
    fn cleans_what_would_act_on_a_terminal_or_a_spreadsheet() {
        assert_eq!(Text::cleaned("a\u{1b}[2Jb\u{202e}c").as_str(), "a?[2Jb?c");
        assert_eq!(Text::cleaned("=1+1").as_str(), "'=1+1");
        assert_eq!(Text::cleaned(&"x".repeat(500)).as_str().len(), 300);
        assert_eq!(Text::cleaned("Küche 海").as_str(), "Küche 海");
    }

    #[test]
    fn strict_reading_refuses_instead() {
        assert!("nvr".parse::<Text>().is_ok());
        for text in ["a\nb", "@x", "\u{200b}", &"x".repeat(301)] {
            assert!(text.parse::<Text>().is_err(), "{text:?}");
        }
    }
}

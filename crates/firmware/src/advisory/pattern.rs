use std::fmt;
use std::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Model;

/// A regular expression over model names (syntax of the `regex` crate, ASCII): it must match from the
/// first character on, may end before the last, and ignores case.
///
/// Patterns cross the gap in signed tables, so they are bounded: 1 to 200 printable ASCII characters,
/// and a compiled size. That engine takes linear time whatever the pattern.
#[derive(Debug, Clone)]
pub struct ModelPattern {
    text: String,
    regex: Regex,
}

/// The text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern {text:?} {why}")]
pub struct InvalidPattern {
    /// The text, cut to 64 characters.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

/// Characters.
const LONGEST: usize = 200;
/// The largest compiled pattern, bytes; those of the shipped table are far below.
const LARGEST: usize = 128 * 1024;
/// The deepest nesting of groups.
const DEEPEST: u32 = 20;

impl ModelPattern {
    /// Whether a model name begins with what the pattern describes.
    pub fn matches(&self, model: &Model) -> bool {
        // the leftmost match is found, so one at the beginning is found if there is any
        self.regex.find(model.as_str().as_bytes()).is_some_and(|found| found.start() == 0)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for ModelPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = |why: String| InvalidPattern { text: text.chars().take(64).collect(), why };
        if !(1..=LONGEST).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(invalid("is not 1 to 200 printable ASCII characters without blanks".to_owned()));
        }
        let mut builder = RegexBuilder::new(text);
        builder.case_insensitive(true).unicode(false).size_limit(LARGEST).nest_limit(DEEPEST);
        match builder.build() {
            Ok(regex) => Ok(Self { text: text.to_owned(), regex }),
            Err(error) => Err(invalid(format!("is not a regular expression: {}", reason(&error)))),
        }
    }
}

/// The last line of the message: those before it draw the place of the fault.
fn reason(error: &regex::Error) -> String {
    let message = error.to_string();
    let last = message.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

impl PartialEq for ModelPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ModelPattern {}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for ModelPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ModelPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, model: &str) -> bool {
        pattern.parse::<ModelPattern>().unwrap().matches(&model.parse().unwrap())
    }

    #[test]
    fn matches_from_the_beginning_and_ignores_case() {
        let k_series = r"^DS\-76[0-9]{2}NXI\-K[0-9]+(/[0-9]+P)?";
        assert!(matches(k_series, "DS-7608NXI-K1"));
        assert!(matches(k_series, "ds-7608nxi-k2/8p(B)"));
        assert!(!matches(k_series, "iDS-7608NXI-K1"));
        assert!(!matches("7608", "DS-7608NXI-K1"), "nothing is left out at the beginning");
        assert!(matches("7608|DS", "DS-7608NXI-K1"));
        assert!(!matches("NXI|K1", "DS-7608NXI-K1"), "each way must begin there");
    }

    #[test]
    fn what_is_no_pattern_is_told_in_a_line() {
        for (text, why) in [
            ("", "is not 1 to 200"),
            (" DS", "is not 1 to 200"),
            ("DS\n", "is not 1 to 200"),
            ("DS-é", "is not 1 to 200"),
            (&"a".repeat(201), "is not 1 to 200"),
            ("DS-(76", "is not a regular expression: unclosed group"),
            ("a)|(?:b", "is not a regular expression: unopened group"),
            ("(?=DS)", "is not a regular expression: look-around"),
            (r"(DS)\1", "is not a regular expression: backreferences are not supported"),
            (
                "((((a{50}){50}){50}){50}){50}",
                "is not a regular expression: Compiled regex exceeds size limit",
            ),
            (&("(".repeat(30) + &")".repeat(30)), "is not a regular expression: exceed the maximum"),
        ] {
            let message = text.parse::<ModelPattern>().unwrap_err().to_string();
            assert!(message.contains(why) && !message.contains('\n'), "{text:?}: {message}");
        }
    }
}

//! Members of a parsed JSON object, each with the check that the specification asks for. Unknown
//! members are ignored here and kept in the bytes.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::Rejection;

pub(crate) type Object = Map<String, Value>;

/// Hostile text as it may stand in a message: without control characters, and not endless. Metadata
/// may be 64 MiB of one name.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 120;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

pub(crate) fn malformed(field: &str, expected: &'static str) -> Rejection {
    Rejection::Malformed { field: shown(field), expected }
}

pub(crate) fn as_object<'a>(value: &'a Value, field: &str) -> Result<&'a Object, Rejection> {
    value.as_object().ok_or_else(|| malformed(field, "an object"))
}

pub(crate) fn object<'a>(of: &'a Object, field: &str) -> Result<&'a Object, Rejection> {
    optional_object(of, field)?.ok_or_else(|| malformed(field, "an object"))
}

pub(crate) fn optional_object<'a>(of: &'a Object, field: &str) -> Result<Option<&'a Object>, Rejection> {
    of.get(field).map(|value| as_object(value, field)).transpose()
}

pub(crate) fn array<'a>(of: &'a Object, field: &str) -> Result<&'a [Value], Rejection> {
    of.get(field).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| malformed(field, "an array"))
}

pub(crate) fn text<'a>(of: &'a Object, field: &str) -> Result<&'a str, Rejection> {
    of.get(field).and_then(Value::as_str).ok_or_else(|| malformed(field, "a string"))
}

/// Versions and thresholds: integers above zero (§4.3).
pub(crate) fn positive(of: &Object, field: &str) -> Result<u64, Rejection> {
    of.get(field)
        .and_then(Value::as_u64)
        .filter(|number| *number > 0)
        .ok_or_else(|| malformed(field, "an integer above zero"))
}

pub(crate) fn optional_length(of: &Object, field: &str) -> Result<Option<u64>, Rejection> {
    of.get(field).map(|value| value.as_u64().ok_or_else(|| malformed(field, "a length in bytes"))).transpose()
}

pub(crate) fn optional_boolean(of: &Object, field: &str) -> Result<Option<bool>, Rejection> {
    of.get(field).map(|value| value.as_bool().ok_or_else(|| malformed(field, "a boolean"))).transpose()
}

/// A point in time as §4.2.1 writes it: `2026-11-22T08:15:00Z`, UTC, whole seconds, nothing else.
pub(crate) fn time(of: &Object, field: &str) -> Result<Timestamp, Rejection> {
    let written = text(of, field)?;
    written
        .parse::<Timestamp>()
        .ok()
        .filter(|time| time.to_string() == written && time.subsec_nanosecond() == 0)
        .ok_or_else(|| malformed(field, "a time such as 2026-11-22T08:15:00Z"))
}

/// The major number of `spec_version` must be ours (§4.3, §7): another major is another format.
pub(crate) fn check_spec_version(of: &Object) -> Result<(), Rejection> {
    let written = text(of, "spec_version")?;
    let numbers: Vec<_> = written.split('.').collect();
    let well_formed = matches!(numbers.len(), 2 | 3)
        && numbers
            .iter()
            .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    if !well_formed {
        return Err(malformed("spec_version", "a version such as 1.0.34"));
    }
    if numbers[0] == "1" { Ok(()) } else { Err(Rejection::SpecVersion { found: shown(written) }) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(value: Value) -> Object {
        Object::from_iter([("x".to_string(), value)])
    }

    #[test]
    fn takes_only_times_in_the_one_spelling() {
        assert!(time(&with(json!("2026-11-22T08:15:00Z")), "x").is_ok());
        for text in [
            "2026-11-22T08:15:00",
            "2026-11-22 08:15:00Z",
            "2026-11-22T08:15:00.5Z",
            "2026-11-22T08:15:00+00:00",
            "2026-02-30T00:00:00Z",
            "",
        ] {
            assert!(time(&with(json!(text)), "x").is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_holds_no_more_of_hostile_text_than_a_person_reads() {
        let rejection = object(&Object::new(), &"\u{1b}".repeat(1 << 20)).unwrap_err().to_string();
        assert!(rejection.len() < 1500 && !rejection.contains('\u{1b}'), "{}", rejection.len());
        assert!(rejection.contains('…') && malformed("x", "y").to_string() == "field \"x\" is not y");
    }

    #[test]
    fn versions_are_integers_above_zero() {
        assert_eq!(positive(&with(json!(7)), "x").unwrap(), 7);
        for value in [json!(0), json!(-1), json!(1.0), json!("1"), json!(null), json!(true)] {
            assert!(positive(&with(value), "x").is_err());
        }
    }

    #[test]
    fn another_major_is_told_from_rubbish() {
        let check =
            |text: &str| check_spec_version(&Object::from_iter([("spec_version".to_string(), json!(text))]));
        assert!(check("1.0.34").is_ok() && check("1.0").is_ok() && check("1.99.0").is_ok());
        assert!(matches!(check("2.0.0"), Err(Rejection::SpecVersion { .. })));
        for text in ["", "1", "1.x", "1.0.0.0", "1..0"] {
            assert!(matches!(check(text), Err(Rejection::Malformed { .. })), "{text}");
        }
    }
}

//! Canonical JSON as signed metadata uses it (TUF specification §4.2.1, OLPC canonical JSON):
//! members sorted by the bytes of their names, no white space, `"` and `\` escaped and no other
//! character, integers only.
//!
//! Written here because the published encoders change integers beyond 2^53 or normalise text
//! (reference: crates §6). The form is a message to be signed, not a file: a control character
//! stands in it unescaped, which JSON does not allow.

use serde_json::{Map, Value};

/// The value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("number {0} is not an integer of 64 bits, so it has no canonical form")]
pub struct NotCanonical(String);

/// The bytes that are signed for this value.
pub fn encode(value: &Value) -> Result<Vec<u8>, NotCanonical> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(true) => out.extend(b"true"),
        Value::Bool(false) => out.extend(b"false"),
        Value::Number(number) if number.is_f64() => return Err(NotCanonical(number.to_string())),
        Value::Number(number) => out.extend(number.to_string().bytes()),
        Value::String(text) => write_text(text, out),
        Value::Array(values) => {
            separated(*b"[]", values, out, write)?;
        }
        Value::Object(map) => separated(*b"{}", sorted(map), out, |(name, value), out| {
            write_text(name, out);
            out.push(b':');
            write(value, out)
        })?,
    }
    Ok(())
}

/// By bytes of UTF-8, which is also the order of code points; `Map` itself may keep another order.
fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(name, _)| name.as_bytes());
    members
}

fn separated<T>(
    brackets: [u8; 2],
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut write_item: impl FnMut(T, &mut Vec<u8>) -> Result<(), NotCanonical>,
) -> Result<(), NotCanonical> {
    out.push(brackets[0]);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_item(item, out)?;
    }
    out.push(brackets[1]);
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::json;

    fn text(value: &Value) -> String {
        String::from_utf8(encode(value).unwrap()).unwrap()
    }

    #[test]
    fn sorts_escapes_and_keeps_everything_else() {
        let value = json!({"b": [1, -2, u64::MAX, i64::MIN], "a\"\\": "é\n\u{1f600}/", "": {}, "B": [null, true, false]});
        let expected = "{\"\":{},\"B\":[null,true,false],\"a\\\"\\\\\":\"é\n\u{1f600}/\",\
                        \"b\":[1,-2,18446744073709551615,-9223372036854775808]}";
        assert_eq!(text(&value), expected);
        // U+FF5E sorts before U+1F600 by code point, after it by UTF-16 unit
        assert_eq!(text(&json!({"\u{1f600}": 1, "\u{ff5e}": 2})), "{\"\u{ff5e}\":2,\"\u{1f600}\":1}");
    }

    #[test]
    fn refuses_what_two_programs_may_print_differently() {
        for number in ["1.0", "1e3", "-0", "18446744073709551616", "0.1"] {
            let value = json::parse(format!("{{\"a\":[{number}]}}").as_bytes()).unwrap();
            assert!(encode(&value).is_err(), "{number}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            // without control characters the canonical form is JSON as well
            "[^\\p{Cc}]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[^\\p{Cc}]{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_back_as_the_same_value_and_encodes_to_the_same_bytes(value in values()) {
            let bytes = encode(&value).unwrap();
            let again = json::parse(&bytes).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(encode(&again).unwrap(), bytes);
        }

        #[test]
        fn white_space_and_escapes_of_the_source_leave_no_trace(value in values()) {
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert_eq!(encode(&json::parse(&pretty).unwrap()).unwrap(), encode(&value).unwrap());
        }
    }
}

use serde_json::Value;
use tuf_client::{canonical, json};

/// JSON that is read and encoded reads back as the same value and encodes to the same bytes.
pub fn canonical(data: &[u8]) {
    let Ok(value) = json::parse(data) else { return };
    let Ok(bytes) = canonical::encode(&value) else { return };
    // the form is a message, not a file: with a control character in it, it is no JSON
    if !bytes.iter().any(u8::is_ascii_control) {
        same(&value, &bytes, &bytes);
    }
    same(&value, &bytes, value.to_string().as_bytes());
}

fn same(value: &Value, bytes: &[u8], spelling: &[u8]) {
    let again = json::parse(spelling).unwrap();
    assert_eq!(&again, value);
    assert_eq!(canonical::encode(&again).unwrap(), bytes);
}

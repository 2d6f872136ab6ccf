/// A truth value as devices write it, in whatever case; `None` if it is neither. `flase` is really on the
/// wire (reference: ISAPI §16).
pub fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "flase" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_devices_write_and_guesses_nothing() {
        for (text, expected) in [
            ("true", Some(true)),
            ("TRUE", Some(true)),
            ("1", Some(true)),
            ("false", Some(false)),
            ("flase", Some(false)),
            ("0", Some(false)),
            ("yes", None),
            ("", None),
            (" true", None),
        ] {
            assert_eq!(truth(text), expected, "{text:?}");
        }
    }
}

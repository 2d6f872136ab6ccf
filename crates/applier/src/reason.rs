use firmware::Text;

/// A reason in words, as every flag that lifts a refusal wants it: it stands in the receipt.
pub(crate) fn reason(text: &str) -> Result<Text, String> {
    if text.trim().is_empty() {
        return Err("a reason in words is needed: it stands in the receipt".into());
    }
    text.parse().map_err(|e: firmware::InvalidText| e.to_string())
}

use tuf_client::PathPattern;

/// A pattern and a name, a line each: whether they fit is what the definition says.
pub fn path_patterns(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((pattern, name)) = text.split_once('\n') else { return };
    assert_eq!(PathPattern::from(pattern).matches(name), by_definition(pattern, name));
}

/// Character by character of the pattern: after which characters of the name can we be?
fn by_definition(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut at = vec![false; name.len() + 1];
    at[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        for here in 0..at.len() {
            match wanted {
                '*' => next[here] = at[here] || here > 0 && next[here - 1] && name[here - 1] != '/',
                '?' => next[here] = here > 0 && at[here - 1] && name[here - 1] != '/',
                _ => next[here] = here > 0 && at[here - 1] && name[here - 1] == wanted,
            }
        }
        at = next;
    }
    at[name.len()]
}

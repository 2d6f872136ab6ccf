//! Names of metadata files. A role's name is anything that its delegator wrote, `../x` included, so
//! it is percent-encoded: what remains is one path component and one URL segment (RFC 3986 §2.3), the
//! same for every client. The names of the top-level roles are not changed by that.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `<role>.json`: the name in a store.
pub(crate) fn plain(role: &str) -> String {
    format!("{}.json", utf8_percent_encode(role, &ENCODED))
}

/// The name in a repository: with its version where snapshots are consistent (§6.2).
pub(crate) fn versioned(role: &str, version: u64, consistent_snapshot: bool) -> String {
    if consistent_snapshot { format!("{version}.{}", plain(role)) } else { plain(role) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_one_harmless_component() {
        for (role, file) in [
            ("targets", "targets.json"),
            ("Firm-ware_1.0~x", "Firm-ware_1.0~x.json"),
            ("../x", "..%2Fx.json"),
            ("/etc/passwd", "%2Fetc%2Fpasswd.json"),
            (".", "..json"),
            ("..", "...json"),
            ("a%2Fb", "a%252Fb.json"),
            ("?#\\\0\n é", "%3F%23%5C%00%0A%20%C3%A9.json"),
        ] {
            assert_eq!(plain(role), file);
            assert_eq!(versioned(role, 7, true), format!("7.{file}"));
            assert_eq!(versioned(role, 7, false), file);
        }
    }
}

use std::fmt;
use std::str::FromStr;

/// The name of a target: a relative path with `/` between components, safe to place below a
/// directory on any file system that this is run on (specification §4.5 leaves that to us).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetName(String);

/// The name could leave the directory of targets, or means different files to different systems.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("target name {name:?} {reason}")]
pub struct InvalidTargetName {
    name: String,
    reason: &'static str,
}

impl TargetName {
    /// The name as signed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name below `targets/` where snapshots are consistent: the hash goes before the last
    /// component (§6.2).
    pub(crate) fn with_hash(&self, hash: &str) -> String {
        match self.0.rsplit_once('/') {
            Some((directory, file)) => format!("{directory}/{hash}.{file}"),
            None => format!("{hash}.{}", self.0),
        }
    }
}

impl FromStr for TargetName {
    type Err = InvalidTargetName;

    fn from_str(text: &str) -> Result<Self, InvalidTargetName> {
        let reason = if text.len() > 1024 {
            "is longer than 1024 bytes"
        } else if text.starts_with('/') {
            "is absolute"
        } else if text.contains('\\') {
            "contains a backslash"
        } else if text.contains(char::is_control) {
            "contains a control character"
        } else if text.split('/').any(|component| matches!(component, "" | "." | "..")) {
            "has an empty, . or .. component"
        } else {
            return Ok(Self(text.into()));
        };
        Err(InvalidTargetName { name: text.chars().take(128).collect(), reason })
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for TargetName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_the_hash_before_the_last_component_only() {
        let name = |text: &str| text.parse::<TargetName>().unwrap();
        assert_eq!(name("a/b.c/digicap.dav").with_hash("00"), "a/b.c/00.digicap.dav");
        assert_eq!(name("policy.json").with_hash("00"), "00.policy.json");
    }

    #[test]
    fn refuses_names_that_wander() {
        for text in [
            "",
            ".",
            "..",
            "/a",
            "a/",
            "a//b",
            "a/./b",
            "../x",
            "a/../b",
            "a/..",
            "a\\b",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            &"x".repeat(1025),
        ] {
            assert!(text.parse::<TargetName>().is_err(), "{text:?}");
        }
        for text in ["a", "...", "a b", "é/ü", ".hidden", "C:", &"x".repeat(1024)] {
            assert!(text.parse::<TargetName>().is_ok(), "{text:?}");
        }
    }
}

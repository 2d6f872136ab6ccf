use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing that is wrong at one place of the manifests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1; none where the whole file or folder is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: What,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.what)
    }
}

/// What can be wrong with the manifests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum What {
    /// A folder entry that does not belong into the tree.
    #[error("entry is {found}, expected {expected}")]
    Entry {
        /// What the tree has there.
        expected: &'static str,
        /// What there is.
        found: &'static str,
    },
    /// Too much to read: `size` may be a count of files.
    #[error("{what} is {size}, the limit is {limit}")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// How much there is.
        size: u64,
        /// How much is read.
        limit: u64,
    },
    /// Not UTF-8, or not TOML.
    #[error("syntax: {0}")]
    Syntax(String),
    /// A key that the schema does not have.
    #[error("key {key:?} is unknown in {table}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table.
        table: &'static str,
    },
    /// A key that the schema requires.
    #[error("key {key:?} is missing in {table}")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// The table.
        table: &'static str,
    },
    /// A value of another type.
    #[error("{key} is a {found}, expected {expected}")]
    Type {
        /// The key.
        key: &'static str,
        /// What the schema wants.
        expected: &'static str,
        /// What there is.
        found: &'static str,
    },
    /// A value of the right type that breaks a rule.
    #[error("{key}: {why}")]
    Value {
        /// The key.
        key: &'static str,
        /// The rule.
        why: String,
    },
    /// Something that must be unique and is not.
    #[error("{key} {value:?} is already that of {first}")]
    Duplicate {
        /// What must be unique.
        key: &'static str,
        /// The value.
        value: String,
        /// Who has it too: a release id, or the key itself.
        first: String,
    },
    /// A release that is named and does not exist.
    #[error("{key} names release {id:?}, which is not in the catalogue")]
    NoSuchRelease {
        /// Who names it.
        key: &'static str,
        /// The id.
        id: String,
    },
}

/// The faults of one file, and what turns byte offsets into its lines.
#[derive(Debug)]
pub(super) struct FileFaults {
    file: PathBuf,
    /// Offset of the first byte of each line.
    starts: Vec<usize>,
    pub(super) found: Vec<Fault>,
}

impl FileFaults {
    pub(super) fn new(file: &Path, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { file: file.to_owned(), starts: std::iter::once(0).chain(breaks).collect(), found: Vec::new() }
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    pub(super) fn add(&mut self, at: &Range<usize>, what: What) {
        let line = Some(self.line(at.start));
        self.found.push(Fault { file: self.file.clone(), line, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines() {
        let faults = FileFaults::new(Path::new("f"), "ab\n\nc");
        let lines: Vec<usize> = (0..5).map(|at| faults.line(at)).collect();
        assert_eq!(lines, [1, 1, 1, 2, 3]);
        assert_eq!(faults.line(99), 3);
    }

    #[test]
    fn shows_file_and_line_as_editors_read_them() {
        let what = What::MissingKey { key: "id", table: "[[release]]" };
        let fault = Fault { file: "nvr/k51.toml".into(), line: Some(7), what };
        assert_eq!(fault.to_string(), "nvr/k51.toml:7: key \"id\" is missing in [[release]]");
        assert_eq!(
            Fault { line: None, ..fault }.to_string(),
            "nvr/k51.toml: key \"id\" is missing in [[release]]"
        );
    }
}

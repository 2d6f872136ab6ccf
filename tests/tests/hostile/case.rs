use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A file of `tests/hostile/tuf/`: one defect, and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// One sentence, for the table in `docs/hostile-tuf.md`.
    #[serde(rename = "defect")]
    _defect: String,
    /// Done before: the client that trusts the base repository and has seen it once lives through this.
    #[serde(default)]
    pub(crate) before: Vec<Step>,
    /// The defect.
    #[serde(default)]
    pub(crate) damage: Vec<Step>,
    /// What stands in its place in the good twin, which must be accepted.
    #[serde(default)]
    pub(crate) twin: Vec<Step>,
    /// Done after either of them.
    #[serde(default)]
    pub(crate) after: Vec<Step>,
    /// What is asked for; without it, the publication is opened.
    #[serde(default)]
    pub(crate) run: Run,
    /// What is asked for in the good twin, where it is something else.
    pub(crate) twin_run: Option<Run>,
    /// `accepted`, or the class of the error in the words of `class.rs`.
    pub(crate) outcome: String,
    /// What changes in the store all the same, by file: the metadata file that is kept there now,
    /// `gone`, `new` for a record that is made afresh, or `day N` of a clock-floor. Everything else must be as before where the case is refused,
    /// and what was verified where it is accepted.
    #[serde(default)]
    pub(crate) store: BTreeMap<String, String>,
    /// The role that approved what was found.
    pub(crate) approved_by: Option<String>,
    /// Bytes that may be read from the medium at most.
    pub(crate) reads_at_most: Option<u64>,
    /// Only in a full run: it takes long, and another case covers nearly the same.
    #[serde(default)]
    pub(crate) full: bool,
    /// Exit code of `applier verify` on the same; its good twin ends with 0.
    pub(crate) exit: Option<i32>,
}

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Run {
    /// The publication is opened.
    #[default]
    Verify,
    /// A target is looked for along delegations, opened and read to its end.
    Find(String),
    /// Firmware of the base repository is copied off the stick.
    Copy,
    /// The depot plans to write a stick that carries all targets, of which no file is needed for that.
    Plan,
    /// The depot makes targets metadata that lists the same names.
    Draft,
    /// The publication is opened so many times, until the newest root is the trusted one.
    Follow(u32),
}

/// One thing that is done to repository, stick, laptop or clock. Roles are named as in metadata; a
/// signer is the name of a key that is made when it is first named: `timestamp`, `stranger`, `timestamp as
/// other-id`, or `corrupt timestamp`, whose signature does not fit.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Step {
    /// Next versions of these roles, signed, placed and listed by whoever lists them.
    Next {
        roles: Vec<String>,
        by: Option<Vec<String>>,
        pad: Option<usize>,
    },
    /// The same without a new version.
    Place {
        roles: Vec<String>,
        by: Option<Vec<String>>,
        pad: Option<usize>,
    },
    /// A member of what will be signed, by JSON pointer; `day N` is a time.
    Set {
        role: String,
        at: String,
        to: toml::Value,
    },
    /// A member is left out.
    Unset {
        role: String,
        at: String,
    },
    /// The next root will give a role these keys.
    Keys {
        of: String,
        keys: Vec<String>,
        threshold: u64,
    },
    /// So many roots, each signed as it should be.
    Roots {
        count: u64,
    },
    /// A target, listed by a role, its file on the stick: these bytes, or so many zeros in a sparse file.
    Target {
        name: String,
        bytes: Option<String>,
        zeros: Option<u64>,
        sha256: Option<String>,
        role: Option<String>,
    },
    /// A role trusts another.
    Delegate {
        from: String,
        to: String,
        paths: Option<Vec<String>>,
        prefixes: Option<Vec<String>>,
        #[serde(default)]
        terminating: bool,
        keys: Vec<String>,
    },
    /// Roles `d1`, `d2`, … each trusting the next with everything; the last approves `deep`.
    Chain {
        roles: u64,
    },
    /// Something is done to a file: `stick/metadata/…`, `firmware`, `target NAME`, `state/…`.
    File {
        path: String,
        act: Act,
    },
    /// The stick as it is now is remembered, and laid in its place again.
    Remember,
    Recall,
    /// The client opens the publication, and accepts it; or refuses it so.
    Run {
        outcome: Option<String>,
    },
    /// The laptop's clock says this day; publications are made on day 0, and it is day 1.
    Clock {
        day: i64,
    },
    /// The medium does this.
    Medium {
        is: Oddity,
    },
    /// Another process is at work in the laptop's state.
    Lock,
}

/// What is done to a file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    Remove,
    Pipe,
    Folder,
    /// It is cut or filled up with zeros, without taking room.
    Length(u64),
    /// Its second half is zeros.
    Tear,
    /// One bit of the byte at this place.
    Flip(usize),
    Replace([String; 2]),
    Text(String),
    /// A link with this text takes its place.
    Link(String),
    /// It moves to another path beside stick and state.
    MoveTo(String),
    /// The same, and a link to it takes its place.
    LinkTo(String),
    /// The bytes of another file.
    CopyOf(String),
}

/// What a medium does that it should not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Oddity {
    /// Every read gives one byte.
    Drips,
    /// After so many reads to the end, this file is another.
    ChangesAfter(String, u32),
    /// This file never ends.
    Endless(String),
    /// Reading this file fails halfway.
    Fails(String),
    /// Upper and lower case are the same.
    FoldsCase,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/tuf")
}

/// The cases whose names begin so, by name.
pub(crate) fn all(start: &str) -> Vec<(String, Case)> {
    let mut cases = Vec::new();
    for entry in folder().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        if name.starts_with(start) {
            let text = std::fs::read_to_string(&path).unwrap();
            cases.push((
                name.clone(),
                toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")),
            ));
        }
    }
    cases.sort_by(|(one, _), (other, _)| one.cmp(other));
    cases
}

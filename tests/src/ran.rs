//! A program that has run, and what is held of it.
// helpers of tests are tests: where something is not as it should be, they panic
#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc)]
// a test may end with what it holds
#![allow(clippy::return_self_not_must_use)]

use std::fmt::Write as _;
use std::fs::{File, create_dir_all};
use std::io::Write as _;

use crate::programs::program;
use serde_json::Value;

/// A program that has run: what was typed, what came back, and what the recorder saw of it.
#[derive(Debug)]
pub struct Ran {
    /// The program.
    pub name: String,
    /// As a person would type it, without the directories of this test.
    pub command: String,
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error, without the directories of this test.
    pub err: String,
    /// Pushes that the recorder has admitted so far.
    pub pushes: u64,
}

impl Ran {
    /// The same, with so many pushes seen by the recorder.
    #[must_use]
    pub fn counted(self, pushes: u64) -> Self {
        Self { pushes, ..self }
    }

    /// Holds that it ended with this code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}{}", self.command, self.out, self.err);
        self
    }

    /// Holds that it said all of these words, in data or remarks.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            let said = self.out.contains(word) || self.err.contains(word);
            assert!(said, "{} does not say {word:?}\n{}{}", self.command, self.out, self.err);
        }
        self
    }

    /// Holds that it failed in this way, with a message that has these words and says what to do now;
    /// and adds it to the table of errors.
    #[track_caller]
    pub fn fails(self, code: i32, error: &str, words: &[&str]) -> Self {
        let ran = self.ends(code);
        let message = ran.message();
        for word in words {
            assert!(message.contains(word), "{} does not say {word:?}:\n{message}", ran.command);
        }
        assert!(message.contains("hint: "), "{} does not say what to do now:\n{message}", ran.command);
        ran.tabulate(error, &message);
        ran
    }

    /// The JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.command, self.out))
    }

    /// From the line that begins with the program's name: the error itself, without progress before it.
    #[must_use]
    pub fn message(&self) -> String {
        let start = self.err.rfind(&format!("{}: ", self.name)).unwrap_or(0);
        self.err[start..].trim_end().to_owned()
    }

    /// One row of `target/errors/`, a file for each error: `cat target/errors/*` is the table.
    fn tabulate(&self, error: &str, message: &str) {
        let dir = program("fetcher").ancestors().nth(2).unwrap().join("errors");
        create_dir_all(&dir).unwrap();
        let message = message.replace('|', "\\|").replace('\n', "<br>");
        let mut row = String::new();
        let Self { command, code, pushes, .. } = self;
        writeln!(row, "| {error} | `{command}` | {message} | {code} | {pushes} |").unwrap();
        File::create(dir.join(error.replace(' ', "-"))).unwrap().write_all(row.as_bytes()).unwrap();
    }
}

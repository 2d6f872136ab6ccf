use std::fmt::Display;
use std::io::Write;

use serde_json::{Value, json};

use crate::{Exit, Output};

/// Why a command ended: an exit code, an error chain, and what to do now.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What failed, and why.
    pub error: anyhow::Error,
    /// What to do now.
    pub hint: Option<String>,
    /// What a program wants to know of it, for `--json`.
    pub data: Option<Box<Value>>,
}

impl Failure {
    /// A failure with its own message.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self::of(exit, anyhow::anyhow!("{message}"))
    }

    /// A failure because of a library's error.
    pub fn of(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), hint: None, data: None }
    }

    /// Adds what to do now, where there is anything.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<&str>) -> Self {
        self.hint = hint.map(str::to_owned);
        self
    }

    /// Adds what to do now.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Adds what a program wants to know, an object: its members go into the one document of `--json`.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// Puts what was being done in front of the error.
    #[must_use]
    pub fn context(mut self, what: impl Display + Send + Sync + 'static) -> Self {
        self.error = self.error.context(what);
        self
    }
}

/// Turns a library's error into a [`Failure`].
pub trait Fail<T> {
    /// With this exit code.
    fn fail(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Fail<T> for Result<T, E> {
    fn fail(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure::of(exit, error))
    }
}

/// Prints how a command ended and gives its exit code: the error chain once, then the hint. With
/// `--json` the same goes to standard output as one document.
pub fn report(output: &Output, program: &str, result: Result<Exit, Failure>) -> Exit {
    let failure = match result {
        Ok(exit) => return exit,
        Err(failure) => failure,
    };
    let Failure { exit, error, hint, data } = failure;
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    if output.is_json() {
        output.json(&document(&chain, hint.as_deref(), exit, data));
    }
    let mut message = format!("{program}: {}", chain.join(": "));
    for line in hint.iter().flat_map(|h| h.lines()) {
        message.push_str("\nhint: ");
        message.push_str(line);
    }
    // a closed standard error leaves nobody to tell
    let _ = writeln!(anstream::stderr(), "{message}");
    exit
}

/// One document: what is known, and why it ended.
fn document(chain: &[String], hint: Option<&str>, exit: Exit, data: Option<Box<Value>>) -> Value {
    let mut document = data.map_or_else(|| json!({}), |data| *data);
    document["error"] = chain.join(": ").into();
    document["hint"] = hint.into();
    document["exit"] = exit.code().into();
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("disk: read failed")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn carries_the_chain() {
        let result: Result<(), Outer> = Err(Outer(std::io::Error::other("unplugged")));
        let failure = result.fail(Exit::Stick).unwrap_err().context("stick: reading").hint("plug it in");
        let chain: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
        assert_eq!(chain, ["stick: reading", "disk: read failed", "unplugged"]);
        assert_eq!((failure.exit, failure.hint.as_deref()), (Exit::Stick, Some("plug it in")));
    }

    #[test]
    fn data_and_error_are_one_document() {
        let failure = Failure::new(Exit::Refused, "busy").with_data(json!({"decision": "refused"}));
        let document = document(&["busy".into()], None, failure.exit, failure.data);
        assert_eq!(document, json!({"decision": "refused", "error": "busy", "hint": null, "exit": 4}));
    }

    #[test]
    fn a_good_end_passes_through() {
        assert_eq!(report(&Output::default(), "x", Ok(Exit::Refused)), Exit::Refused);
    }
}

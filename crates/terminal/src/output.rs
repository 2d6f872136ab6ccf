use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that wants it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes this choice hold for the whole process.
    pub fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

/// Where a command's words go: data to standard output, everything else to standard error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output {
    json: bool,
}

impl Output {
    /// With `json`, [`Output::data`] is silent and [`Output::json`] speaks; without, the reverse.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads the output.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// A line of data for a person.
    pub fn data(self, line: impl Display) {
        if !self.json {
            // a reader that went away (`| head`) has what it wanted
            let _ = writeln!(anstream::stdout(), "{line}");
        }
    }

    /// One JSON document on one line, for a program.
    pub fn json(self, document: &impl Serialize) {
        if !self.json {
            return;
        }
        let Ok(text) = serde_json::to_string(document) else { return };
        let mut out = anstream::stdout();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// A remark beside the data.
    pub fn note(self, line: impl Display) {
        let _ = writeln!(anstream::stderr(), "{line}");
    }

    /// Something that did not stop the command but should be known.
    pub fn warn(self, line: impl Display) {
        let _ = writeln!(anstream::stderr(), "warning: {line}");
    }
}

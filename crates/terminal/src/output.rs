use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal that wants it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The options of every command of both programs that say how it speaks.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct OutputArgs {
    /// Print one JSON document (JSON lines for long jobs) on standard output
    #[arg(long, global = true)]
    json: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Say more about what is done
    #[arg(short, long, global = true)]
    verbose: bool,
}

impl OutputArgs {
    /// Makes the choice of colour hold for the whole process.
    pub fn apply(self) -> Output {
        match self.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Output { json: self.json, verbose: self.verbose }
    }
}

/// Where a command's words go: data to standard output, everything else to standard error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output {
    json: bool,
    verbose: bool,
}

impl Output {
    /// With `json`, [`Output::data`] is silent and [`Output::json`] speaks; without, the reverse.
    pub fn new(json: bool) -> Self {
        Self { json, verbose: false }
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

    /// A remark for those who want to see more.
    pub fn detail(self, line: impl Display) {
        if self.verbose {
            self.note(line);
        }
    }

    /// Something that did not stop the command but should be known.
    pub fn warn(self, line: impl Display) {
        let _ = writeln!(anstream::stderr(), "warning: {line}");
    }
}

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use keys::durable;
use terminal::{Exit, Fail as _, Failure};

use super::text;
use crate::fleet::{Fleet, ReportError, page, spreadsheet};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For a person at a terminal
    Text,
    /// For programs: one document
    Json,
    /// For spreadsheets: a line for each recorder
    Csv,
    /// One page for a browser, with charts
    Html,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
        })
    }
}

impl Format {
    /// As the name of a file ends.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "txt" => Some(Self::Text),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }

    /// What every report of this format begins with, and hardly any other file.
    fn beginning(self) -> String {
        match self {
            Self::Text => text::BEGINNING.into(),
            Self::Json => "{\"format\":1,\"report\":\"fleet\"".into(),
            Self::Csv => spreadsheet::COLUMNS.join(","),
            Self::Html => page::BEGINNING.into(),
        }
    }

    /// The report.
    pub(super) fn written(self, report: &Fleet<'_>) -> Result<String, ReportError> {
        Ok(match self {
            Self::Text => text::lines(report).join("\n") + "\n",
            Self::Json => serde_json::to_string(report)? + "\n",
            Self::Csv => spreadsheet::csv(report)?,
            Self::Html => page::page(report)?,
        })
    }
}

/// Before anything is read.
pub(super) fn may_have_name(path: &Path, format: Format, replace: bool) -> Result<(), Failure> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.fail(Exit::Usage).map_err(|failure| named(failure, path))?,
    };
    let beginning = format.beginning();
    let mut there = vec![0; beginning.len()];
    let ours = file.read_exact(&mut there).is_ok() && there == beginning.as_bytes();
    let (what, hint) = match (ours, replace) {
        (true, true) => return Ok(()),
        (true, false) => ("is there already", "it is such a report: --replace replaces it"),
        (false, _) => (
            "is there already, and is no fleet report of this format",
            "it is never replaced: name another file, or move it away",
        ),
    };
    let message = format!("file {} {what}; nothing was written", path.display());
    Err(Failure::new(Exit::Refused, message).hint(hint))
}

/// Whole or not at all, and for nobody but its owner: it is a list of what is weak.
pub(super) fn write(path: &Path, format: Format, replace: bool, report: &Fleet<'_>) -> Result<(), Failure> {
    let text = format.written(report).fail(Exit::Internal)?;
    let write = if replace { durable::write_atomic } else { durable::create_new };
    write(path, text.as_bytes(), 0o600).fail(Exit::Usage).map_err(|failure| named(failure, path))
}

fn named(failure: Failure, path: &Path) -> Failure {
    failure.context(format!("file {}", path.display())).hint("name a place that can be written with --output")
}

//! The guides name every way in which a command ends, and every command in them is one.

use std::fs::read_to_string;

use applier::event::{Outcome, Reason};
use applier::stage::Stage;
use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};
use journeys::variants::variants;
use terminal::Exit;

use crate::root;

const GUIDES: [&str; 3] = ["docs/guide-depot.md", "docs/guide-technician.md", "docs/supported-recorders.md"];

fn technician() -> String {
    read_to_string(root().join("docs/guide-technician.md")).unwrap()
}

/// The n-th cells of the table below a heading.
fn cells(text: &str, heading: &str, n: usize) -> Vec<String> {
    let section = text.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.split('|').nth(n).unwrap().trim().trim_matches('`').to_owned()).collect()
}

fn first_cells(text: &str, heading: &str) -> Vec<String> {
    cells(text, heading, 1)
}

#[test]
fn every_exit_code_stands_in_the_guide() {
    let codes: Vec<String> =
        Exit::HELP.lines().skip(1).map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 13);
    assert_eq!(first_cells(&technician(), "\n## Exit codes\n"), codes);
}

#[test]
fn every_reason_of_an_outcome_stands_in_the_guide_once() {
    let mut told = first_cells(&technician(), "\n## How a run ended\n");
    told.sort();
    let reasons: Vec<String> = variants::<Reason>().into_iter().collect();
    assert!(reasons.len() > 20, "{reasons:?}");
    assert_eq!(told, reasons);
}

#[test]
fn exit_codes_beside_a_reason_are_those_that_it_can_have() {
    let (text, heading) = (technician(), "\n## How a run ended\n");
    let told = first_cells(&text, heading).into_iter().zip(cells(&text, heading, 2));
    let ends = [Stage::Confirmed, Stage::ChangedNotToTarget, Stage::Refused, Stage::Failed, Stage::Unknown];
    for (name, exits) in told {
        let reason: Reason = serde_json::from_str(&format!("\"{name}\"")).unwrap();
        let outcome =
            |stage| Outcome { stage, reason, detail: String::new(), after: None, pushes: 1, backup: None };
        let possible = ends.map(|stage| outcome(stage).exit().code().to_string());
        let said: Vec<&str> =
            exits.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).collect();
        assert!(!said.is_empty(), "{name}");
        for exit in said {
            assert!(possible.iter().any(|possible| possible == exit), "{name}: {exit}");
        }
    }
}

#[test]
fn every_refusal_stands_in_the_guide_once() {
    let source = read_to_string(root().join("crates/applier/src/plan/refusal.rs")).unwrap();
    let codes = source.split("pub fn code(").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let mut codes: Vec<String> = codes.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(codes.len() > 15, "{codes:?}");
    codes.sort();
    let mut told = first_cells(&technician(), "\n## What is refused before anything is sent\n");
    told.sort();
    assert_eq!(told, codes);
}

/// Each message begins as one does that stands in the sources: what differs is a hole on both sides.
#[test]
fn every_message_of_the_guide_is_one() {
    let sources: String = ["applier", "drive", "isapi", "keys", "link", "stick", "tuf-client", "terminal"]
        .iter()
        .flat_map(|name| journeys::site::files(&root().join("crates").join(name).join("src")).into_values())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    let messages = first_cells(&technician(), "\n## Messages\n");
    assert!(messages.len() > 20, "{messages:?}");
    for message in messages {
        for words in message.split('…').map(str::trim).filter(|words| words.len() > 2) {
            let words = words.trim_end_matches(':');
            assert!(sources.contains(words), "{message}: nothing says {words:?}");
        }
    }
}

/// A command as it stands in a guide, and whether it stands alone: in a text it may lack what it needs.
fn commands(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        if number % 2 == 1 {
            let lines = part.lines().map(|line| line.split(" #").next().unwrap().trim());
            found.extend(lines.map(|line| (line.to_owned(), true)));
        } else {
            found.extend(part.split('`').skip(1).step_by(2).map(|code| (code.to_owned(), false)));
        }
    }
    found.retain_mut(|(line, _)| {
        *line = line.trim_start_matches("sudo ").to_owned();
        line.starts_with("fetcher ") || line.starts_with("applier ")
    });
    found
}

/// The words of a line, with something in the place of what a person puts in.
fn parsed(line: &str) -> Vec<String> {
    let word = |word: &str| match word {
        "HEX" => "a1".repeat(32),
        "LAPTOP" => "a1".repeat(8),
        "ADDRESS" => "192.168.1.64".into(),
        "ID" => "nvr-k51-4.61.025-230421".into(),
        "MODEL" => "DS-7608NI-I2".into(),
        "N" => "41".into(),
        word => word.into(),
    };
    line.split_whitespace().map(word).collect()
}

fn command(line: &str) -> Command {
    if line.starts_with("applier") { applier::cli::Cli::command() } else { fetcher::cli::Cli::command() }
}

#[test]
fn every_command_of_the_guides_is_understood() {
    let mut seen = 0;
    for guide in GUIDES {
        for (line, alone) in commands(&read_to_string(root().join(guide)).unwrap()) {
            seen += 1;
            let Err(error) = command(&line).try_get_matches_from(parsed(&line)) else { continue };
            let lacks = [
                ErrorKind::MissingRequiredArgument,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                ErrorKind::MissingSubcommand,
            ];
            assert!(!alone && lacks.contains(&error.kind()), "{guide}: {line}: {error}");
        }
    }
    assert!(seen > 80, "only {seen} commands were found");
}

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::case::Row;
use crate::fault::{ALL, Fault};

const HEAD: &str = "# Runs that were killed\n\n`applier apply` is killed at every line of its journal and at every write to a socket (`tests/tests/killed/`). Each row says\nwhere the journal was left, what `applier resume` then says (reason code and exit code), what it says once a person has\nrestarted the recorder, where that was needed, what a plain `applier apply` does after that, on a recorder that is in good order\nagain, and how many pushes the recorder counted before and after that last one. Made by\n`COURIER_UPDATE_DOCS=1 cargo test -p journeys --test killed`.\n";
const COLUMNS: &str =
    "| left at | `resume` | after a restart by hand | then `apply` | pushes |\n|---|---|---|---|---|\n";

/// Whether the document is written instead of compared.
pub(crate) fn is_updated() -> bool {
    std::env::var_os("COURIER_UPDATE_DOCS").is_some()
}

/// Holds that the rows of a fault stand in the document, and no others if these are all.
pub(crate) fn hold(fault: &Fault, rows: &[Row], all: bool) {
    let rows: BTreeSet<String> = rows.iter().map(ToString::to_string).collect();
    let mut there = sections(&read_to_string(path()).unwrap_or_default());
    if is_updated() {
        update(fault, rows);
        return;
    }
    let there = there.remove(fault.name).unwrap_or_default();
    let unknown: Vec<&String> = rows.difference(&there).collect();
    assert!(unknown.is_empty(), "{}: not in docs/run-faults.md: {unknown:#?}", fault.name);
    if all {
        let gone: Vec<&String> = there.difference(&rows).collect();
        assert!(gone.is_empty(), "{}: did not happen: {gone:#?}", fault.name);
    }
}

/// Puts the rows of one fault in their place; several tests may do so at once.
fn update(fault: &Fault, rows: BTreeSet<String>) {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path()).unwrap();
    file.lock().unwrap();
    let mut sections = sections(&read_to_string(path()).unwrap());
    sections.insert(fault.name.into(), rows);
    let mut text = String::from(HEAD);
    for Fault { name, words, .. } in ALL {
        let Some(rows) = sections.get(*name) else { continue };
        write!(text, "\n## {name}: {words}\n\n{COLUMNS}").unwrap();
        for row in rows {
            writeln!(text, "{row}").unwrap();
        }
    }
    file.set_len(0).unwrap();
    (&file).write_all(text.as_bytes()).unwrap();
}

/// The rows of each fault.
fn sections(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let sections = text.split("\n## ").skip(1).filter_map(|section| section.split_once(": "));
    let rows = |text: &str| {
        text.lines().filter(|l| l.starts_with("| ") && !COLUMNS.contains(l)).map(str::to_owned).collect()
    };
    sections.map(|(name, text)| (name.to_owned(), rows(text))).collect()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/run-faults.md")
}

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::case::Row;
use crate::fault::{ALL, Fault};

const HEAD: &str = "# Runs that were killed\n\n`applier apply` is killed at every line of its journal, with that line whole and torn, and at every write to a socket\n(`tests/tests/killed/`); then come `applier resume`, a person who restarts the recorder, or finds it elsewhere, where only that helps,\nand a plain `applier apply` on a recorder that is in good order again. Made by\n`COURIER_TEST_FULL=1 COURIER_UPDATE_DOCS=1 cargo test -p journeys --test killed`.\n";
const SUMMARY: &str = "\nIn short: for each fault and each stage at which the journal was left, the exit codes of `resume`; with `8, then` those once\na person has seen to the recorder. Pushes are the most that the recorder ever counted before a person asked for another: never two.\n\n";
const DETAILS: &str = "\nBelow, each row says where the journal was left, what `resume` says (reason and exit code), what it says once a person has\nseen to the recorder, what `apply` does then, and how many pushes the recorder counted before and after that last one.\n";
const COLUMNS: &str =
    "| left at | `resume` | once a person has seen to it | then `apply` | pushes |\n|---|---|---|---|---|\n";

/// Columns of the summary, and the stages that each is for.
const STAGES: [(&str, &[&str]); 7] = [
    ("not begun", &["no line", "planned", "backed-up"]),
    ("uploading", &["uploading"]),
    ("flashing", &["flashing"]),
    ("reboot requested", &["reboot-requested"]),
    ("rebooting", &["rebooting"]),
    ("returned", &["returned"]),
    ("end", &["confirmed", "refused", "failed", "changed-not-to-target", "unknown"]),
];

/// Whether the document is written instead of compared.
pub(crate) fn is_updated() -> bool {
    std::env::var_os("COURIER_UPDATE_DOCS").is_some()
}

/// Holds that the rows of a fault stand in the document, and no others if these are all.
pub(crate) fn hold(fault: &Fault, rows: &[Row], all: bool) {
    let rows: BTreeSet<String> = rows.iter().map(ToString::to_string).collect();
    let mut there = sections(&read_to_string(path()).unwrap_or_default());
    if is_updated() {
        update(fault, rows, all);
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

/// Puts rows of one fault in their place; several tests may do so at once.
fn update(fault: &Fault, rows: BTreeSet<String>, all: bool) {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path()).unwrap();
    file.lock().unwrap();
    let mut sections = sections(&read_to_string(path()).unwrap());
    let there = sections.entry(fault.name.into()).or_default();
    if all {
        there.clear();
    }
    there.extend(rows);
    let text = document(&sections);
    file.set_len(0).unwrap();
    (&file).write_all(text.as_bytes()).unwrap();
}

fn document(sections: &BTreeMap<String, BTreeSet<String>>) -> String {
    let there: Vec<_> = ALL.iter().filter_map(|fault| Some((fault, sections.get(fault.name)?))).collect();
    let mut text = format!("{HEAD}{SUMMARY}| fault |");
    for (stage, _) in STAGES {
        write!(text, " {stage} |").unwrap();
    }
    writeln!(text, " pushes |\n|---|{}---|", "---|".repeat(STAGES.len())).unwrap();
    for (fault, rows) in &there {
        writeln!(text, "{}", in_short(fault, rows)).unwrap();
    }
    text.push_str(DETAILS);
    for (Fault { name, words, .. }, rows) in there {
        write!(text, "\n## {name}: {words}\n\n{COLUMNS}").unwrap();
        for row in rows {
            writeln!(text, "{row}").unwrap();
        }
    }
    text
}

/// The row of a fault in the summary.
fn in_short(fault: &Fault, rows: &BTreeSet<String>) -> String {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').map(str::trim).collect()).collect();
    let code = |verdict: &str| verdict.rsplit(' ').next().unwrap().to_owned();
    let mut text = format!("| {} |", fault.words);
    for (_, stages) in STAGES {
        let left = rows.iter().filter(|row| stages.contains(&row[1].split(',').next().unwrap()));
        let codes: BTreeSet<String> = left
            .map(|row| {
                if row[3] == "-" { code(row[2]) } else { format!("{}, then {}", code(row[2]), code(row[3])) }
            })
            .collect();
        let codes: Vec<String> = codes.into_iter().collect();
        write!(text, " {} |", if codes.is_empty() { "-".into() } else { codes.join("; ") }).unwrap();
    }
    let pushes = rows.iter().filter_map(|row| row[5].split(',').next()?.parse::<u64>().ok()).max();
    format!("{text} {} |", pushes.unwrap_or_default())
}

/// The rows of each fault.
fn sections(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let sections = text.split("\n## ").skip(1).filter_map(|section| section.split_once(": "));
    let rows = |text: &str| {
        text.lines()
            .filter(|l| l.starts_with("| ") && !l.starts_with("| left at |"))
            .map(str::to_owned)
            .collect()
    };
    sections.map(|(name, text)| (name.to_owned(), rows(text))).collect()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/run-faults.md")
}

#[test]
fn the_document_is_whole_and_its_summary_that_of_its_rows() {
    if is_updated() {
        return;
    }
    let text = read_to_string(path()).unwrap();
    let sections = sections(&text);
    assert_eq!(
        sections.keys().cloned().collect::<BTreeSet<_>>(),
        ALL.iter().map(|f| f.name.into()).collect()
    );
    assert_eq!(document(&sections), text);
}

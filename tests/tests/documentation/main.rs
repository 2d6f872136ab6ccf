//! What the documents say is what is there: generated parts are current, and every path exists.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod guides;
mod supported;

use std::fmt::Write;
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use applier::stage::{self, Move};
use journeys::programs::program;

/// Set, it writes what is generated instead of comparing it.
const UPDATE: &str = "COURIER_UPDATE_DOCS";

const WRITTEN_BY_HAND: [&str; 17] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/audit.md",
    "docs/fleet.md",
    "docs/formats.md",
    "docs/guide-depot.md",
    "docs/guide-technician.md",
    "docs/ledger.md",
    "docs/performance.md",
    "docs/simulator.md",
    "docs/supported-recorders.md",
    "docs/sync.md",
    "docs/upstream-listing.md",
    "docs/threat-model.md",
    "firmware-manifests/README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn commands_are_documented_by_their_own_help() {
    let mut text = String::from(
        "# Commands\n\nThe help of all programs, as they print it; what is the same for every command stands once. Made by\n`COURIER_UPDATE_DOCS=1 cargo test -p journeys --test documentation`; the same test holds it current.\n",
    );
    for name in ["fetcher", "applier", "nvr-sim"] {
        help(&mut text, name, &[], &[]);
    }
    assert_current("docs/commands.md", &text);
}

/// Adds the help of a program or one of its commands, and of all commands below. What every command
/// says of the program's global options stands once, with the program.
fn help(text: &mut String, name: &str, command: &[&str], global: &[&str]) {
    let output =
        Command::new(program(name)).args(command).arg("--help").env("COLUMNS", "100").output().unwrap();
    assert!(output.status.success(), "{name} {command:?}");
    let help = String::from_utf8(output.stdout).unwrap();
    // a home directory in a default would be the machine's
    assert!(!help.contains("/home/") && !help.contains("/root"), "{help}");
    let help = help.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
    let chunks = chunks(&help);
    let own: String = chunks.iter().filter(|chunk| !global.contains(&chunk.trim())).copied().collect();
    let title = [&[name], command].concat().join(" ");
    let level = if command.is_empty() { "##" } else { "###" };
    write!(text, "\n{level} {title}\n\n```text\n{}\n```\n", own.trim_end()).unwrap();
    let options: Vec<&str> =
        chunks.iter().map(|chunk| chunk.trim()).filter(|chunk| chunk.starts_with('-')).collect();
    let global = if command.is_empty() { &options } else { global };
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in commands.take_while(|line| line.starts_with("  ")) {
        // a continued description is indented further
        let below = line.strip_prefix("  ").filter(|line| !line.starts_with(' '));
        if let Some(below) =
            below.and_then(|line| line.split_whitespace().next()).filter(|name| *name != "help")
        {
            self::help(text, name, &[command, &[below]].concat(), global);
        }
    }
}

/// Help in pieces: each option with all that is said of it, each other line by itself.
fn chunks(help: &str) -> Vec<&str> {
    let mut starts = vec![];
    let mut at = 0;
    for line in help.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        // an option stands at column 2 or 6, what is said of it further in
        if indent == 0 && line != "\n" || indent <= 6 && line.trim_start().starts_with('-') {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(at);
    starts.windows(2).map(|ends| &help[ends[0]..ends[1]]).collect()
}

#[test]
fn hostile_repositories_are_listed_with_what_becomes_of_them() {
    let mut text = String::from(
        "# Hostile repositories\n\nWhat is done to a good repository, and what the client says: one case for each file of\n`tests/hostile/tuf/`. In each the same repository without the defect is accepted, and what is trusted\nafterwards is what was trusted before or what was verified, byte for byte. Where there is an exit code,\nit is that of `applier verify`. Made by `COURIER_UPDATE_DOCS=1 cargo test -p journeys --test documentation`.\n\n| case | defect | outcome | exit |\n|---|---|---|---|\n",
    );
    let folder = root().join("tests/hostile/tuf");
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let case: toml::Table = read_to_string(&file).unwrap().parse().unwrap();
        let said = |member: &str| case[member].as_str().unwrap().replace('\\', "\\\\").replace('*', "\\*");
        let exit = case.get("exit").map_or_else(|| "-".to_string(), ToString::to_string);
        let name = file.file_stem().unwrap().to_str().unwrap();
        writeln!(text, "| {name} | {} | {} | {exit} |", said("defect"), said("outcome")).unwrap();
    }
    assert_current("docs/hostile-tuf.md", &text);
}

#[test]
fn faults_of_recorders_are_listed_with_what_becomes_of_them() {
    let mut text = String::from(
        "# Faults of recorders\n\nWhat a recorder does, the keys of a scenario ([simulator.md](simulator.md)) that make the simulated one do it, and what\n`applier apply`, or the command that is named, makes of it: exit code, result and reason in the statement, pushes that the\nrecorder admitted and how many of them it had whole, what it runs afterwards, what is said, and what to do now. Each row is a\njourney, described in `tests/faults/` and held by `tests/tests/journeys/recorder_faults.rs`, which also holds of every one that\nnothing is pushed twice, no success is told that the recorder does not show, and no password is tried twice or sent in the\nclear; after exit 8 and the last byte, the same command is given again to a recorder in good order, and pushes nothing.\n`…` differs from run to run. Made by `COURIER_UPDATE_DOCS=1 cargo test -p journeys --test documentation`.\n",
    );
    let folder = root().join("tests/faults");
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let group: toml::Table = read_to_string(&file).unwrap().parse().unwrap();
        let head = "| the recorder | exit | statement | pushes | whole | runs | said |\n|---|---|---|---|---|---|---|";
        writeln!(text, "\n## {}\n\n{head}", group["title"].as_str().unwrap()).unwrap();
        for case in group["case"].as_array().unwrap() {
            writeln!(text, "{}", fault_row(case.as_table().unwrap())).unwrap();
        }
    }
    assert_current("docs/recorder-faults.md", &text);
}

fn fault_row(case: &toml::Table) -> String {
    let expect = case["expect"].as_table().unwrap();
    let said = |table: &toml::Table, key: &str| {
        let escaped = table.get(key)?.as_str()?.replace('\\', "\\\\").replace('|', "\\|");
        Some(escaped.replace('<', "&lt;").replace('*', "\\*"))
    };
    let command = said(case, "command").map(|name| format!(" (`{name}`)")).unwrap_or_default();
    let mut recorder = vec![said(case, "fault").unwrap() + &command];
    recorder.extend(case.get("recorder").map(|told| keys("", told)).unwrap_or_default());
    let hint = said(expect, "hint").map(|hint| format!("<br>hint: {hint}")).unwrap_or_default();
    let runs = said(expect, "runs").unwrap().replace(':', " build ");
    format!(
        "| {} | {} | {} | {} | {} | {runs} | {}{hint} |",
        recorder.join("<br>"),
        expect["exit"],
        said(expect, "statement").unwrap_or_else(|| "-".into()),
        expect["pushes"],
        expect["bodies"],
        said(expect, "message").unwrap(),
    )
}

/// The keys of a scenario as they may be written one by one.
fn keys(path: &str, told: &toml::Value) -> Vec<String> {
    let Some(table) = told.as_table() else {
        // what turns a line around in a terminal would do so here
        let plain = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04X}", u32::from(c)) };
        let told: String = told.to_string().replace('|', "\\|").chars().map(plain).collect();
        return vec![format!("`{path} = {told}`")];
    };
    let dot = if path.is_empty() { "" } else { "." };
    table.iter().flat_map(|(key, value)| keys(&format!("{path}{dot}{key}"), value)).collect()
}

#[test]
fn stages_are_drawn_from_the_table_of_moves() {
    let mut text = format!(
        "# Stages of a run\n\nMade from the table of moves in `crates/applier/src/stage.rs` by\n`COURIER_UPDATE_DOCS=1 cargo test -p journeys --test documentation`. Each stage is journaled and on the disk\nbefore what it names is done; each arrow is a method.\n\n```mermaid\n{}```\n\n| move | from | to |\n|---|---|---|\n",
        stage::drawing()
    );
    for Move { name, from, to } in stage::MOVES {
        let from: Vec<String> = from.iter().map(|from| format!("{from:?}")).collect();
        writeln!(text, "| `{name}` | {} | {to:?} |", from.join(", ")).unwrap();
    }
    assert_current("docs/stages.md", &text);
}

/// What a check says, as a cell of a table.
fn cell(check: &toml::Table, member: &str) -> String {
    check.get(member).map_or_else(|| "-".into(), |text| text.as_str().unwrap().replace('|', "\\|"))
}

fn words(check: &toml::Table, member: &str) -> Vec<String> {
    let list = check[member].as_array().unwrap();
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn checks_of_an_audit_are_documented_from_their_data() {
    // what stands before the checks is written by hand
    const BEGIN: &str = "\n## What is checked\n";
    let there = read_to_string(root().join("docs/audit.md")).unwrap();
    let before = there.split_once(BEGIN).map_or(&*there, |(before, _)| before);
    let data = read_to_string(root().join("crates/applier/src/audit/checks.toml")).unwrap();
    let data: toml::Table = data.parse().unwrap();
    let checks: Vec<&toml::Table> =
        data["check"].as_array().unwrap().iter().map(|check| check.as_table().unwrap()).collect();
    let profiles = ["air-gapped", "segmented", "internet"];
    let mut text = before.to_owned()
        + BEGIN
        + "\n| check | severity | air-gapped | segmented | internet |\n|---|---|---|---|---|\n";
    for check in &checks {
        let of = words(check, "profiles");
        let marks = profiles.map(|profile| if of.iter().any(|p| p == profile) { "yes" } else { "-" });
        let (id, title, severity) = (cell(check, "id"), cell(check, "title"), cell(check, "severity"));
        writeln!(text, "| {id} {title} | {severity} | {} |", marks.join(" | ")).unwrap();
    }
    for check in &checks {
        writeln!(text, "\n### {}: {}\n", cell(check, "id"), cell(check, "title")).unwrap();
        let reads = words(check, "reads").iter().map(|path| format!("`{path}`")).collect::<Vec<_>>();
        let reads = if reads.is_empty() { "nothing".to_owned() } else { reads.join(", ") };
        let rows = [
            ("read", reads),
            ("looked at", cell(check, "looks_at")),
            ("expected", cell(check, "expected")),
            ("to mend it", cell(check, "mend")),
            ("note", cell(check, "note")),
            ("vendor's guide", cell(check, "guide")),
            ("where path and nodes are from", cell(check, "path_evidence")),
            ("where the value is from", cell(check, "value_evidence")),
        ];
        text.push_str("| | |\n|---|---|\n");
        for (label, said) in rows.iter().filter(|(_, said)| said != "-") {
            writeln!(text, "| {label} | {said} |").unwrap();
        }
    }
    assert_current("docs/audit.md", &text);
}

#[test]
fn the_example_of_a_site_file_is_one() {
    let text = read_to_string(root().join("docs/formats.md")).unwrap();
    let example = text.split("## Sites").nth(1).and_then(|text| text.split("```toml\n").nth(1));
    let example = example.and_then(|text| text.split("```").next()).unwrap();
    let site: firmware::site::Site = toml::from_str(example).unwrap();
    assert_eq!((site.faults(), site.recorders.len()), (Vec::new(), 2));
}

fn assert_current(document: &str, text: &str) {
    let path = root().join(document);
    if std::env::var_os(UPDATE).is_some() {
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    }
    let there = read_to_string(&path).unwrap_or_default();
    let differs = there.lines().zip(text.lines()).position(|(there, made)| there != made);
    assert!(there == text, "{document} is not current at line {differs:?}: run again with {UPDATE}=1");
}

#[test]
fn every_path_in_a_document_exists() {
    let mut seen = 0;
    for document in WRITTEN_BY_HAND {
        let text = read_to_string(root().join(document)).unwrap();
        for path in paths(&text) {
            seen += 1;
            let here = root().join(document).parent().unwrap().join(path);
            assert!(root().join(path).exists() || here.exists(), "{document}: {path}");
        }
    }
    assert!(seen > 30, "only {seen} paths were found");
}

/// What stands in backticks and is a path of this repository, and where links lead.
fn paths(text: &str) -> Vec<&str> {
    const TOP: [&str; 6] = ["crates/", "docs/", "firmware-manifests/", "scripts/", "tests/", ".ci/"];
    let quoted = text.split('`').skip(1).step_by(2);
    let quoted = quoted.filter(|word| TOP.iter().any(|top| word.starts_with(top)));
    let quoted = quoted.filter(|word| !word.contains(['<', ' ', '*', '…']));
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    quoted.chain(links.filter(|link| !link.is_empty() && !link.contains("://"))).collect()
}

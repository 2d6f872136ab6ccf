//! `docs/tuf-clauses.md` says where every clause is carried out and tested: no clause is left out, and
//! every name in it is in the file that it names.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// Section 5 from 5.1 on, by how many steps each subsection has.
const STEPS: [(&str, usize); 5] = [("5.3", 12), ("5.4", 5), ("5.5", 7), ("5.6", 7), ("5.7", 3)];

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cells of each row, by clause.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = read_to_string(here().join("../../docs/tuf-clauses.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| clause"));
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_string()).skip(1).collect::<Vec<_>>();
    rows.map(cells).map(|cells| (cells[0].clone(), cells)).collect()
}

/// The names in a cell, each with the file before it.
fn named(cell: &str) -> Vec<(PathBuf, String)> {
    let (mut file, mut names) = (None, Vec::new());
    for word in cell.split('`').skip(1).step_by(2) {
        if let Some(path) = word.strip_prefix("keys/") {
            file = Some(here().join("../keys/src").join(path));
        } else if Path::new(word).extension().is_some() {
            file = Some(here().join("src").join(word));
        } else {
            names.push((file.clone().unwrap(), word.to_string()));
        }
    }
    names
}

/// What stands between these two, wherever it does.
fn between<'a>(text: &'a str, before: &'a str, after: char) -> BTreeSet<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

#[test]
fn every_difference_to_python_tuf_is_told_and_tested() {
    let document = read_to_string(here().join("../../docs/tuf-clauses.md")).unwrap();
    let told = between(&document, "(`test_", '`');
    let tests = read_to_string(here().join("interop/test_differences.py")).unwrap();
    assert!(!told.is_empty());
    assert_eq!(told, between(&tests, "    def test_", '('));
}

#[test]
fn every_clause_of_the_workflow_has_its_row() {
    let steps =
        STEPS.iter().flat_map(|(section, last)| (1..=*last).map(move |step| format!("{section}.{step}")));
    let whole = ["5.1", "5.2", "5.6.7.1", "5.6.7.2"].map(String::from);
    let table = table();
    for clause in steps.chain(whole) {
        assert!(table.contains_key(&clause), "{clause} has no row");
    }
}

#[test]
fn every_function_and_every_test_is_where_the_table_says() {
    for (clause, cells) in table() {
        let (functions, tests) = (named(&cells[2]), named(&cells[3]));
        assert!(!functions.is_empty() && !tests.is_empty(), "{clause}");
        for (file, name) in functions {
            let text = read_to_string(&file).unwrap();
            let shipped = text.split("#[cfg(test)]").next().unwrap();
            let defined = ["(", "<"].iter().any(|after| shipped.contains(&format!("fn {name}{after}")));
            assert!(defined, "{clause}: no function {name} in {}", file.display());
        }
        for (file, name) in tests {
            let text = read_to_string(&file).unwrap();
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            let definition = ["#[test]".to_string(), format!("fn {name}() {{")];
            let defined = lines.windows(2).any(|pair| pair == definition);
            assert!(defined, "{clause}: no test {name} in {}", file.display());
        }
    }
}

//! `docs/torn-sticks.md`: written, or compared with what happened.

use std::fmt::Write as _;
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::Path;

use crate::fault::Fault;

const HEAD: &str = "# Sticks that were torn\n\n\
    A stick that carries one publication is loaded with the next, and something goes wrong with the n-th change that is made to\n\
    it, for every n there is: files created, written, cut and removed, in the order of `crates/stick/src/write.rs`. Then it is\n\
    opened as the applier does, on a laptop that has seen the publication before and on one that has not, and every target is\n\
    read. It is the previous publication, whole; the new one, whole; or rejected. Where the fault leaves open what had arrived,\n\
    each possibility is a stick of its own. After each, loading it again makes it whole.\n\n\
    Held by `crates/stick/tests/writing/torn.rs`; made by\n\
    `COURIER_UPDATE_DOCS=1 cargo test -p stick --test writing`.\n\n";
const COLUMNS: &str = "| fault | n | sticks | previous | new | rejected | not carried | named as failing | unnoticed |\n\
    |---|---|---|---|---|---|---|---|---|\n";
const FOOT: &str = "\nThe n of *lying sync* counts syncs. *Named as failing*: for so many n other bytes came back than were written, and the message\n\
    says that the stick is failing or counterfeit. *Unnoticed*: sticks that were said to be loaded, and are not the new publication, or do\n\
    not carry all of it (*not carried*: the new publication, and one file of firmware is not there, which is told as such). That is left\n\
    where a stick forgets a name, and keeps the bytes: the system holds names in memory until the stick is plugged in anew. Then\n\
    `applier verify` sees it.\n";

/// What came of one fault.
#[derive(Debug)]
pub(crate) struct Row {
    fault: &'static str,
    words: &'static str,
    pub(crate) places: usize,
    pub(crate) previous: usize,
    pub(crate) new: usize,
    pub(crate) rejected: usize,
    pub(crate) not_carried: usize,
    pub(crate) named: usize,
    pub(crate) unnoticed: usize,
}

impl Row {
    pub(crate) fn of(fault: &Fault) -> Self {
        let Fault { name, words, .. } = fault;
        let (previous, new, rejected, not_carried) = (0, 0, 0, 0);
        Self { fault: name, words, places: 0, previous, new, rejected, not_carried, named: 0, unnoticed: 0 }
    }
}

/// Holds that the document says what happened.
pub(crate) fn hold(rows: &[Row]) {
    let mut text = format!("{HEAD}{COLUMNS}");
    for Row { fault, words, places, previous, new, rejected, not_carried, named, unnoticed } in rows {
        let sticks = previous + new + rejected + not_carried;
        writeln!(
            text,
            "| **{fault}**: {words} | 1 to {places} | {sticks} | {previous} | {new} | {rejected} | {not_carried} | {named} | {unnoticed} |"
        )
        .unwrap();
    }
    text.push_str(FOOT);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/torn-sticks.md");
    if std::env::var_os("COURIER_UPDATE_DOCS").is_some() {
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    }
    let there = read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "docs/torn-sticks.md is not current: run again with COURIER_UPDATE_DOCS=1\n{text}"
    );
}

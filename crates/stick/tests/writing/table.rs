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
const FOOT: &str = "\nThe n of *lying sync* counts syncs. *Named as failing*: for so many n other bytes came back than were written, or something was\n\
    not as it was left once the stick was mounted anew, and the message says that it is failing or counterfeit. *Not carried*: the new\n\
    publication, and one file of firmware is not there, which is told as such. *Unnoticed*: sticks that were said to be loaded, and are\n\
    not the new publication, or do not carry all of it. A stick may keep the bytes and forget a name: the system holds names in memory,\n\
    so it is seen only after the stick was mounted anew. Where somebody else has mounted the stick, the program cannot do that; then\n\
    `applier verify` sees it. The sticks of this table have no table of clusters: one that forgets that alone keeps names and sizes, and\n\
    `applier verify` sees it, too.\n";

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

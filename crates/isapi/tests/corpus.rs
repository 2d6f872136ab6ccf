//! The seeds of the fuzzers, replayed: real replies, and what was made to break parsers. A crash that
//! fuzzing finds is added here under a name that says what it is.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::fs;
use std::path::Path;

fn replay(kind: &str, entry: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(kind);
    let seeds: Vec<_> = dir.read_dir().unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(seeds.len() >= 4, "{kind}: {seeds:?}");
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        entry(&bytes);
        // what was cut off must be as harmless as the whole
        for length in 0..bytes.len().min(1024) {
            entry(&bytes[..length]);
        }
    }
}

#[test]
fn replies() {
    replay("isapi_replies", isapi::fuzz::reply);
}

#[test]
fn challenges() {
    replay("challenges", isapi::fuzz::challenge);
}

#[test]
fn certificates() {
    replay("certificates", isapi::fuzz::certificate);
}

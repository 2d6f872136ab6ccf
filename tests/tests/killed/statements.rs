use std::collections::BTreeMap;

use hex::encode;
use journeys::site::{Site, files};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Holds that the statements on the stick are one chain, and that every push that was stated to have begun
/// has an end after it.
pub(crate) fn hold(site: &Site) {
    let statements = site.statements();
    let mut envelopes: Vec<(u64, Vec<u8>)> = files(&site.path("stick/COURIER/receipts"))
        .into_iter()
        .map(|(name, bytes)| (number(&name), bytes))
        .collect();
    envelopes.sort();
    let mut by_counter: BTreeMap<u64, &Value> = BTreeMap::new();
    for statement in &statements {
        by_counter.insert(statement["counter"].as_u64().unwrap(), statement);
    }
    let mut previous: Option<String> = None;
    let mut open: BTreeMap<&str, bool> = BTreeMap::new();
    for (n, (counter, envelope)) in envelopes.iter().enumerate() {
        assert_eq!(*counter, n as u64 + 1, "a gap in the chain");
        let statement = by_counter[counter];
        assert_eq!(statement["previous"].as_str(), previous.as_deref(), "statement {counter}");
        previous = Some(encode(Sha256::digest(envelope)));
        let run = statement["run"].as_str().unwrap();
        open.insert(run, statement.get("result").is_none());
    }
    assert!(open.values().all(|open| !open), "a push without an end: {statements:?}");
}

fn number(name: &str) -> u64 {
    let stem = name.rsplit('/').next().unwrap().split('.').next().unwrap();
    stem.parse().unwrap()
}

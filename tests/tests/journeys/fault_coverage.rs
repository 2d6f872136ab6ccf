//! Every key of a scenario file, and every word that one of them knows, has a case in `tests/faults/`: they
//! are taken from the simulator's own types, so that a new one without a case fails here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use journeys::variants::variants;
use nvr_sim::{Algorithm, Builder, How, Profile, TlsFault, Verdict, WhileFlashing};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::recorder_faults::{FILES, group};

/// What no journey of an applier with a recorder at a known address can meet, and why.
const APART: [(&str, &str); 9] = [
    ("listen", "each recorder of a journey has a free port"),
    ("control", "the journeys hold the recorder itself"),
    ("sadp", "finding it is tested over a cable: tests/tests/cable/finding.rs"),
    ("faults.sadp_silent", "likewise"),
    ("faults.sadp_reply", "likewise: crates/link/tests/cable"),
    ("content.users", "no command reads them"),
    ("content.offered", "of what it names no command reads anything"),
    ("content.posture", "no command reads it"),
    ("content.backup", "no command takes one"),
];

fn told() -> Vec<Value> {
    let cases = FILES.iter().flat_map(|name| group(name).case);
    cases.flat_map(|case| case.told()).collect()
}

#[test]
fn every_key_of_a_scenario_has_a_case() {
    let whole = serde_json::to_value(Builder::scenario("", Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    let known = keys(&whole);
    let apart: BTreeSet<String> = APART.iter().map(|(key, _)| (*key).to_owned()).collect();
    // a change in the middle names every fault, most of them as good
    let used: BTreeSet<String> = told().iter().flat_map(|told| keys(&differing(told, &whole))).collect();
    let of_none: Vec<_> = known.difference(&used).filter(|key| !apart.contains(*key)).collect();
    assert_eq!(of_none, Vec::<&String>::new(), "these have no case in tests/faults/");
    let needless: Vec<_> = apart.iter().filter(|key| used.contains(*key) || !known.contains(*key)).collect();
    assert_eq!(needless, Vec::<&String>::new(), "these have a case, or are no keys");
}

#[test]
fn every_word_of_a_scenario_has_a_case() {
    hold::<Profile>("/profile");
    hold::<Verdict>("/faults/verdict");
    hold::<WhileFlashing>("/faults/while_flashing");
    hold::<TlsFault>("/faults/tls");
    hold::<Algorithm>("/login/algorithms");
    hold::<How>("/faults/answers");
}

/// Keys and, in the sections, `section.key`.
fn keys(scenario: &Value) -> BTreeSet<String> {
    let sections = ["login", "content", "faults"];
    let members = |of: &Value| of.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    let top: Vec<String> = members(scenario);
    let below = |key: String| -> Vec<String> {
        if !sections.contains(&key.as_str()) {
            return vec![key];
        }
        members(&scenario[&key]).into_iter().map(|inner: String| format!("{key}.{inner}")).collect()
    };
    top.into_iter().flat_map(below).collect()
}

/// Without the faults that are as in `whole`.
fn differing(told: &Value, whole: &Value) -> Value {
    let mut told = told.clone();
    if let Some(faults) = told.get_mut("faults").and_then(Value::as_object_mut) {
        faults.retain(|key, value| *value != whole["faults"][key] || key == "verdict");
    }
    told
}

/// Holds that every variant is somewhere at this place: itself, in a list, or as `how` of a list's tables.
#[track_caller]
fn hold<T: DeserializeOwned>(place: &str) {
    let told = told();
    let values = told.iter().filter_map(|told| told.pointer(place));
    let one_or_many =
        values.flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]));
    let used: BTreeSet<String> = one_or_many
        .filter_map(|value| Some(value.get("how").unwrap_or(&value).as_str()?.to_owned()))
        .collect();
    let known = variants::<T>();
    assert!(known.len() > 1, "{place}: {known:?}");
    assert_eq!(used, known, "{place}");
}

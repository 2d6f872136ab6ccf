//! Every fault of the simulator is among those that runs are killed with, or it is said here why not: they are
//! taken from the simulator's own types, so that a new one that is neither fails.

use std::collections::BTreeSet;

use journeys::variants::variants;
use nvr_sim::{Faults, Verdict, WhileFlashing};
use serde_json::Value;

use crate::fault::ALL;

/// Faults with which a killed run is like one with a recorder in good order, or is none, and why. What each
/// does to a run that is not killed is in `tests/faults/`.
const APART: [(&str, &str); 9] = [
    ("busy", "nothing is pushed to it: the plan is refused"),
    ("busy_status", "likewise"),
    ("logged_in", "nothing is pushed to it without a reason, and with one it is like any other"),
    ("disk_status", "likewise"),
    ("clock_offset", "it is told, and decides nothing"),
    ("tls", "it is met before anything is sent"),
    ("new_certificate", "after the restart nobody is asked: like one that stays away"),
    ("sadp_silent", "on loopback nobody is looked for: tests/tests/cable"),
    ("sadp_reply", "likewise"),
];

fn value(faults: &Faults) -> Value {
    serde_json::to_value(faults).unwrap()
}

#[test]
fn every_fault_that_a_push_can_meet_is_met_by_killed_runs() {
    let good = value(&Faults::default());
    let mut killed = BTreeSet::new();
    for fault in ALL {
        let faults = value(&fault.recorder().faults);
        let changed = faults.as_object().unwrap().iter().filter(|(key, value)| good[*key] != **value);
        killed.extend(changed.map(|(key, _)| key.clone()));
    }
    let apart = APART.iter().map(|(key, _)| (*key).to_owned());
    for key in apart.clone() {
        assert!(!killed.contains(&key), "{key} is not apart");
    }
    let told: BTreeSet<String> = killed.into_iter().chain(apart).collect();
    let known: BTreeSet<String> = good.as_object().unwrap().keys().cloned().collect();
    assert_eq!(told, known);
}

#[test]
fn every_verdict_and_every_way_to_flash_is_met_by_killed_runs() {
    let of = |key: &str| -> BTreeSet<String> {
        let words = ALL.iter().map(|fault| value(&fault.recorder().faults)[key].as_str().unwrap().to_owned());
        words.collect()
    };
    assert_eq!(of("verdict"), variants::<Verdict>());
    assert_eq!(of("while_flashing"), variants::<WhileFlashing>());
}

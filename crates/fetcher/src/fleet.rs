//! Ledger and catalogue to fleet report: which recorder runs what, and what is due. Pure.

use firmware::container::Container;
use firmware::{Choice, Model, Release, Revision, Serial, Text, choose, fits};
use jiff::Timestamp;
use receipt::LaptopId;
use serde::Serialize;

use crate::ledger::{Finding, LastWord};

/// Every recorder that a statement speaks of, and what is wrong with the statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// By serial.
    pub recorders: Vec<Recorder>,
    /// Gaps, forks, held statements.
    pub findings: Vec<Finding>,
}

/// One recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorder {
    /// As it says.
    pub serial: Serial,
    /// As it says.
    pub model: Model,
    /// What it is known to run; none where its state is unknown.
    pub runs: Option<Revision>,
    /// What that means.
    pub state: State,
    /// How the last run ended.
    pub last_result: Option<Text>,
    /// Why, in words.
    pub detail: Text,
    /// When, by the laptop's clock.
    pub seen: Timestamp,
    /// Who said so.
    pub laptop: LaptopId,
}

/// What is to be done about a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It runs the newest release that the catalogue lists for it, or a later one.
    Current,
    /// A newer release is listed.
    Due {
        /// Which.
        release: String,
    },
    /// A newer release is listed for the model, and is not for this recorder.
    Withheld {
        /// Which.
        release: String,
        /// Why not.
        reasons: Vec<String>,
    },
    /// Several are newest: a person must choose.
    Ambiguous {
        /// Which.
        releases: Vec<String>,
    },
    /// The catalogue lists nothing for this model.
    NoRelease,
    /// Its state is unknown: somebody must look at it.
    LookAtIt,
}

/// Joins what the ledger knows with what the catalogue lists.
pub fn fleet(words: Vec<LastWord>, releases: &[Release], findings: Vec<Finding>) -> Fleet {
    let recorders = words.into_iter().map(|word| Recorder {
        state: state(&word, releases),
        serial: word.device.serial,
        model: word.device.model,
        runs: word.revision,
        last_result: word.result,
        detail: word.detail,
        seen: word.claimed,
        laptop: word.laptop,
    });
    Fleet { recorders: recorders.collect(), findings }
}

fn state(word: &LastWord, releases: &[Release]) -> State {
    let Some(runs) = &word.revision else { return State::LookAtIt };
    match choose(releases, &word.device, None) {
        Choice::None => State::NoRelease,
        Choice::Ambiguous(several) => {
            State::Ambiguous { releases: several.iter().map(|r| r.id.to_string()).collect() }
        }
        Choice::One(newest) => {
            let newer = newest.revision.version > runs.version
                || (newest.revision.version == runs.version && newest.revision.build > runs.build);
            if !newer {
                return State::Current;
            }
            let release = newest.id.to_string();
            // only a plan sees the file itself, so its header says nothing here
            let reasons = fits(newest, &Container::Unknown, &word.device, None);
            if reasons.is_empty() {
                return State::Due { release };
            }
            State::Withheld { release, reasons: reasons.iter().map(ToString::to_string).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(revision: Option<&str>) -> LastWord {
        let device = serde_json::json!({"model": "DS-7608NI-I2", "serial": "S1", "version": "V4.1.0", "build": "190101"});
        LastWord {
            laptop: "0123456789abcdef".parse().unwrap(),
            claimed: Timestamp::UNIX_EPOCH,
            device: serde_json::from_value(device).unwrap(),
            revision: revision.map(|r| r.parse().unwrap()),
            result: Some(Text::cleaned("applied")),
            detail: Text::cleaned(""),
        }
    }

    fn release(id: &str, model: &str, version: &str, build: &str) -> Release {
        serde_json::from_value(serde_json::json!({"id": id, "family": "nvr", "models": [model], "version": version, "build": build})).unwrap()
    }

    #[test]
    fn each_state_follows_from_what_is_known() {
        let newest = [release("new", "DS-7608NI-I2", "V4.2.0", "200101")];
        let of = |revision, releases: &[Release]| {
            fleet(vec![word(revision)], releases, vec![]).recorders.remove(0).state
        };
        assert_eq!(of(Some("V4.1.0 build 190101"), &newest), State::Due { release: "new".into() });
        assert_eq!(of(Some("V4.2.0 build 190101"), &newest), State::Due { release: "new".into() });
        assert_eq!(of(Some("V4.2.0 build 200101"), &newest), State::Current);
        assert_eq!(of(Some("V4.3.0 build 190101"), &newest), State::Current);
        assert_eq!(of(None, &newest), State::LookAtIt);
        assert_eq!(
            of(Some("V4.1.0 build 190101"), &[release("x", "DS-1X", "V4.2.0", "200101")]),
            State::NoRelease
        );
        let mut regional = newest.clone();
        regional[0].region = Some("ASIA".into());
        let withheld = of(Some("V4.1.0 build 190101"), &regional);
        assert!(matches!(withheld, State::Withheld { reasons, .. } if reasons.len() == 1));
        let two = [
            release("a", "DS-7608NI-I2", "V4.2.0", "200101"),
            release("b", "DS-7608NI-I2", "V4.2.0", "200101"),
        ];
        assert_eq!(
            of(Some("V4.1.0 build 190101"), &two),
            State::Ambiguous { releases: vec!["a".into(), "b".into()] }
        );
    }
}

//! Ledger and catalogue to what has to be in the depot: the release that each recorder is due to get, the
//! steps before it, and what sites ask for. Pure.

use std::collections::BTreeMap;
use std::fmt;

use firmware::container::Container;
use firmware::path::named_steps;
use firmware::{Choice, Device, Model, Release, ReleaseId, Revision, Serial, choose, fits, path};
use receipt::Need;
use serde::Serialize;

use crate::fleet::Asked;
use crate::ledger::LastWord;

/// What recorders wait for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due<'a> {
    /// Each once, by id.
    pub releases: Vec<&'a Release>,
    /// For whom nothing can be brought before a person has decided or added something.
    pub undecided: Vec<Undecided>,
}

/// A recorder that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undecided {
    /// As it says.
    pub recorder: Serial,
    /// As it says.
    pub model: Model,
    /// Why, in words.
    pub reason: String,
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.model, self.recorder, self.reason)
    }
}

/// What the recorders of these statements and requests are due to get of these releases. A recorder whose
/// state is unknown is due nothing: somebody must look at it first.
pub fn due<'a>(words: &[LastWord], requests: &[Asked], releases: &'a [Release]) -> Due<'a> {
    let mut found = Finder { releases, by_id: BTreeMap::new(), undecided: Vec::new() };
    for word in words {
        match &word.revision {
            Some(runs) => found.newest_for(&Device { revision: runs.clone(), ..word.device.clone() }),
            None => found.undecided(&word.device, "its state is unknown: somebody must look at it".into()),
        }
    }
    for request in requests {
        found.asked_for(request);
    }
    Due { releases: found.by_id.into_values().collect(), undecided: found.undecided }
}

struct Finder<'a> {
    releases: &'a [Release],
    by_id: BTreeMap<&'a ReleaseId, &'a Release>,
    undecided: Vec<Undecided>,
}

impl<'a> Finder<'a> {
    /// Takes the newest release for a device that runs an older one, with the steps before it.
    fn newest_for(&mut self, device: &Device) {
        let newest = match choose(self.releases, device, None) {
            // a model without firmware is no news
            Choice::None => return,
            Choice::Ambiguous(several) => {
                let ids: Vec<&str> = several.iter().map(|release| release.id.as_str()).collect();
                return self.undecided(device, format!("a person must choose among {}", ids.join(", ")));
            }
            Choice::One(newest) => newest,
        };
        if !is_newer(&newest.revision, &device.revision) {
            return;
        }
        // only a plan sees the file itself, so its header says nothing here
        let mismatches = fits(newest, &Container::Unknown, device, None);
        match path(self.releases, device, None, newest) {
            Ok(steps) if mismatches.is_empty() => self.take(steps),
            way => {
                let mut reasons: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
                reasons.extend(way.err().map(|none| none.to_string()));
                self.undecided(device, format!("{} is newer, but: {}", newest.id, reasons.join("; ")));
            }
        }
    }

    /// Takes what a site asks for by its id, and where it only names a version, what leads there.
    fn asked_for(&mut self, request: &Asked) {
        let Asked { model, serial, runs: revision, .. } = request.clone();
        let device =
            Device { model, serial, revision, device_type: None, name: None, hardware: None, mac: None };
        for Need { release, .. } in &request.needs {
            let Some(id) = release else {
                self.newest_for(&device);
                continue;
            };
            match self.releases.iter().find(|listed| listed.id == *id) {
                Some(release) => {
                    self.take(named_steps(self.releases, [release]).listed);
                    self.take(vec![release]);
                }
                None => {
                    self.undecided(&device, format!("{id} is asked for, and the catalogue does not list it"));
                }
            }
        }
    }

    fn take(&mut self, releases: Vec<&'a Release>) {
        self.by_id.extend(releases.into_iter().map(|release| (&release.id, release)));
    }

    fn undecided(&mut self, device: &Device, reason: String) {
        let undecided = Undecided { recorder: device.serial.clone(), model: device.model.clone(), reason };
        if !self.undecided.contains(&undecided) {
            self.undecided.push(undecided);
        }
    }
}

/// Whether a device that runs `runs` is to get `listed`: a higher version, or a later build of the same.
fn is_newer(listed: &Revision, runs: &Revision) -> bool {
    listed.version > runs.version || (listed.version == runs.version && listed.build > runs.build)
}

#[cfg(test)]
mod tests {
    use firmware::Text;
    use jiff::Timestamp;

    use super::*;

    const M: &str = "DS-7608NI-I2";

    fn release(id: &str, version: &str, build: &str) -> Release {
        let json =
            serde_json::json!({"id": id, "family": "nvr", "models": [M], "version": version, "build": build});
        serde_json::from_value(json).unwrap()
    }

    fn word(serial: &str, runs: Option<&str>) -> LastWord {
        let device =
            serde_json::json!({"model": M, "serial": serial, "version": "V4.1.0", "build": "190101"});
        LastWord {
            laptop: "0123456789abcdef".parse().unwrap(),
            claimed: Timestamp::UNIX_EPOCH,
            device: serde_json::from_value(device).unwrap(),
            revision: runs.map(|runs| runs.parse().unwrap()),
            result: None,
            detail: Text::cleaned(""),
        }
    }

    fn asked(release: Option<&str>) -> Asked {
        Asked {
            serial: "S9".parse().unwrap(),
            model: M.parse().unwrap(),
            runs: "V4.1.0 build 190101".parse().unwrap(),
            needs: vec![Need {
                release: release.map(|id| id.parse().unwrap()),
                at_least: Some("V4.2.0".parse().unwrap()),
                reason: Text::cleaned("not-carried"),
            }],
            site: None,
            asked: Timestamp::UNIX_EPOCH,
            laptop: "0123456789abcdef".parse().unwrap(),
        }
    }

    fn ids(due: &Due<'_>) -> Vec<String> {
        due.releases.iter().map(|release| release.id.to_string()).collect()
    }

    #[test]
    fn each_recorder_gets_its_newest_release_with_the_steps_that_it_still_needs() {
        let mut releases = [
            release("new", "V4.3.0", "200103"),
            release("step", "V4.2.0", "200102"),
            release("old", "V4.0.0", "180101"),
        ];
        releases[0].requires_at_least = Some("V4.2.0".parse().unwrap());
        let old = word("S1", Some("V4.1.0 build 190101"));
        assert_eq!(ids(&due(std::slice::from_ref(&old), &[], &releases)), ["new", "step"]);
        let between = word("S2", Some("V4.2.0 build 200102"));
        assert_eq!(ids(&due(&[between], &[], &releases)), ["new"]);
        let current = word("S3", Some("V4.3.0 build 200103"));
        assert_eq!(due(&[current], &[], &releases), Due::default());
        let of_none = due(&[old], &[], &releases[..1]);
        assert_eq!(ids(&of_none), [""; 0]);
        assert!(of_none.undecided[0].to_string().contains("S1: new is newer, but: "), "{of_none:?}");
    }

    #[test]
    fn what_a_person_must_decide_is_told_once() {
        let two = [release("a", "V4.2.0", "200101"), release("b", "V4.2.0", "200101")];
        let old = word("S9", Some("V4.1.0 build 190101"));
        let found = due(&[old, word("S2", None)], &[asked(None)], &two);
        let told: Vec<String> = found.undecided.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "DS-7608NI-I2 S9: a person must choose among a, b",
                "DS-7608NI-I2 S2: its state is unknown: somebody must look at it",
            ]
        );
        assert!(found.releases.is_empty());
    }

    #[test]
    fn what_a_site_asks_for_comes_with_what_it_names() {
        let mut releases = [release("a", "V4.2.0", "200101"), release("step", "V4.1.5", "191201")];
        releases[0].via = vec!["step".parse().unwrap()];
        assert_eq!(ids(&due(&[], &[asked(Some("a"))], &releases)), ["a", "step"]);
        assert_eq!(ids(&due(&[], &[asked(None)], &releases)), ["a", "step"], "a version leads there as well");
        let unknown = due(&[], &[asked(Some("gone"))], &releases);
        let told = unknown.undecided[0].to_string();
        assert_eq!(told, "DS-7608NI-I2 S9: gone is asked for, and the catalogue does not list it");
    }
}

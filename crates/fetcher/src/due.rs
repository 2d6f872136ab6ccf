//! Ledger and catalogue to what has to be in the depot: the release that each recorder is due to get, the
//! steps before it, and what sites ask for. Pure.

mod next;
mod site;

use std::collections::BTreeMap;
use std::fmt;

use firmware::{Device, Model, Release, ReleaseId, Serial, path};
use receipt::Need;
use serde::Serialize;

use crate::fleet::Asked;
use crate::ledger::LastWord;
pub use next::{Next, next};
pub use site::{AtSite, at_site, named};

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

/// What the recorders of these statements and requests are due to get of these releases; `region` is what a person
/// says of them. A recorder whose state is unknown is due nothing: somebody must look at it first.
pub fn due<'a>(
    words: &[LastWord],
    requests: &[Asked],
    releases: &'a [Release],
    region: Option<&str>,
) -> Due<'a> {
    let mut found = Finder { releases, region, by_id: BTreeMap::new(), undecided: Vec::new() };
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

struct Finder<'a, 'r> {
    releases: &'a [Release],
    region: Option<&'r str>,
    by_id: BTreeMap<&'a ReleaseId, &'a Release>,
    undecided: Vec<Undecided>,
}

impl<'a> Finder<'a, '_> {
    /// Takes the newest release for a device that runs an older one, with the steps before it.
    fn newest_for(&mut self, device: &Device) {
        match next(self.releases, device, self.region) {
            // a model without firmware is no news
            Next::Current | Next::NoRelease => {}
            Next::Ambiguous(several) => {
                let ids: Vec<&str> = several.iter().map(|release| release.id.as_str()).collect();
                self.undecided(device, format!("a person must choose among {}", ids.join(", ")));
            }
            Next::Withheld { newest, reasons } => {
                self.undecided(device, format!("{} is newer, but: {}", newest.id, reasons.join("; ")));
            }
            Next::Due { first, newest } => {
                self.take(first);
                self.take(vec![newest]);
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
                Some(release) => match path(self.releases, &device, self.region, release) {
                    Ok(steps) => self.take(steps),
                    Err(none) => self.undecided(&device, format!("{id} is asked for, but: {none}")),
                },
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

#[cfg(test)]
pub(crate) mod tests {
    use firmware::Text;
    use jiff::Timestamp;

    use super::*;

    const M: &str = "DS-7608NI-I2";

    fn release(id: &str, version: &str, build: &str) -> Release {
        let json =
            serde_json::json!({"id": id, "family": "nvr", "models": [M], "version": version, "build": build});
        serde_json::from_value(json).unwrap()
    }

    pub(crate) fn word(serial: &str, runs: Option<&str>) -> LastWord {
        let device =
            serde_json::json!({"model": M, "serial": serial, "version": "V4.1.0", "build": "190101"});
        LastWord {
            laptop: "0123456789abcdef".parse().unwrap(),
            claimed: Timestamp::UNIX_EPOCH,
            site: None,
            device: serde_json::from_value(device).unwrap(),
            revision: runs.map(|runs| runs.parse().unwrap()),
            result: None,
            detail: Text::cleaned(""),
        }
    }

    pub(crate) fn asked(release: Option<&str>) -> Asked {
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
        assert_eq!(ids(&due(std::slice::from_ref(&old), &[], &releases, None)), ["new", "step"]);
        let between = word("S2", Some("V4.2.0 build 200102"));
        assert_eq!(ids(&due(&[between], &[], &releases, None)), ["new"]);
        let current = word("S3", Some("V4.3.0 build 200103"));
        assert_eq!(due(&[current], &[], &releases, None), Due::default());
        let of_none = due(&[old], &[], &releases[..1], None);
        assert_eq!(ids(&of_none), [""; 0]);
        assert!(of_none.undecided[0].to_string().contains("S1: new is newer, but: "), "{of_none:?}");
    }

    #[test]
    fn what_a_person_must_decide_is_told_once() {
        let two = [release("a", "V4.2.0", "200101"), release("b", "V4.2.0", "200101")];
        let old = word("S9", Some("V4.1.0 build 190101"));
        let found = due(&[old, word("S2", None)], &[asked(None)], &two, None);
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
        assert_eq!(ids(&due(&[], &[asked(Some("a"))], &releases, None)), ["a", "step"]);
        assert_eq!(
            ids(&due(&[], &[asked(None)], &releases, None)),
            ["a", "step"],
            "a version leads there as well"
        );
        let cut = due(&[], &[asked(Some("a"))], &releases[..1], None);
        assert_eq!(ids(&cut), [""; 0]);
        assert!(
            cut.undecided[0].to_string().starts_with("DS-7608NI-I2 S9: a is asked for, but: "),
            "{cut:?}"
        );
        let unknown = due(&[], &[asked(Some("gone"))], &releases, None);
        let told = unknown.undecided[0].to_string();
        assert_eq!(told, "DS-7608NI-I2 S9: gone is asked for, and the catalogue does not list it");
    }
}

//! Ledger and catalogue to fleet report: which recorder runs what, and what is due. Pure.

use std::collections::BTreeMap;
use std::fmt;

use firmware::container::Container;
use firmware::{Choice, Model, Release, Revision, Serial, Text, choose, fits};
use jiff::Timestamp;
use receipt::{LaptopId, Need, PushResult};
use serde::Serialize;

use crate::ledger::{Finding, LastAudit, LastCameras, LastWord, Request, RunResult};

/// Every recorder that a statement speaks of, and what is wrong with the statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// By serial.
    pub recorders: Vec<Recorder>,
    /// What sites ask for and have not got yet.
    pub requests: Vec<Asked>,
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
    pub last_result: Option<RunResult>,
    /// Why, in words.
    pub detail: Text,
    /// When, by the laptop's clock.
    pub seen: Timestamp,
    /// Who said so.
    pub laptop: LaptopId,
    /// How it was found to be set up; none where no audit has arrived.
    pub audit: Option<LastAudit>,
    /// The cameras behind it, as it told of them last; none where none have been told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cameras: Option<LastCameras>,
}

/// What a recorder needs that was not on the stick at its site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// As it says.
    pub serial: Serial,
    /// As it says.
    pub model: Model,
    /// What it ran then.
    pub runs: Revision,
    /// In the order in which it is to be installed.
    pub needs: Vec<Need>,
    /// Where it is, as somebody said there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Text>,
    /// When it was asked for, by the laptop's clock.
    pub asked: Timestamp,
    /// Who asked.
    pub laptop: LaptopId,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs: Vec<String> = self.needs.iter().map(ToString::to_string).collect();
        write!(f, "{} {} runs {} and needs {}", self.model, self.serial, self.runs, needs.join(", "))?;
        if let Some(site) = &self.site {
            write!(f, ", at {site}")?;
        }
        write!(f, "; asked on {}", self.asked.strftime("%F"))
    }
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
        /// What has to be installed before it, in order.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        first: Vec<String>,
    },
    /// A newer release is listed for the model, and is not for this recorder, or no way leads there.
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
pub fn fleet(
    words: Vec<LastWord>,
    requests: Vec<Request>,
    audits: Vec<LastAudit>,
    cameras: Vec<LastCameras>,
    releases: &[Release],
    findings: Vec<Finding>,
) -> Fleet {
    let requests = open_requests(requests, &words);
    let mut audits: BTreeMap<String, LastAudit> =
        audits.into_iter().map(|audit| (audit.device.serial.normalised(), audit)).collect();
    let mut cameras: BTreeMap<String, LastCameras> =
        cameras.into_iter().map(|cameras| (cameras.recorder.normalised(), cameras)).collect();
    let mut recorder = |word: LastWord, audit| Recorder {
        state: state(&word, releases),
        cameras: cameras.remove(&word.device.serial.normalised()),
        serial: word.device.serial,
        model: word.device.model,
        runs: word.revision,
        last_result: word.result,
        detail: word.detail,
        seen: word.claimed,
        laptop: word.laptop,
        audit,
    };
    let mut recorders: Vec<Recorder> = words
        .into_iter()
        .map(|word| {
            let audit = audits.remove(&word.device.serial.normalised());
            recorder(word, audit)
        })
        .collect();
    // looked at, and never pushed to
    recorders.extend(audits.into_values().map(|audit| recorder(audit.word(), Some(audit))));
    recorders.sort_by_key(|recorder| recorder.serial.normalised());
    Fleet { recorders, requests, findings }
}

/// The requests that no later run has answered.
pub fn open_requests(requests: Vec<Request>, words: &[LastWord]) -> Vec<Asked> {
    let answered = |request: &Request| {
        words.iter().any(|word| {
            word.device.serial == request.device.serial
                && word.claimed >= request.claimed
                && matches!(
                    word.result,
                    Some(RunResult::Push(PushResult::Applied | PushResult::AlreadyCurrent))
                )
        })
    };
    let open = requests.into_iter().filter(|request| !request.needs.is_empty() && !answered(request));
    let asked = open.map(|Request { laptop, claimed, site, device, needs }| Asked {
        serial: device.serial,
        model: device.model,
        runs: device.revision,
        needs,
        site,
        asked: claimed,
        laptop,
    });
    asked.collect()
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
            let mismatches = fits(newest, &Container::Unknown, &word.device, None);
            let mut reasons: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
            match firmware::path(releases, &word.device, None, newest) {
                Ok(steps) if reasons.is_empty() => {
                    let before = steps.iter().filter(|step| step.id != newest.id);
                    State::Due { release, first: before.map(|step| step.id.to_string()).collect() }
                }
                path => {
                    reasons.extend(path.err().map(|reason| reason.to_string()));
                    State::Withheld { release, reasons }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use firmware::Device;
    use firmware::policy::AuditProfile;
    use receipt::CheckCounts;

    use super::*;

    fn word(revision: Option<&str>) -> LastWord {
        let device = serde_json::json!({"model": "DS-7608NI-I2", "serial": "S1", "version": "V4.1.0", "build": "190101"});
        LastWord {
            laptop: "0123456789abcdef".parse().unwrap(),
            claimed: Timestamp::UNIX_EPOCH,
            device: serde_json::from_value(device).unwrap(),
            revision: revision.map(|r| r.parse().unwrap()),
            result: Some(RunResult::Push(PushResult::Applied)),
            detail: Text::cleaned(""),
        }
    }

    fn release(id: &str, model: &str, version: &str, build: &str) -> Release {
        serde_json::from_value(serde_json::json!({"id": id, "family": "nvr", "models": [model], "version": version, "build": build})).unwrap()
    }

    fn due(release: &str, first: &[&str]) -> State {
        State::Due { release: release.into(), first: first.iter().map(|id| (*id).into()).collect() }
    }

    #[test]
    fn what_comes_first_is_said_with_what_is_due() {
        let mut releases = [
            release("new", "DS-7608NI-I2", "V4.3.0", "200103"),
            release("step", "DS-7608NI-I2", "V4.2.0", "200102"),
        ];
        releases[0].requires_at_least = Some("V4.2.0".parse().unwrap());
        let of = |releases: &[Release]| {
            fleet(vec![word(Some("V4.1.0 build 190101"))], vec![], vec![], vec![], releases, vec![])
                .recorders
                .remove(0)
                .state
        };
        assert_eq!(of(&releases), due("new", &["step"]));
        let State::Withheld { reasons, .. } = of(&releases[..1]) else { panic!() };
        assert!(reasons[0].contains("no listed release leads there"), "{reasons:?}");
    }

    #[test]
    fn a_request_is_open_until_a_later_run_answers_it() {
        let request = |second: i64, needs: usize| Request {
            laptop: "0123456789abcdef".parse().unwrap(),
            claimed: Timestamp::from_second(second).unwrap(),
            site: Some(Text::cleaned("Harbour")),
            device: word(None).device,
            needs: vec![
                Need {
                    release: Some("a".parse().unwrap()),
                    at_least: None,
                    reason: Text::cleaned("not-carried")
                };
                needs
            ],
        };
        let open = |request, word: LastWord| open_requests(vec![request], &[word]);
        let asked = open(request(1, 1), word(None));
        assert_eq!(
            asked[0].to_string(),
            "DS-7608NI-I2 S1 runs V4.1.0 build 190101 and needs release a (not-carried), at Harbour; asked on 1970-01-01"
        );
        assert!(open(request(0, 1), word(None)).is_empty(), "it was applied since");
        assert!(open(request(1, 0), word(None)).is_empty(), "nothing is needed");
        let refused = LastWord { result: Some(RunResult::Push(PushResult::Refused)), ..word(None) };
        assert_eq!(open(request(0, 1), refused).len(), 1);
        let mut other = word(None);
        other.device.serial = "S2".parse().unwrap();
        assert_eq!(open(request(0, 1), other).len(), 1);
    }

    fn audit(serial: &str) -> LastAudit {
        LastAudit {
            laptop: "0123456789abcdef".parse().unwrap(),
            claimed: Timestamp::UNIX_EPOCH,
            device: Device { serial: serial.parse().unwrap(), ..word(None).device },
            profile: AuditProfile::AirGapped,
            counts: CheckCounts { fail: 3, ..CheckCounts::default() },
        }
    }

    #[test]
    fn audits_stand_beside_pushes_and_alone() {
        let report = fleet(vec![word(None)], vec![], vec![audit("S0"), audit("S1")], vec![], &[], vec![]);
        let [alone, beside] = &report.recorders[..] else { panic!("{:?}", report.recorders) };
        assert_eq!((alone.serial.as_str(), beside.serial.as_str()), ("S0", "S1"));
        assert!(beside.audit.is_some() && beside.state == State::LookAtIt, "an audit settles no push");
        assert_eq!((alone.last_result, &alone.state), (None, &State::NoRelease));
        assert_eq!(alone.runs, Some("V4.1.0 build 190101".parse().unwrap()));
        assert_eq!(alone.audit.as_ref().unwrap().counts.fail, 3);
    }

    #[test]
    fn each_state_follows_from_what_is_known() {
        let newest = [release("new", "DS-7608NI-I2", "V4.2.0", "200101")];
        let of = |revision, releases: &[Release]| {
            fleet(vec![word(revision)], vec![], vec![], vec![], releases, vec![]).recorders.remove(0).state
        };
        assert_eq!(of(Some("V4.1.0 build 190101"), &newest), due("new", &[]));
        assert_eq!(of(Some("V4.2.0 build 190101"), &newest), due("new", &[]));
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

use std::sync::LazyLock;

use firmware::Device;
use firmware::policy::AuditProfile;
use receipt::{CheckCounts, Need, PushResult};

use super::Risk::{Exploited, Exposed, NothingKnown, StateUnknown, ToRead};
use super::*;

fn word(revision: Option<&str>) -> LastWord {
    let device =
        serde_json::json!({"model": "DS-7608NI-I2", "serial": "S1", "version": "V4.1.0", "build": "190101"});
    LastWord {
        laptop: "0123456789abcdef".parse().unwrap(),
        claimed: Timestamp::UNIX_EPOCH,
        site: None,
        device: serde_json::from_value(device).unwrap(),
        revision: revision.map(|r| r.parse().unwrap()),
        result: Some(RunResult::Push(PushResult::Applied)),
        detail: Text::cleaned(""),
    }
}

fn release(id: &str, model: &str, version: &str, build: &str) -> Release {
    serde_json::from_value(
        serde_json::json!({"id": id, "family": "nvr", "models": [model], "version": version, "build": build}),
    )
    .unwrap()
}

fn of_words(words: Vec<LastWord>, releases: &[Release]) -> Vec<Recorder<'static>> {
    let facts = Facts { words, ..Facts::default() };
    Fleet::of(facts, releases, None, Filter::default(), at(0)).recorders
}

/// By [`table`], a hundred days after the epoch.
pub(super) fn report(facts: Facts, filter: Filter) -> Fleet<'static> {
    static TABLE: LazyLock<AdvisoryTable> = LazyLock::new(table);
    Fleet::of(facts, &[], Some(&TABLE), filter, at(100))
}

/// Midnight, so many days after the epoch.
fn at(day: i64) -> Timestamp {
    Timestamp::from_second(day * 86_400).unwrap()
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
    let of =
        |releases: &[Release]| of_words(vec![word(Some("V4.1.0 build 190101"))], releases).remove(0).state;
    assert_eq!(of(&releases), due("new", &["step"]));
    let State::Withheld { reasons, .. } = of(&releases[..1]) else { panic!() };
    assert!(reasons[0].contains("no listed release leads there"), "{reasons:?}");
}

/// At Harbour, so many days after the epoch.
pub(super) fn request(day: i64, needs: usize) -> Request {
    let need =
        Need { release: Some("a".parse().unwrap()), at_least: None, reason: Text::cleaned("not-carried") };
    Request {
        laptop: "0123456789abcdef".parse().unwrap(),
        claimed: at(day),
        site: Some(Text::cleaned("Harbour")),
        device: word(None).device,
        needs: vec![need; needs],
    }
}

#[test]
fn a_request_is_open_until_a_later_run_answers_it() {
    let open = |request, word: LastWord| open_requests(vec![request], &[word]);
    let asked = open(request(1, 1), word(None));
    assert_eq!(
        asked[0].to_string(),
        "DS-7608NI-I2 S1 runs V4.1.0 build 190101 and needs release a (not-carried), at Harbour; asked on 1970-01-02"
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
        site: None,
        device: Device { serial: serial.parse().unwrap(), ..word(None).device },
        profile: AuditProfile::AirGapped,
        counts: CheckCounts { fail: 3, ..CheckCounts::default() },
    }
}

#[test]
fn audits_stand_beside_pushes_and_alone() {
    let facts = Facts { words: vec![word(None)], audits: vec![audit("S0"), audit("S1")], ..Facts::default() };
    let report = report(facts, Filter::default());
    let [beside, alone] = &report.recorders[..] else { panic!("{:?}", report.recorders) };
    assert_eq!((alone.serial.as_str(), beside.serial.as_str()), ("S0", "S1"));
    assert!(beside.audit.is_some() && beside.state == State::LookAtIt, "an audit settles no push");
    assert_eq!((alone.last_result, &alone.state), (None, &State::NoRelease));
    assert_eq!(alone.runs, Some("V4.1.0 build 190101".parse().unwrap()));
    assert_eq!(alone.audit.as_ref().unwrap().counts.fail, 3);
}

#[test]
fn each_state_follows_from_what_is_known() {
    let newest = [release("new", "DS-7608NI-I2", "V4.2.0", "200101")];
    let of = |revision, releases: &[Release]| of_words(vec![word(revision)], releases).remove(0).state;
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
    let two =
        [release("a", "DS-7608NI-I2", "V4.2.0", "200101"), release("b", "DS-7608NI-I2", "V4.2.0", "200101")];
    assert_eq!(
        of(Some("V4.1.0 build 190101"), &two),
        State::Ambiguous { releases: vec!["a".into(), "b".into()] }
    );
}

/// A word on a recorder that is named by its serial, of this day.
fn told(serial: &str, model: &str, revision: Option<&str>, day: i64) -> LastWord {
    let mut word = word(revision);
    word.device.serial = serial.parse().unwrap();
    word.device.model = model.parse().unwrap();
    LastWord { claimed: at(day), ..word }
}

/// One advisory that is exploited, one that is not, one that a person must read, for models of their own.
fn table() -> AdvisoryTable {
    let row = |product: &str, models: Option<&str>| serde_json::json!([{"product": product, "models": models, "version_before": "V4.2.0"}]);
    serde_json::from_value(serde_json::json!({"collected": "2026-11-22", "advisories": [
        {"id": "CVE-1", "title": "exploited", "cvss": "5.0", "kev": {"added": "2026-01-01"}, "affected": row("A", Some("^DS-1"))},
        {"id": "CVE-2", "title": "high", "cvss": "9.8", "affected": row("B", Some("^DS-2"))},
        {"id": "CVE-3", "title": "low", "cvss": "4.0", "affected": row("C", Some("^DS-[23]"))},
        {"id": "CVE-4", "title": "in words", "affected": row("D series", None)},
    ]}))
    .unwrap()
}

const OLD: Option<&str> = Some("V4.1.0 build 190101");
const NEW: Option<&str> = Some("V4.2.0 build 190101");

/// One of each risk, told of on different days.
pub(super) fn fleet_of_all() -> Facts {
    let words = vec![
        told("A", "DS-9A", NEW, 99),
        told("B", "DS-9A", OLD, 92),
        told("C", "DS-3A", OLD, 60),
        told("D", "DS-2A", OLD, 5),
        told("E", "DS-1A", OLD, 100),
        told("F", "DS-1A", None, 100),
    ];
    Facts { words, ..Facts::default() }
}

fn serials(fleet: &Fleet<'_>) -> String {
    fleet.recorders.iter().map(|recorder| recorder.serial.as_str()).collect()
}

#[test]
fn those_at_risk_come_first_and_are_counted() {
    let report = report(fleet_of_all(), Filter::default());
    assert_eq!(serials(&report), "FEDCBA");
    let risks: Vec<Risk> = report.recorders.iter().map(|recorder| recorder.risk).collect();
    assert_eq!(risks, [StateUnknown, Exploited, Exposed, Exposed, ToRead, NothingKnown]);
    assert!(report.recorders[0].advisories.is_none(), "what runs there is not known");
    let Totals { known, listed, risks, states, versions, advisories, silence, sites, .. } = report.totals;
    assert_eq!((known, listed), (6, 6));
    assert_eq!(risks.into_values().collect::<Vec<_>>(), [1, 1, 2, 0, 1, 1]);
    assert_eq!(states.into_values().collect::<Vec<_>>(), [1, 0, 0, 0, 5, 0]);
    let runs = |total: &VersionTotal| (total.runs.as_ref().map(ToString::to_string), total.recorders);
    let versions: Vec<_> = versions.iter().map(runs).collect();
    assert_eq!(versions, [(NEW.map(Into::into), 1), (OLD.map(Into::into), 4), (None, 1)]);
    let exposures: Vec<_> =
        advisories.iter().map(|e| (e.id.as_str(), e.exploited, e.matching, e.unjudged)).collect();
    assert_eq!(
        exposures,
        [("CVE-3", false, 2, 0), ("CVE-1", true, 1, 0), ("CVE-2", false, 1, 0), ("CVE-4", false, 0, 4)]
    );
    assert_eq!(silence.iter().map(|span| span.recorders).collect::<Vec<_>>(), [3, 1, 1, 1, 0, 0]);
    assert_eq!((sites.len(), sites[0].recorders, sites[0].at_risk), (1, 6, 4));
}

#[test]
fn filters_combine_and_are_told() {
    let of = |filter: Filter| {
        let mut facts = fleet_of_all();
        facts.requests.push(Request { device: facts.words[3].device.clone(), ..request(10, 1) });
        let report = report(facts, filter);
        (serials(&report), report.totals.known, report.totals.listed, report.requests.len())
    };
    let by = Filter::default;
    assert_eq!(of(by()), ("FEDCBA".into(), 6, 6, 1));
    assert_eq!(of(Filter { site: "harbour".parse().ok(), ..by() }), ("D".into(), 6, 1, 1));
    assert_eq!(of(Filter { model: "ds-1a".parse().ok(), ..by() }), ("FE".into(), 6, 2, 0));
    assert_eq!(of(Filter { serial: "c".parse().ok(), ..by() }).0, "C");
    assert_eq!(of(Filter { state: Some(StateName::LookAtIt), ..by() }).0, "F");
    assert_eq!(of(Filter { advisory: "CVE-3".parse().ok(), ..by() }).0, "DC");
    assert_eq!(
        of(Filter { advisory: "CVE-4".parse().ok(), ..by() }).0,
        "EDCB",
        "those that cannot be judged"
    );
    assert_eq!(of(Filter { silent_for: Some(40), ..by() }).0, "DC");
    let both = Filter { silent_for: Some(40), model: "DS-3A".parse().ok(), ..by() };
    assert_eq!(both.to_string(), "model DS-3A, silent for 40 days or more");
    assert_eq!(of(both).0, "C");
    assert_eq!(of(Filter { site: "elsewhere".parse().ok(), ..by() }).0, "");
    assert!(by().is_empty() && by().to_string().is_empty());
}

#[test]
fn the_last_contact_is_the_last_of_any_kind() {
    let at_days = |word: LastWord, asked: Option<Request>| {
        let facts = Facts { words: vec![word], requests: asked.into_iter().collect(), ..Facts::default() };
        report(facts, Filter::default()).recorders.remove(0)
    };
    let recorder = at_days(told("S1", "DS-7608NI-I2", OLD, 10), Some(request(40, 1)));
    assert_eq!((recorder.seen, recorder.last_contact, recorder.silent_days), (at(10), at(40), 60));
    assert_eq!(recorder.site.as_ref().unwrap().as_str(), "Harbour");
    let to_come = at_days(told("S1", "DS-7608NI-I2", NEW, 102), None);
    assert_eq!(to_come.silent_days, 0);
    assert_eq!(to_come.anomalies, [Anomaly::FromTheFuture { claimed: at(102) }]);
    assert_eq!(to_come.risk, Risk::Attention);
    assert_eq!(at_days(told("S1", "DS-7608NI-I2", NEW, 101), None).anomalies, [], "within a day");
}

#[test]
fn what_contradicts_itself_is_told() {
    let of = |word: LastWord, audit: LastAudit, findings: Vec<Finding>| {
        let facts = Facts { words: vec![word], audits: vec![audit], findings, ..Facts::default() };
        let report = report(facts, Filter::default());
        report.recorders[0].anomalies.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let later = || LastAudit { claimed: at(20), ..audit("S1") };
    let (same, other) = (word(OLD), word(NEW));
    assert_eq!(of(same.clone(), later(), vec![]), [""; 0]);
    assert_eq!(
        of(other.clone(), later(), vec![]),
        ["told of V4.1.0 build 190101 on 1970-01-21, after its last run"]
    );
    assert_eq!(of(other, audit("S1"), vec![]), [""; 0], "the run may have come after it");
    assert_eq!(of(word(None), later(), vec![]), [""; 0], "what it says while it flashes settles nothing");
    let renamed = told("S1", "DS-9A", OLD, 0);
    assert_eq!(of(renamed, later(), vec![]), ["told of model DS-7608NI-I2 on 1970-01-21"]);
    let laptop = |id: &str| id.parse().unwrap();
    let fork = |id: &str| vec![Finding::Fork { laptop: laptop(id), counter: 2 }];
    assert_eq!(of(same.clone(), later(), fork("fedcba9876543210")), [""; 0]);
    let forked = of(same, later(), fork("0123456789abcdef"));
    assert!(forked[0].starts_with("the chain of laptop 0123456789abcdef forks"), "{forked:?}");
}

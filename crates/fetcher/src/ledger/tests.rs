use firmware::{Device, Sha256Digest, Text};
use jiff::Timestamp;
use keys::SigningKey;
use receipt::{
    Body, CameraTold, CamerasTold, Envelope, Head, InventoryTaken, LaptopId, Link, Need, Publication,
    PushEnded, PushResult, Statement, Subject, Times,
};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A laptop that makes statements about one recorder.
struct Applier {
    key: SigningKey,
    counter: u64,
    previous: Option<Sha256Digest>,
    /// Hours by which its clock is ahead.
    ahead: i64,
}

fn text(text: &str) -> Text {
    Text::cleaned(text)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

impl Applier {
    fn new() -> Self {
        Self { key: SigningKey::generate(), counter: 0, previous: None, ahead: 0 }
    }

    fn id(&self) -> LaptopId {
        LaptopId::of(&self.key.public())
    }

    /// The next statement of the chain: this recorder now runs this version.
    fn says(&mut self, serial: &str, version: &str, result: PushResult) -> Vec<u8> {
        let (now, device) = (self.now(), device(serial, version));
        self.states(Body::PushEnded(Box::new(PushEnded {
            run: text("run"),
            device,
            target: None,
            plan: None,
            result,
            reason: text("reason"),
            detail: text("detail"),
            after: None,
            checks: vec![],
            overrides: vec![],
            link: Link::new(text("loopback"), text("127.0.0.1:80")),
            backup: text("not taken"),
            differences: vec![],
            pushes: 0,
            started: now,
            ended: now,
        })))
    }

    /// The next statement of the chain: this recorder runs this version and needs this release.
    fn asks(&mut self, serial: &str, version: &str, release: &str) -> Vec<u8> {
        let need = Need { release: release.parse().ok(), at_least: None, reason: text("not-carried") };
        self.takes(serial, version, vec![need], &[])
    }

    /// The next statement of the chain: this recorder runs this version, and these cameras are behind it.
    fn takes(&mut self, serial: &str, version: &str, needs: Vec<Need>, cameras: &[&str]) -> Vec<u8> {
        let (link, taken) = (Link::new(text("loopback"), text("127.0.0.1:80")), self.now());
        let camera = |model: &&str| CameraTold {
            channel: text("1"),
            model: (!model.is_empty()).then(|| text(model)),
            serial: None,
            firmware: (!model.is_empty()).then(|| text("V5.7.15 build 240201")),
        };
        let cameras = CamerasTold::of(cameras.iter().map(camera));
        let device = device(serial, version);
        self.states(Body::Inventory(Box::new(InventoryTaken { device, needs, cameras, link, taken })))
    }

    fn now(&self) -> Timestamp {
        at(i64::try_from(self.counter).unwrap() + self.ahead * 3_600)
    }

    fn states(&mut self, body: Body) -> Vec<u8> {
        let now = self.now();
        let digest = Sha256Digest::of(b"timestamp");
        self.counter += 1;
        let statement = Statement {
            head: Head {
                laptop: self.id(),
                counter: self.counter,
                previous: self.previous,
                applier: text("0.1.0"),
                operator: None,
                site: Some(text("Harbour")),
                times: Times { claimed: now, floor: now, clock_trusted: true, resets: vec![] },
                publication: Publication {
                    root: 1,
                    targets: 1,
                    snapshot: 1,
                    timestamp: 1,
                    timestamp_sha256: digest,
                    forgiven: vec![],
                },
            },
            subject: Subject { name: "timestamp.json".into(), sha256: digest },
            body,
        };
        let bytes = statement.sign(&self.key).unwrap();
        self.previous = Some(Envelope::read(&bytes).unwrap().digest());
        bytes
    }
}

fn device(serial: &str, version: &str) -> Device {
    let device = json!({"model": "DS-7608NI-I2", "serial": serial, "version": version, "build": "200101"});
    serde_json::from_value(device).unwrap()
}

fn ledger() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.db")).unwrap();
    (dir, ledger)
}

#[test]
fn a_later_format_is_refused() {
    let (dir, ledger) = ledger();
    ledger.db.pragma_update(None, "user_version", 2).unwrap();
    assert!(matches!(Ledger::open(&dir.path().join("ledger.db")), Err(LedgerError::Format(2))));
}

#[test]
fn statements_are_taken_once_and_survive_reopening() {
    let (dir, ledger) = ledger();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    assert!(matches!(ledger.enrol(&applier.key.public(), at(0)), Err(LedgerError::Enrolled(_))));
    let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
    assert!(matches!(ledger.receive(&applier.id(), 1, &bytes, at(9)).unwrap(), Received::New(_)));
    drop(ledger);
    let ledger = Ledger::open(&dir.path().join("ledger.db")).unwrap();
    assert!(matches!(ledger.receive(&applier.id(), 1, &bytes, at(9)).unwrap(), Received::Known));
    assert_eq!(ledger.findings().unwrap(), []);
    let laptop = ledger.laptops().unwrap().remove(0);
    assert_eq!((laptop.statements, laptop.complete_to), (1, 1));
}

#[test]
fn strangers_are_held_until_they_are_enrolled() {
    let (_dir, ledger) = ledger();
    let mut applier = Applier::new();
    for counter in 1..=2 {
        let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
        assert!(matches!(ledger.receive(&applier.id(), counter, &bytes, at(9)).unwrap(), Received::Held));
    }
    assert_eq!(ledger.findings().unwrap(), [Finding::Held { laptop: applier.id(), statements: 2 }]);
    assert!(ledger.last_words().unwrap().is_empty());
    assert_eq!(ledger.enrol(&applier.key.public(), at(10)).unwrap(), 2);
    assert_eq!(ledger.findings().unwrap(), []);
    assert_eq!(ledger.last_words().unwrap().len(), 1);
}

#[test]
fn what_another_key_signed_is_rejected() {
    let (_dir, ledger) = ledger();
    let (enrolled, mut thief) = (Applier::new(), Applier::new());
    ledger.enrol(&enrolled.key.public(), at(0)).unwrap();
    let forged = thief.says("S1", "V9.9.9", PushResult::Applied);
    assert!(matches!(ledger.receive(&enrolled.id(), 1, &forged, at(9)).unwrap(), Received::Rejected(_)));
    assert!(matches!(ledger.receive(&enrolled.id(), 1, b"{}", at(9)).unwrap(), Received::Rejected(_)));
    assert!(ledger.last_words().unwrap().is_empty());
}

#[test]
fn gaps_and_forks_are_findings() {
    let (_dir, ledger) = ledger();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let statements: Vec<_> = (0..4).map(|_| applier.says("S1", "V4.2.0", PushResult::Failed)).collect();
    for counter in [1, 4] {
        ledger
            .receive(&applier.id(), counter, &statements[usize::try_from(counter).unwrap() - 1], at(9))
            .unwrap();
    }
    let laptop = applier.id();
    assert_eq!(ledger.findings().unwrap(), [Finding::Gap { laptop: laptop.clone(), first: 2, last: 3 }]);
    assert_eq!(ledger.laptops().unwrap()[0].complete_to, 1);
    // the laptop's state was set back to statement 1: it goes on with another number 2
    applier.counter = 1;
    applier.previous = Some(Envelope::read(&statements[0]).unwrap().digest());
    let other = applier.says("S1", "V4.3.0", PushResult::Applied);
    for counter in [2, 3] {
        ledger.receive(&laptop, counter, &statements[usize::try_from(counter).unwrap() - 1], at(9)).unwrap();
    }
    assert_eq!(ledger.findings().unwrap(), []);
    ledger.receive(&laptop, 2, &other, at(10)).unwrap();
    assert!(ledger.findings().unwrap().contains(&Finding::Fork { laptop, counter: 2 }));
}

#[test]
fn the_last_word_about_each_recorder_counts() {
    let (_dir, ledger) = ledger();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let said = [
        ("S1", "V4.1.0", PushResult::Failed),
        ("S-2", "V4.1.0", PushResult::UnknownAfterPush),
        ("S1", "V4.2.0", PushResult::Applied),
    ];
    for (counter, (serial, version, result)) in (1..).zip(said) {
        let bytes = applier.says(serial, version, result);
        ledger.receive(&applier.id(), counter, &bytes, at(9)).unwrap();
    }
    let words = ledger.last_words().unwrap();
    assert_eq!(words.len(), 2);
    assert_eq!(words[0].revision.as_ref().unwrap().to_string(), "V4.2.0 build 200101");
    let unknown = RunResult::Push(PushResult::UnknownAfterPush);
    assert_eq!((words[1].result, words[1].revision.clone()), (Some(unknown), None));
}

#[test]
fn a_clock_that_once_ran_ahead_does_not_have_the_last_word() {
    let (_dir, ledger) = ledger();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    for (counter, (hours, version)) in (1..).zip([(9_000, "V4.1.0"), (0, "V4.2.0")]) {
        applier.ahead = hours;
        let bytes = applier.says("S1", version, PushResult::Applied);
        ledger.receive(&applier.id(), counter, &bytes, at(9)).unwrap();
    }
    assert_eq!(ledger.last_words().unwrap()[0].revision.as_ref().unwrap().to_string(), "V4.2.0 build 200101");
}

#[test]
fn what_strangers_fill_is_bounded() {
    let (_dir, ledger) = ledger();
    let mut stranger = Applier::new();
    let bytes = stranger.says("S1", "V4.2.0", PushResult::Applied);
    let change = ledger.begin().unwrap();
    let results = (1..=2_001).map(|counter| ledger.receive(&stranger.id(), counter, &bytes, at(9)).unwrap());
    let full = results.filter(|result| matches!(result, Received::Full)).count();
    change.commit().unwrap();
    assert_eq!(full, 1);
}

#[test]
fn what_is_asked_for_is_kept_and_hides_no_push() {
    let (_dir, ledger) = ledger();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let said = [
        applier.says("S1", "V4.1.0", PushResult::UnknownAfterPush),
        applier.asks("S1", "V4.1.0", "first"),
        applier.asks("S1", "V4.1.0", "second"),
        applier.asks("S2", "V4.1.0", "third"),
    ];
    for (counter, bytes) in (1..).zip(&said) {
        let received = ledger.receive(&applier.id(), counter, bytes, at(9)).unwrap();
        assert!(matches!(received, Received::New(_)));
    }
    let requests = ledger.requests().unwrap();
    let needs: Vec<String> = requests.iter().map(|request| request.needs[0].to_string()).collect();
    assert_eq!(needs, ["release second (not-carried)", "release third (not-carried)"]);
    assert_eq!(requests[0].site, Some(text("Harbour")));
    let words = ledger.last_words().unwrap();
    assert_eq!(
        (words[0].result, &words[0].revision),
        (Some(RunResult::Push(PushResult::UnknownAfterPush)), &None)
    );
    assert_eq!(words[1].revision.as_ref().unwrap().to_string(), "V4.1.0 build 200101");
    assert_eq!(words[1].result, None);
}

#[test]
fn cameras_are_those_told_of_last_and_answer_no_request() {
    let (_dir, ledger) = ledger();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let id = applier.id();
    let receive =
        |bytes: Vec<u8>| assert!(matches!(ledger.receive(&id, 1, &bytes, at(9)), Ok(Received::New(_))));
    receive(applier.asks("S1", "V4.1.0", "nvr-1"));
    assert_eq!(ledger.last_cameras().unwrap(), []);
    receive(applier.takes("S1", "V4.1.0", vec![], &["DS-2CD1", "DS-2CD1", ""]));
    let cameras = ledger.last_cameras().unwrap();
    let words = "2 DS-2CD1, runs V5.7.15 build 240201; 1 of a model that is not told; on 2023-11-14";
    assert_eq!((cameras.len(), cameras[0].to_string().as_str()), (1, words));
    assert_eq!(ledger.requests().unwrap()[0].needs.len(), 1, "what was asked for is still open");
    // a push says more than an inventory, whichever came last
    receive(applier.says("S1", "V4.2.0", PushResult::Applied));
    receive(applier.takes("S1", "V4.2.0", vec![], &["DS-2CD1"]));
    assert!(ledger.last_words().unwrap()[0].result.is_some());
    assert_eq!(ledger.last_cameras().unwrap()[0].cameras.count(), 1);
}

#[test]
fn one_change_at_a_time_from_its_beginning_on() {
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = [(); 2].map(|()| Ledger::open(&dir.path().join("ledger.db")).unwrap());
    other.db.busy_timeout(std::time::Duration::ZERO).unwrap();
    let change = one.begin().unwrap();
    assert!(other.begin().is_err(), "what it would read might be changed before it writes");
    change.commit().unwrap();
    other.begin().unwrap().commit().unwrap();
}

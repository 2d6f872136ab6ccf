use std::path::PathBuf;

use firmware::{Device, Sha256Digest, Text};
use jiff::Timestamp;
use journeys::postgresql::{Cluster, PASSWORD};
use keys::SigningKey;
use receipt::{
    Body, CameraTold, CamerasTold, ClockReset, Envelope, Head, InventoryTaken, LaptopId, Link, Need,
    Publication, PushEnded, PushResult, PushStarted, Statement, Subject, Target, Times,
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
    /// How often it was reset.
    resets: usize,
    /// Versions of root and timestamp that it believes.
    publication: (u64, u64),
    /// The run that it is at.
    run: &'static str,
}

fn text(text: &str) -> Text {
    Text::cleaned(text)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

impl Applier {
    fn new() -> Self {
        Self {
            key: SigningKey::generate(),
            counter: 0,
            previous: None,
            ahead: 0,
            resets: 0,
            publication: (1, 1),
            run: "run",
        }
    }

    fn id(&self) -> LaptopId {
        LaptopId::of(&self.key.public())
    }

    /// The next statement of the chain: this recorder now runs this version.
    fn says(&mut self, serial: &str, version: &str, result: PushResult) -> Vec<u8> {
        let (now, device) = (self.now(), device(serial, version));
        self.states(Body::PushEnded(Box::new(PushEnded {
            run: text(self.run),
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

    /// The next statement of the chain: a push to this recorder begins.
    fn begins(&mut self, serial: &str) -> Vec<u8> {
        let started = self.now();
        self.states(Body::PushStarted(Box::new(PushStarted {
            run: text(self.run),
            device: device(serial, "V4.1.0"),
            target: Target {
                release: "nvr-1".parse().unwrap(),
                revision: "V4.2.0 build 200101".parse().unwrap(),
                name: text("nvr-1/digicap.dav"),
                length: 1,
                sha256: Sha256Digest::of(b"firmware"),
            },
            plan: Sha256Digest::of(b"plan"),
            overrides: vec![],
            link: Link::new(text("loopback"), text("127.0.0.1:80")),
            started,
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

    /// The next statement of the chain: of a type that nobody knows.
    fn invents(&mut self, predicate_type: &str) -> Vec<u8> {
        let mut predicate = serde_json::to_value(self.head()).unwrap();
        predicate["format"] = 1.into();
        self.states(Body::Other { predicate_type: predicate_type.into(), predicate })
    }

    fn now(&self) -> Timestamp {
        at(i64::try_from(self.counter).unwrap() + self.ahead * 3_600)
    }

    /// What the next statement of the chain says of the laptop.
    fn head(&self) -> Head {
        let now = self.now();
        let reset = ClockReset { claimed: now, floor: None, reason: text("battery was dead") };
        let (root, timestamp) = self.publication;
        Head {
            laptop: self.id(),
            counter: self.counter + 1,
            previous: self.previous,
            applier: text("0.1.0"),
            operator: None,
            site: Some(text("Harbour")),
            times: Times { claimed: now, floor: now, clock_trusted: true, resets: vec![reset; self.resets] },
            publication: Publication {
                root,
                targets: 1,
                snapshot: 1,
                timestamp,
                timestamp_sha256: Sha256Digest::of(b"timestamp"),
                forgiven: vec![],
            },
        }
    }

    fn states(&mut self, body: Body) -> Vec<u8> {
        let (head, sha256) = (self.head(), Sha256Digest::of(b"timestamp"));
        let statement = Statement { head, subject: Subject { name: "timestamp.json".into(), sha256 }, body };
        let bytes = statement.sign(&self.key).unwrap();
        self.counter += 1;
        self.previous = Some(Envelope::read(&bytes).unwrap().digest());
        bytes
    }

    /// Enrols this laptop.
    fn enrolled(self, ledger: &Ledger) -> Self {
        ledger.enrol(&self.key.public(), at(0)).unwrap();
        self
    }

    /// Delivers a statement in its own place.
    fn delivers(&self, ledger: &Ledger, counter: u64, bytes: &[u8]) -> Received {
        ledger.receive(&self.id(), counter, bytes, at(9)).unwrap()
    }
}

/// The same envelope in other bytes.
fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let envelope: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    serde_json::to_vec_pretty(&envelope).unwrap()
}

fn device(serial: &str, version: &str) -> Device {
    let device = json!({"model": "DS-7608NI-I2", "serial": serial, "version": version, "build": "200101"});
    serde_json::from_value(device).unwrap()
}

/// A database for one test.
struct Store {
    location: Location,
    _dir: Option<TempDir>,
}

impl Store {
    fn file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { location: Location::File(dir.path().join("ledger.db")), _dir: Some(dir) }
    }

    fn server(url: String) -> Self {
        Self { location: Location::Server(LedgerServer { url, password_file: None, ca: None }), _dir: None }
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.location).unwrap()
    }
}

/// Each of these tests, on both databases: one by one on SQLite, all of them in one server of PostgreSQL.
macro_rules! on_both {
    ($($topic:ident: $($case:ident)*;)*) => {
        $(mod $topic;)*

        mod on_sqlite {
            $($(#[test]
            fn $case() {
                super::$topic::$case(&super::Store::file());
            })*)*
        }

        #[test]
        fn all_of_them_on_postgresql() {
            let cluster = Cluster::start();
            let mut number = 0;
            $($(
                number += 1;
                $topic::$case(&Store::server(cluster.database(&format!("case_{number}"))));
            )*)*
            assert!(number > 20);
        }
    };
}

on_both! {
    receiving:
        statements_are_taken_once_and_survive_reopening
        strangers_are_held_until_they_are_enrolled
        one_enrolled_since_its_statement_was_checked_is_no_stranger
        what_another_key_signed_is_rejected
        what_strangers_fill_is_bounded
        a_type_of_a_later_version_is_kept_whatever_it_is_called
        a_change_that_is_not_committed_never_was
        one_change_at_a_time;
    recorders:
        the_last_word_about_each_recorder_counts
        a_clock_that_once_ran_ahead_does_not_have_the_last_word
        what_is_asked_for_is_kept_and_hides_no_push
        cameras_are_those_told_of_last_and_answer_no_request
        recorders_come_in_the_order_of_the_bytes_of_their_serials;
    findings:
        gaps_and_forks_are_findings
        the_same_words_in_other_bytes_are_a_replay_and_no_fork
        a_statement_in_the_place_of_another_is_a_replay_and_is_not_lost
        a_clock_and_a_publication_that_go_back_are_regressions
        a_run_without_its_end_is_open
        replays_that_are_told_of_are_bounded;
    revoking:
        a_revoked_laptop_is_believed_up_to_a_statement
        what_a_revoked_laptop_fills_is_bounded
        it_is_never_believed_again;
    migrating:
        a_later_format_is_refused
        format_1_is_migrated_and_keeps_its_rows;
}

/// By TLS and with a password, as over a network.
#[test]
fn a_server_is_believed_by_its_certificate_and_believes_a_password() {
    let cluster = Cluster::start();
    cluster.database("network");
    let (url, certificate) = cluster.over_tls("network");
    let dir = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = dir.path().join(name);
        keys::durable::create_new(&path, text.as_bytes(), 0o600).unwrap();
        Some(path)
    };
    let (right, wrong) = (secret("right", PASSWORD), secret("wrong", "not it"));
    let open = |password_file: &Option<PathBuf>, ca: Option<PathBuf>, url: &str| {
        let server = LedgerServer { url: url.into(), password_file: password_file.clone(), ca };
        Ledger::open(&Location::Server(server))
    };
    // the server's own goes with it
    let certificate = std::fs::read_to_string(certificate).unwrap();
    let known = secret("certificate", &certificate);
    open(&right, known.clone(), &url).unwrap();
    assert!(matches!(open(&wrong, known.clone(), &url), Err(LedgerError::LogIn(_))));
    let missing = Some(dir.path().join("missing"));
    assert!(matches!(open(&missing, known.clone(), &url), Err(LedgerError::Password(_))));
    assert!(matches!(open(&right, missing, &url), Err(LedgerError::Ca(..))));
    // no public authority vouches for it
    assert!(matches!(open(&right, None, &url), Err(LedgerError::Unreachable(_))));
    drop(cluster);
    assert!(matches!(open(&right, known, &url), Err(LedgerError::Unreachable(_))));
}

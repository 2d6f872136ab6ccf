use super::*;
use crate::{Configuration, Link, Need, PushResult, RestoreResult};

/// A statement of this laptop in this place of its chain.
pub(crate) fn statement(laptop: LaptopId, counter: u64, previous: Option<Sha256Digest>) -> Statement {
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let digest = Sha256Digest::of(b"x");
    let device = serde_json::from_value(serde_json::json!({
        "model": "DS-7608NI-I2", "serial": "DS-7608NI-I220200414CCRRE00000001WCVU",
        "version": "V4.30.097", "build": "200101",
    }));
    Statement {
        head: Head {
            laptop,
            counter,
            previous,
            applier: Text::cleaned("0.1.0"),
            operator: Some(Text::cleaned("kim")),
            site: None,
            times: Times { claimed: now, floor: now, clock_trusted: true, resets: vec![] },
            publication: Publication {
                root: 1,
                targets: 2,
                snapshot: 3,
                timestamp: 4,
                timestamp_sha256: digest,
                forgiven: vec![],
            },
        },
        subject: Subject { name: "timestamp.json".into(), sha256: digest },
        body: Body::PushEnded(Box::new(PushEnded {
            run: Text::cleaned("r"),
            device: device.unwrap(),
            target: None,
            plan: None,
            result: PushResult::Refused,
            reason: Text::cleaned("no-release"),
            detail: Text::cleaned("no release lists the model"),
            after: None,
            checks: vec![],
            overrides: vec![],
            link: Link {
                interface: Some(Text::cleaned("eth0")),
                certificate: Some(Sha256Digest::of(b"certificate")),
                heard: vec![Text::cleaned("192.168.1.7 02:00:00:00:00:07")],
                ..Link::new(Text::cleaned("isolated"), Text::cleaned("192.168.1.64"))
            },
            backup: Text::cleaned("not taken"),
            differences: vec![],
            pushes: 0,
            started: now,
            ended: now,
        })),
    }
}

#[test]
fn what_is_signed_is_what_is_read() {
    let key = SigningKey::generate();
    let said = statement(LaptopId::of(&key.public()), 1, None);
    let bytes = said.sign(&key).unwrap();
    let opened = VerifiedStatement::open(&Envelope::read(&bytes).unwrap(), &key.public()).unwrap();
    assert_eq!(opened.statement(), &said);
    assert_eq!(opened.digest(), Sha256Digest::of(&bytes));
}

fn open_changed(change: impl Fn(&mut Value)) -> Result<VerifiedStatement, InvalidStatement> {
    let key = SigningKey::generate();
    let bytes = statement(LaptopId::of(&key.public()), 1, None).sign(&key).unwrap();
    let envelope = Envelope::read(&bytes).unwrap();
    let mut json: Value =
        serde_json::from_slice(envelope.verify(PAYLOAD_TYPE, &key.public()).unwrap()).unwrap();
    change(&mut json);
    let bytes = Envelope::sign(PAYLOAD_TYPE, &serde_json::to_vec(&json).unwrap(), &key);
    VerifiedStatement::open(&Envelope::read(&bytes).unwrap(), &key.public())
}

#[test]
fn unknown_fields_and_types_are_kept_a_later_format_is_refused() {
    assert!(open_changed(|j| j["predicate"]["new"] = 1.into()).is_ok());
    let other = open_changed(|j| j["predicateType"] = "urn:x-courier:weather/v1".into()).unwrap();
    assert!(
        matches!(&other.statement().body, Body::Other { predicate_type, .. } if predicate_type.ends_with("weather/v1"))
    );
    assert!(matches!(
        open_changed(|j| j["predicate"]["format"] = 2.into()),
        Err(InvalidStatement::Format(2))
    ));
}

#[test]
fn contradictions_are_refused() {
    let other = "0123456789abcdef";
    assert!(matches!(
        open_changed(|j| j["predicate"]["laptop"] = other.into()),
        Err(InvalidStatement::Laptop { .. })
    ));
    assert!(matches!(
        open_changed(|j| j["predicate"]["counter"] = 2.into()),
        Err(InvalidStatement::Place { counter: 2 })
    ));
    assert!(matches!(
        open_changed(|j| j["predicate"]["counter"] = 0.into()),
        Err(InvalidStatement::Place { counter: 0 })
    ));
    assert!(matches!(open_changed(|j| j["_type"] = "x".into()), Err(InvalidStatement::NotInToto)));
    assert!(matches!(
        open_changed(|j| j["subject"] = serde_json::json!([])),
        Err(InvalidStatement::NotInToto)
    ));
    assert!(matches!(
        open_changed(|j| j["predicate"]["result"] = "fine".into()),
        Err(InvalidStatement::Json(_))
    ));
}

#[test]
fn what_was_forgiven_and_reset_is_read_and_may_be_absent() {
    let key = SigningKey::generate();
    let mut said = statement(LaptopId::of(&key.public()), 1, None);
    let expires = "2026-11-01T10:00:00Z".parse().unwrap();
    let reason = Text::cleaned("battery was dead");
    said.head.publication.forgiven = vec![Forgiven { role: Text::cleaned("timestamp"), expires }];
    said.head.times.resets = vec![
        ClockReset { claimed: expires, floor: Some(expires), reason: reason.clone() },
        ClockReset { claimed: expires, floor: None, reason },
    ];
    let bytes = said.sign(&key).unwrap();
    let opened = VerifiedStatement::open(&Envelope::read(&bytes).unwrap(), &key.public()).unwrap();
    assert_eq!(opened.statement(), &said);
    // as an applier that knew of neither wrote it
    let without = open_changed(|j| {
        assert!(j["predicate"]["times"].get("resets").is_none());
        assert!(j["predicate"]["publication"].get("forgiven").is_none());
    });
    assert_eq!(without.unwrap().statement().head.times.resets, []);
}

#[test]
fn an_inventory_says_what_is_needed_and_may_say_more_later() {
    let key = SigningKey::generate();
    let mut said = statement(LaptopId::of(&key.public()), 1, None);
    let Body::PushEnded(end) = said.body else { panic!() };
    let need = |release: Option<&str>, at_least: Option<&str>, reason: &str| Need {
        release: release.map(|id| id.parse().unwrap()),
        at_least: at_least.map(|version| version.parse().unwrap()),
        reason: Text::cleaned(reason),
    };
    said.body = Body::Inventory(Box::new(InventoryTaken {
        device: end.device,
        needs: vec![need(Some("a"), None, "not-carried"), need(None, Some("V4.61.000"), "no-step")],
        cameras: crate::CamerasTold::default(),
        link: end.link,
        taken: end.started,
    }));
    let words =
        "runs V4.30.097 build 200101; needs release a (not-carried), version V4.61.000 or later (no-step)";
    assert!(said.to_string().ends_with(words), "{said}");
    let bytes = said.sign(&key).unwrap();
    let envelope = Envelope::read(&bytes).unwrap();
    let opened = VerifiedStatement::open(&envelope, &key.public()).unwrap();
    assert_eq!(opened.statement(), &said);
    // as a later applier writes it
    let mut json: Value =
        serde_json::from_slice(envelope.verify(PAYLOAD_TYPE, &key.public()).unwrap()).unwrap();
    assert_eq!(json["predicateType"], "urn:x-courier:inventory/v1");
    json["predicate"]["audit"] = serde_json::json!({"failed": 3});
    json["predicate"]["needs"][0]["urgent"] = true.into();
    let later = Envelope::sign(PAYLOAD_TYPE, &serde_json::to_vec(&json).unwrap(), &key);
    let later = VerifiedStatement::open(&Envelope::read(&later).unwrap(), &key.public()).unwrap();
    assert_eq!(later.statement(), &said);
}

#[test]
fn restores_are_read_back_and_said_in_one_line() {
    let key = SigningKey::generate();
    let mut said = statement(LaptopId::of(&key.public()), 1, None);
    let Body::PushEnded(end) = said.body.clone() else { panic!() };
    let configuration = Configuration {
        revision: end.device.revision.clone(),
        taken: end.started,
        length: 65_536,
        sha256: Sha256Digest::of(b"configuration"),
        device_key: true,
    };
    let digest = Sha256Digest::of(b"plan");
    let started = RestoreStarted {
        run: end.run.clone(),
        device: end.device.clone(),
        configuration: configuration.clone(),
        plan: digest,
        overrides: vec![],
        link: end.link.clone(),
        started: end.started,
    };
    let ended = RestoreEnded {
        run: end.run,
        device: end.device,
        configuration,
        plan: Some(digest),
        result: RestoreResult::UnknownAfterRestore,
        reason: Text::cleaned("never-returned"),
        detail: Text::cleaned("it did not come back"),
        after: None,
        overrides: vec![],
        link: end.link,
        sendings: 1,
        started: end.started,
        ended: end.ended,
    };
    for (body, words) in [
        (Body::RestoreStarted(Box::new(started)), "restore of the configuration of 2026-11-22 10:00 began"),
        (Body::RestoreEnded(Box::new(ended)), "restore: unknown-after-restore: it did not come back"),
    ] {
        said.body = body;
        let bytes = said.sign(&key).unwrap();
        let read = VerifiedStatement::open(&Envelope::read(&bytes).unwrap(), &key.public()).unwrap();
        assert_eq!(*read.statement(), said);
        assert!(said.to_string().ends_with(words), "{said}");
    }
}

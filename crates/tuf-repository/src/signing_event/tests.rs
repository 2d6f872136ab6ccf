use keys::SigningKey;
use serde_json::{Map, Value};

use super::*;
use crate::root;

/// Two root keys, three approvers, and what they have published.
struct Depot {
    roots: Vec<SigningKey>,
    approvers: Vec<SigningKey>,
    online: [SigningKey; 2],
    root: Verified<Root>,
    targets: Verified<Targets>,
}

fn expires() -> Timestamp {
    "2028-11-22T00:00:00Z".parse().unwrap()
}

fn signers(keys: &[SigningKey], threshold: u64) -> Signers {
    Signers { keys: keys.iter().map(SigningKey::public).collect(), threshold }
}

impl Depot {
    fn new(root_threshold: u64, targets_threshold: u64) -> Self {
        let roots = vec![SigningKey::generate(), SigningKey::generate_p256()];
        let approvers: Vec<_> = (0..3).map(|_| SigningKey::generate()).collect();
        let online = [SigningKey::generate(), SigningKey::generate()];
        let roles = Roles {
            root: signers(&roots, root_threshold),
            targets: signers(&approvers, targets_threshold),
            snapshot: Signers::one(online[0].public()),
            timestamp: Signers::one(online[1].public()),
        };
        let first = root(None, expires(), &roles).unwrap().sign(&[&roots[0], &roots[1]]);
        let root = Verified::self_signed(&first.bytes()).unwrap();
        let all: Vec<_> = approvers.iter().collect();
        let targets =
            TargetsDraft::first().unsigned(expires()).unwrap().sign(&all).verified_by(&root).unwrap();
        Self { roots, approvers, online, root, targets }
    }

    fn event(&self) -> SigningEvent {
        SigningEvent::over(self.root.clone(), self.targets.clone())
    }

    /// An event that approves one file.
    fn approval(&self, name: &str) -> SigningEvent {
        let mut draft = TargetsDraft::after(self.targets.clone());
        draft.insert(name.parse().unwrap(), 3, &[1; 32], &Map::new());
        let mut event = self.event();
        event.propose_targets(&draft, expires()).unwrap();
        event
    }
}

/// As another machine reads what this one wrote.
fn carried(event: &SigningEvent) -> SigningEvent {
    SigningEvent::read(&event.to_bytes()).unwrap()
}

#[test]
fn an_approval_is_finished_by_enough_approvers_on_different_machines() {
    let depot = Depot::new(1, 2);
    let mut event = depot.approval("a");
    assert_eq!(event.sign(&depot.roots[0]), [], "the root's key does not approve");
    assert_eq!(event.sign(&depot.online[0]), []);
    assert_eq!(event.sign(&depot.approvers[2]), [Role::Targets]);
    assert_eq!(event.sign(&depot.approvers[2]), [Role::Targets], "once more changes nothing");
    assert!(event.finish().unwrap().is_none());
    let standing = &event.standing()[0];
    assert_eq!((standing.signed.len(), standing.open.len(), standing.threshold), (1, 2, 2));

    let mut elsewhere = carried(&event);
    elsewhere.sign(&depot.approvers[0]);
    event.join(&carried(&elsewhere)).unwrap();
    let finished = event.finish().unwrap().unwrap();
    assert!(finished.new_root.is_none());
    let targets = finished.new_targets.unwrap().verified_by(&finished.root).unwrap();
    assert_eq!((targets.version(), targets.target("a").is_some()), (2, true));
}

#[test]
fn a_root_needs_the_old_keys_and_the_new() {
    let depot = Depot::new(2, 1);
    let new = SigningKey::generate();
    let mut roles = Roles::of(&depot.root);
    roles.root = Signers { keys: vec![depot.roots[0].public(), new.public()], threshold: 2 };
    let mut event = depot.event();
    event.propose_root(&roles, expires()).unwrap();
    assert!(!event.needs_targets(), "the approvers are the same");
    let met = |event: &SigningEvent| event.standing().iter().map(Standing::is_met).collect::<Vec<_>>();
    assert_eq!(met(&event), [false, false]);
    event.sign(&depot.roots[0]);
    event.sign(&new);
    assert_eq!(met(&event), [false, true], "the old threshold is not met");
    assert!(event.finish().unwrap().is_none());
    event.sign(&depot.roots[1]);
    let finished = carried(&event).finish().unwrap().unwrap();
    assert_eq!((finished.root.version(), finished.new_targets.is_none()), (2, true));
    assert_eq!(Roles::of(&finished.root), event.roles());
}

#[test]
fn a_list_that_the_next_root_would_not_accept_is_signed_with_it() {
    let depot = Depot::new(1, 1);
    let mut event = depot.event();
    let mut roles = Roles::of(&depot.root);
    roles.targets.threshold = 3;
    event.propose_root(&roles, expires()).unwrap();
    assert!(!event.needs_targets(), "all three have signed the current list");
    let new = SigningKey::generate();
    roles.targets = Signers::one(new.public());
    event.propose_root(&roles, expires()).unwrap();
    assert!(event.needs_targets());
    event.sign(&depot.roots[0]);
    assert!(event.finish().unwrap().is_none(), "never a root without a list that is good under it");
    event.propose_targets(&TargetsDraft::after(depot.targets.clone()), expires()).unwrap();
    assert_eq!(event.sign(&depot.approvers[0]), [], "the old approver does not count any more");
    assert_eq!(event.sign(&new), [Role::Targets]);
    let finished = event.finish().unwrap().unwrap();
    assert!(finished.new_targets.unwrap().verified_by(&finished.root).is_ok());
}

#[test]
fn signatures_are_taken_from_the_same_event_only_and_only_if_valid() {
    let depot = Depot::new(1, 2);
    let (mut event, mut other) = (depot.approval("a"), depot.approval("b"));
    other.sign(&depot.approvers[0]);
    assert!(matches!(event.join(&other), Err(EventError::Differs)));
    assert!(matches!(event.join(&depot.event()), Err(EventError::Differs)));

    // somebody on the way replaces a signature, which must not keep the right one out later
    event.sign(&depot.approvers[0]);
    let mut forged: Value = serde_json::from_slice(&event.to_bytes()).unwrap();
    forged["proposed"]["targets"]["signatures"][0]["sig"] = "00".repeat(64).into();
    let mut received = SigningEvent::read(forged.to_string().as_bytes()).unwrap();
    assert_eq!(received.standing()[0].signed.len(), 0);
    received.join(&event).unwrap();
    assert_eq!(received.standing()[0].signed.len(), 1);
    event.join(&SigningEvent::read(forged.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(event.standing()[0].signed.len(), 1, "a forged one displaces none");
}

#[test]
fn a_text_that_is_taken_along_is_shown_only_if_it_is_the_one_to_be_signed() {
    let depot = Depot::new(1, 1);
    let mut draft = TargetsDraft::after(depot.targets.clone());
    let digest: [u8; 32] = Sha256::digest("{}").into();
    draft.insert("policy.json".parse().unwrap(), 2, &digest, &Map::new());
    let mut event = depot.event();
    assert_eq!(event.document("policy.json"), None);
    event.attach("policy.json", "{}");
    assert_eq!(event.document("policy.json"), None, "nothing is proposed yet");
    event.propose_targets(&draft, expires()).unwrap();
    assert_eq!(carried(&event).document("policy.json"), Some("{}"));
    event.attach("policy.json", "[]");
    assert_eq!(carried(&event).document("policy.json"), None);
}

#[test]
fn a_changed_proposal_has_no_signatures() {
    let depot = Depot::new(1, 1);
    let mut event = depot.approval("a");
    event.sign(&depot.approvers[0]);
    let text = String::from_utf8(event.to_bytes()).unwrap();
    assert!(SigningEvent::read(text.as_bytes()).unwrap().finish().unwrap().is_some());
    let changed = text.replace(r#""length":3"#, r#""length":4"#);
    assert_ne!(changed, text);
    assert!(SigningEvent::read(changed.as_bytes()).unwrap().finish().unwrap().is_none());
}

#[test]
fn is_bound_to_what_is_current() {
    let depot = Depot::new(1, 1);
    let mut event = depot.approval("a");
    event.sign(&depot.approvers[0]);
    assert!(event.must_be_over(&depot.root, &depot.targets).is_ok());
    let next = event.finish().unwrap().unwrap().new_targets.unwrap().verified_by(&depot.root).unwrap();
    assert!(matches!(event.must_be_over(&depot.root, &next), Err(EventError::NotCurrent { targets: 1, .. })));
    let stranger = Depot::new(1, 1);
    assert!(event.must_be_over(&stranger.root, &stranger.targets).is_err());
}

#[test]
fn rejects_files_that_are_no_event() {
    let depot = Depot::new(1, 1);
    let good: Value = serde_json::from_slice(&depot.approval("a").to_bytes()).unwrap();
    let read = |change: &dyn Fn(&mut Value)| {
        let mut event = good.clone();
        change(&mut event);
        SigningEvent::read(event.to_string().as_bytes()).map(drop)
    };
    assert!(read(&|_| {}).is_ok());
    assert!(matches!(SigningEvent::read(b"\x00"), Err(EventError::NotJson(_))));
    assert!(matches!(read(&|event| event["format"] = 2.into()), Err(EventError::Format)));
    assert!(matches!(read(&|event| event["current"]["root"] = 1.into()), Err(EventError::Format)));
    let stranger = Depot::new(1, 1);
    let targets = String::from_utf8_lossy(stranger.targets.bytes()).to_string();
    let error = read(&|event| event["current"]["targets"] = targets.clone().into()).unwrap_err();
    assert!(matches!(error, EventError::Current(Role::Targets, _)), "{error}");
    let nothing = read(&|event| event["proposed"]["targets"] = Value::Null);
    assert!(matches!(nothing, Err(EventError::Empty)));
    let version = read(&|event| event["proposed"]["targets"]["signed"]["version"] = 7.into());
    assert!(matches!(version, Err(EventError::Version { role: Role::Targets, current: 1, found: 7 })));
    for (pointer, value) in [
        ("/proposed/targets/signed", Value::Null),
        ("/proposed/targets/signed/_type", "root".into()),
        ("/proposed/targets/signed/version", 0.into()),
        ("/proposed/targets/signed/version", 1.5.into()),
        ("/proposed/targets/signatures", Value::Null),
    ] {
        let result = read(&|event| *event.pointer_mut(pointer).unwrap() = value.clone());
        assert!(matches!(result, Err(EventError::Proposed(_))), "{pointer} {value}");
    }
    let root = read(&|event| {
        event["proposed"]["root"] = json!({"signed": {"_type": "root", "version": 2}, "signatures": []});
    });
    assert!(matches!(root, Err(EventError::Roles)));
}

#[test]
fn rejects_what_whoever_signs_would_not_be_shown() {
    let depot = Depot::new(1, 1);
    let mut event = depot.approval("a");
    event.propose_root(&Roles::of(&depot.root), expires()).unwrap();
    let good: Value = serde_json::from_slice(&event.to_bytes()).unwrap();
    assert!(SigningEvent::read(good.to_string().as_bytes()).is_ok());
    for (role, pointer, member, value) in [
        (Role::Targets, "/proposed/targets/signed", "delegations", json!({"keys": {}, "roles": []})),
        (Role::Targets, "/proposed/targets/signed", "custom", json!({})),
        (Role::Targets, "/proposed/targets/signed/targets/a", "urls", json!([])),
        (Role::Targets, "/proposed/targets/signed", "targets", json!([])),
        (Role::Root, "/proposed/root/signed", "custom", json!({})),
        (Role::Root, "/proposed/root/signed", "consistent_snapshot", json!(false)),
        (Role::Root, "/proposed/root/signed", "expires", json!("never")),
        (Role::Root, "/proposed/root/signed/roles", "mirrors", json!({"keyids": [], "threshold": 1})),
        (Role::Root, "/proposed/root/signed/keys", "spare", json!({})),
    ] {
        let mut event = good.clone();
        event.pointer_mut(pointer).unwrap()[member] = value;
        let error = SigningEvent::read(event.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, EventError::Unshown { role: found } if found == role), "{pointer} {member}");
    }
}

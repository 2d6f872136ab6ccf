//! Approved releases and documents to signed TUF metadata. Pure: keys, times and what was published
//! before go in.

mod documents;

use firmware::{Pin, Release, ReleaseId};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};
use keys::SigningKey;
use serde_json::Map;
use stick::release_facts;
use tuf_client::{InvalidTargetName, Rejection, Root, Snapshot, TargetName, Targets, Verified};
use tuf_repository::{DraftError, Finished, Roles, Signed, Signers, TargetsDraft};

use crate::publication::{Current, Next};
pub use documents::{DocumentDraft, DocumentState};

/// How long a root is good.
const ROOT_DAYS: i32 = 730;
/// How long an approval is good.
const TARGETS_DAYS: i32 = 182;
/// How long what the unattended keys sign is good: a stick can be used that long.
const ONLINE_DAYS: i32 = 30;
/// With fewer days left, loading a stick signs anew; with more, all sticks stay alike.
const RENEW_BELOW_DAYS: i32 = 15;
/// With fewer days left, `status` asks the approver to sign again.
const REMIND_BELOW_DAYS: i64 = 30;

/// A clock that is corrected goes back by less than this.
const CORRECTION: SignedDuration = SignedDuration::from_hours(1);

/// When the current timestamp was signed, if that is still to come: the clock is wrong now, or was then.
/// Laptops believe that it is no earlier than that, so that good sticks may look expired to them.
pub fn signed_ahead(current: &Current, now: Timestamp) -> Option<Timestamp> {
    current.timestamp.signed_at().filter(|at| at.duration_since(now) > CORRECTION)
}

/// Whole days until something expires, and whether that is soon enough to ask a person to sign again.
pub fn days_left(expires: Timestamp, now: Timestamp) -> (i64, bool) {
    let days = expires.duration_since(now).as_hours().div_euclid(24);
    (days, days < REMIND_BELOW_DAYS)
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The metadata cannot be made.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// What was signed does not verify under the root: a key is not the one that the root names.
    #[error("signed metadata does not verify: the key is not one of this depot's root")]
    NotOurKey(#[source] Rejection),
    /// The id gives no target name.
    #[error(transparent)]
    Name(#[from] InvalidTargetName),
    /// A date beyond what can be written.
    #[error("expiry cannot be computed")]
    Date(#[from] jiff::Error),
}

/// The four keys of a new depot.
#[derive(Debug)]
pub struct Keys {
    /// Signs roots.
    pub root: SigningKey,
    /// Approves firmware.
    pub targets: SigningKey,
    /// The unattended two.
    pub online: OnlineKeys,
}

/// The keys that sign without a person.
#[derive(Debug)]
pub struct OnlineKeys {
    /// Says which targets metadata is current.
    pub snapshot: SigningKey,
    /// Says which snapshot is current.
    pub timestamp: SigningKey,
}

/// Snapshot and timestamp, signed.
type Online = (Signed<Snapshot>, Signed<tuf_client::Timestamp>);

/// The first root, with one key for each role.
fn first_root(keys: &Keys, now: Timestamp) -> Result<Signed<Root>, PublishError> {
    let roles = Roles {
        root: Signers::one(keys.root.public()),
        targets: Signers::one(keys.targets.public()),
        snapshot: Signers::one(keys.online.snapshot.public()),
        timestamp: Signers::one(keys.online.timestamp.public()),
    };
    Ok(tuf_repository::root(None, after(now, ROOT_DAYS)?, &roles)?.sign(&[&keys.root]))
}

/// Puts releases with their pins on the list.
pub fn approve(draft: &mut TargetsDraft, releases: &[(&Release, &Pin)]) -> Result<(), PublishError> {
    for (release, pin) in releases {
        let name: TargetName = release.target_name().parse()?;
        let facts: Map<_, _> = release_facts(release).as_object().cloned().unwrap_or_default();
        draft.insert(name, pin.size, pin.sha256.as_bytes(), &facts);
    }
    Ok(())
}

/// Withdraws releases; gives those that were not approved.
pub fn withdraw<'a>(draft: &mut TargetsDraft, ids: &'a [ReleaseId]) -> Vec<&'a ReleaseId> {
    ids.iter().filter(|id| !draft.remove(&format!("{id}/{}", Release::FILE_NAME))).collect()
}

/// Until when a root signed now is good.
pub fn root_expires(now: Timestamp) -> Result<Timestamp, PublishError> {
    Ok(after(now, ROOT_DAYS)?)
}

/// Until when an approval signed now is good.
pub fn targets_expires(now: Timestamp) -> Result<Timestamp, PublishError> {
    Ok(after(now, TARGETS_DAYS)?)
}

/// The first publication of a new depot: nothing is approved.
pub fn first(keys: &Keys, now: Timestamp) -> Result<Next, PublishError> {
    let root = first_root(keys, now)?;
    let verified = Verified::self_signed(&root.bytes()).map_err(PublishError::NotOurKey)?;
    let targets = TargetsDraft::first().unsigned(targets_expires(now)?)?.sign(&[&keys.targets]);
    let listed = targets.verified_by(&verified).map_err(PublishError::NotOurKey)?;
    let (snapshot, timestamp) = online(&verified, None, &listed, &keys.online, now)?;
    Ok(Next { root: Some(root), targets: Some(targets), snapshot, timestamp })
}

/// What a finished signing event makes of what is current.
pub fn carry_out(
    finished: Finished,
    current: &Current,
    keys: &OnlineKeys,
    now: Timestamp,
) -> Result<Next, PublishError> {
    let Finished { root, new_root, new_targets } = finished;
    let bytes = new_targets.as_ref().map_or_else(|| current.targets.bytes().to_vec(), Signed::bytes);
    let targets = root.verify(&bytes).map_err(PublishError::NotOurKey)?;
    let (snapshot, timestamp) = online(&root, Some(current), &targets, keys, now)?;
    Ok(Next { root: new_root, targets: new_targets, snapshot, timestamp })
}

/// Whether snapshot or timestamp is good for less than half of its time, or was signed by a clock that was
/// ahead.
pub fn renewal_due(current: &Current, now: Timestamp) -> Result<bool, PublishError> {
    let soon = after(now, RENEW_BELOW_DAYS)?;
    let good_for_long = current.snapshot.expires() > soon && current.timestamp.expires() > soon;
    Ok(!good_for_long || signed_ahead(current, now).is_some())
}

/// Signs snapshot and timestamp anew if that is due.
pub fn renew(
    root: &Verified<Root>,
    current: &Current,
    keys: &OnlineKeys,
    now: Timestamp,
) -> Result<Option<Next>, PublishError> {
    if !renewal_due(current, now)? {
        return Ok(None);
    }
    let (snapshot, timestamp) = online(root, Some(current), &current.targets, keys, now)?;
    Ok(Some(Next { root: None, targets: None, snapshot, timestamp }))
}

fn online(
    root: &Verified<Root>,
    previous: Option<&Current>,
    targets: &Verified<Targets>,
    keys: &OnlineKeys,
    now: Timestamp,
) -> Result<Online, PublishError> {
    let expires = after(now, ONLINE_DAYS)?;
    let snapshot =
        tuf_repository::snapshot(previous.map(|c| &c.snapshot), expires, targets)?.sign(&[&keys.snapshot]);
    let verified = snapshot.verified_by(root).map_err(PublishError::NotOurKey)?;
    let timestamp = tuf_repository::timestamp(previous.map(|c| &c.timestamp), expires, now, &verified)?;
    let timestamp = timestamp.sign(&[&keys.timestamp]);
    timestamp.verified_by(root).map_err(PublishError::NotOurKey)?;
    Ok((snapshot, timestamp))
}

fn after(now: Timestamp, days: i32) -> Result<Timestamp, jiff::Error> {
    let span: Span = (i64::from(days) * 24).hours();
    now.checked_add(span)
}

#[cfg(test)]
pub(crate) mod tests {
    use tuf_repository::SigningEvent;

    use super::*;
    use crate::publication::Publication;

    pub(crate) fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    pub(crate) fn keys() -> Keys {
        let key = SigningKey::generate;
        Keys { root: key(), targets: key(), online: OnlineKeys { snapshot: key(), timestamp: key() } }
    }

    /// A depot's first, empty publication.
    pub(crate) fn publication(dir: &std::path::Path, keys: &Keys) -> Publication {
        Publication::create(dir, &first(keys, now()).unwrap()).unwrap()
    }

    fn event(published: &Publication) -> SigningEvent {
        SigningEvent::over(published.root().clone(), published.current().targets.clone())
    }

    /// Signs a list and makes it the current one.
    pub(crate) fn publish(published: &mut Publication, draft: &TargetsDraft, keys: &Keys) {
        let mut event = event(published);
        event.propose_targets(draft, targets_expires(now()).unwrap()).unwrap();
        event.sign(&keys.targets);
        let finished = event.finish().unwrap().unwrap();
        let next = carry_out(finished, published.current(), &keys.online, now()).unwrap();
        published.replace(&next).unwrap();
    }

    fn release() -> Release {
        serde_json::from_value(serde_json::json!({
            "id": "nvr-k51-4.61.025-230421", "family": "nvr", "models": ["DS-7608NI-I2"], "version": "V4.61.025", "build": "230421",
            "pin": {"size": 3, "sha256": firmware::Sha256Digest::of(b"abc"), "on": "2026-11-22", "provenance": "file"},
        }))
        .unwrap()
    }

    #[test]
    fn an_approval_is_published_with_its_facts() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys();
        let mut published = publication(dir.path(), &keys);
        assert!(published.current().targets.targets().is_empty());
        let release = release();
        let pin = release.pin.clone().unwrap();
        let mut draft = TargetsDraft::after(published.current().targets.clone());
        approve(&mut draft, &[(&release, &pin)]).unwrap();
        publish(&mut published, &draft, &keys);
        let target = published.current().targets.target("nvr-k51-4.61.025-230421/digicap.dav").unwrap();
        assert_eq!(target.length(), 3);
        assert!(target.custom().unwrap()["release"].get("pin").is_none());
        assert_eq!(published.current().timestamp.version(), 2);
        assert_eq!(
            published.versioned_files().keys().collect::<Vec<_>>(),
            ["1.root.json", "2.snapshot.json", "2.targets.json"]
        );
    }

    #[test]
    fn every_key_can_be_replaced_and_a_crash_leaves_one_publication_or_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let old = keys();
        let mut published = publication(dir.path(), &old);
        let new = keys();
        let mut roles = Roles::of(published.root());
        roles.root = Signers::one(new.root.public());
        roles.targets = Signers::one(new.targets.public());
        roles.snapshot = Signers::one(new.online.snapshot.public());
        roles.timestamp = Signers::one(new.online.timestamp.public());
        let mut event = event(&published);
        event.propose_root(&roles, root_expires(now()).unwrap()).unwrap();
        assert!(event.needs_targets());
        let draft = TargetsDraft::after(published.current().targets.clone());
        event.propose_targets(&draft, targets_expires(now()).unwrap()).unwrap();
        for key in [&old.root, &new.root, &new.targets] {
            assert!(!event.sign(key).is_empty());
        }
        let finished = event.finish().unwrap().unwrap();
        let wrong = carry_out(finished.clone(), published.current(), &old.online, now());
        assert!(matches!(wrong, Err(PublishError::NotOurKey(_))), "the old unattended keys count no more");
        let next = carry_out(finished, published.current(), &new.online, now()).unwrap();
        // what a crash before the exchange leaves is no part of the publication
        std::fs::create_dir(dir.path().join("metadata.next")).unwrap();
        std::fs::File::create(dir.path().join("metadata.next/2.root.json")).unwrap();
        assert_eq!(Publication::open(dir.path()).unwrap().root().version(), 1);
        published.replace(&next).unwrap();
        let again = Publication::open(dir.path()).unwrap();
        assert_eq!((again.root().version(), again.current().timestamp.version()), (2, 2));
        assert_eq!(again.versioned_files(), published.versioned_files());
        assert!(!dir.path().join("metadata.next").exists());
    }

    #[test]
    fn what_is_good_for_long_is_not_signed_again() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys();
        let published = publication(dir.path(), &keys);
        let renewed = |days: i32| {
            let later = after(now(), days).unwrap();
            renew(published.root(), published.current(), &keys.online, later).unwrap().is_some()
        };
        assert!(!renewed(0) && !renewed(14));
        assert!(renewed(15) && renewed(60));
        // signed by a clock that was ahead: every laptop that saw it would believe it
        assert!(renewed(-1) && signed_ahead(published.current(), now()).is_none());
    }

    #[test]
    fn withdrawing_says_what_was_not_there() {
        let mut draft = TargetsDraft::first();
        let ids = ["a".parse().unwrap()];
        assert_eq!(withdraw(&mut draft, &ids), [&ids[0]]);
    }

    #[test]
    fn a_damaged_publication_is_named() {
        let dir = tempfile::tempdir().unwrap();
        publication(dir.path(), &keys());
        let path = dir.path().join("metadata/1.targets.json");
        let text = std::fs::read_to_string(&path).unwrap();
        keys::durable::write_atomic(&path, text.replace("\"targets\"", "\"tergets\"").as_bytes(), 0o644)
            .unwrap();
        let error = Publication::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("1.targets.json"), "{error}");
    }
}

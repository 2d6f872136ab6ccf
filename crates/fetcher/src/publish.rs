//! Approved releases and documents to signed TUF metadata. Pure: keys, times and what was published
//! before go in.

mod documents;

use firmware::{Pin, Release, ReleaseId};
use jiff::{Span, Timestamp, ToSpan};
use keys::SigningKey;
use serde_json::Map;
use stick::release_facts;
use tuf_client::{InvalidTargetName, Rejection, Root, Snapshot, TargetName, Targets, Verified};
use tuf_repository::{DraftError, Roles, Signed, Signers, TargetsDraft};

use crate::publication::Current;
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
pub type Online = (Signed<Snapshot>, Signed<tuf_client::Timestamp>);

/// The first root, with one key for each role.
pub fn first_root(keys: &Keys, now: Timestamp) -> Result<Signed<Root>, PublishError> {
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

/// Signs the list as it stands.
pub fn sign_targets(
    draft: &TargetsDraft,
    approver: &SigningKey,
    now: Timestamp,
) -> Result<Signed<Targets>, PublishError> {
    Ok(draft.unsigned(after(now, TARGETS_DAYS)?)?.sign(&[approver]))
}

/// Signs snapshot and timestamp over targets that verify under the root.
pub fn make_current(
    root: &Verified<Root>,
    previous: Option<&Current>,
    targets: &Signed<Targets>,
    keys: &OnlineKeys,
    now: Timestamp,
) -> Result<Online, PublishError> {
    let targets = targets.verified_by(root).map_err(PublishError::NotOurKey)?;
    online(root, previous, &targets, keys, now)
}

/// Signs snapshot and timestamp anew if either is good for less than half of its time.
pub fn renew(
    root: &Verified<Root>,
    current: &Current,
    keys: &OnlineKeys,
    now: Timestamp,
) -> Result<Option<Online>, PublishError> {
    let soon = after(now, RENEW_BELOW_DAYS)?;
    if current.snapshot.expires() > soon && current.timestamp.expires() > soon {
        return Ok(None);
    }
    online(root, Some(current), &current.targets, keys, now).map(Some)
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
        let root = first_root(keys, now()).unwrap();
        let verified = Verified::self_signed(&root.bytes()).unwrap();
        let targets = sign_targets(&TargetsDraft::first(), &keys.targets, now()).unwrap();
        let (snapshot, timestamp) = make_current(&verified, None, &targets, &keys.online, now()).unwrap();
        Publication::create(dir, &root, &targets, &snapshot, &timestamp).unwrap()
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
        let targets = sign_targets(&draft, &keys.targets, now()).unwrap();
        let (snapshot, timestamp) =
            make_current(published.root(), Some(published.current()), &targets, &keys.online, now()).unwrap();
        published.replace(Some(&targets), &snapshot, &timestamp).unwrap();
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
    fn a_key_that_the_root_does_not_name_signs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys();
        let published = publication(dir.path(), &keys);
        let stranger = SigningKey::generate();
        let targets =
            sign_targets(&TargetsDraft::after(published.current().targets.clone()), &stranger, now())
                .unwrap();
        let error = make_current(published.root(), Some(published.current()), &targets, &keys.online, now())
            .unwrap_err();
        assert!(matches!(error, PublishError::NotOurKey(_)));
        // the unattended keys cannot approve
        let targets = sign_targets(
            &TargetsDraft::after(published.current().targets.clone()),
            &keys.online.snapshot,
            now(),
        )
        .unwrap();
        assert!(make_current(published.root(), None, &targets, &keys.online, now()).is_err());
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

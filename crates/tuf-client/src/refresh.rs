//! The client workflow in the order of specification §5.1 to §5.6; each step names its clause.
//!
//! Where a stored copy already is what the trusted metadata lists, it is not read again. A stored
//! copy that no longer verifies (its role's threshold was raised, or a disk damaged it) is treated
//! as none: whoever can damage it could delete it as well.
//!
//! A crash between any two writes is repaired by the next run: each file is replaced whole, and each
//! was verified against those before it.

use crate::clock::{Clock, OnlineKeys, StartTime};
use crate::documents::{MetaFile, Root, Snapshot, Targets, Timestamp};
use crate::error::{Error, Rejection};
use crate::expiry::{ExpiryPolicy, Forgiven, Judge};
use crate::fields::shown;
use crate::files::{Files, missing, rejected};
use crate::repository::Repository;
use crate::role::Role;
use crate::store::TrustStore;
use crate::verified::Verified;

/// More root files than this are not followed in one run; the next run goes on from there (§5.3.3).
pub const MAX_ROTATIONS: u64 = 256;

/// What the workflow ended with: all four roles verified, consistent, and good at the start time.
#[derive(Debug, Clone)]
pub struct TrustedMetadata {
    root: Verified<Root>,
    timestamp: Verified<Timestamp>,
    snapshot: Verified<Snapshot>,
    targets: Verified<Targets>,
    judge: Judge,
}

impl TrustedMetadata {
    /// The newest root.
    pub fn root(&self) -> &Verified<Root> {
        &self.root
    }

    /// The newest timestamp.
    pub fn timestamp(&self) -> &Verified<Timestamp> {
        &self.timestamp
    }

    /// The snapshot that the timestamp lists.
    pub fn snapshot(&self) -> &Verified<Snapshot> {
        &self.snapshot
    }

    /// The targets metadata that the snapshot lists.
    pub fn targets(&self) -> &Verified<Targets> {
        &self.targets
    }

    /// The time that expiries were judged by, and whether the system clock was behind it.
    pub fn start(&self) -> StartTime {
        self.judge.start
    }

    /// What has expired and was accepted all the same, in the order of the workflow; nothing unless
    /// [`ExpiryPolicy::AcceptExpired`] was asked for.
    pub fn forgiven(&self) -> &[Forgiven] {
        &self.judge.forgiven
    }

    pub(crate) fn judge(&self) -> &Judge {
        &self.judge
    }

    /// Until when all four are good, which is when the first of them expires.
    pub fn good_until(&self) -> jiff::Timestamp {
        let Self { root, timestamp, snapshot, targets, .. } = self;
        root.expires().min(timestamp.expires()).min(snapshot.expires()).min(targets.expires())
    }
}

/// Brings the trusted metadata up to date from the repository and returns it.
///
/// The start time is fixed at the beginning (§5.1). If the verified timestamp vouches for a later
/// one, the workflow starts again with it, once.
pub fn refresh(
    store: &mut dyn TrustStore,
    repository: &mut dyn Repository,
    clock: Clock,
) -> Result<TrustedMetadata, Error> {
    refresh_with(store, repository, clock, ExpiryPolicy::Enforce)
}

/// As [`refresh`], with a say in what becomes of metadata that has expired.
pub fn refresh_with(
    store: &mut dyn TrustStore,
    repository: &mut dyn Repository,
    clock: Clock,
    policy: ExpiryPolicy,
) -> Result<TrustedMetadata, Error> {
    let mut workflow = Workflow { files: Files { store, repository }, clock, policy };
    let mut begun = workflow.begin()?;
    if begun.timestamp.signed_at() > Some(begun.judge.start.now()) {
        begun = workflow.begin()?;
    }
    workflow.complete(begun)
}

struct Workflow<'a> {
    files: Files<'a>,
    clock: Clock,
    policy: ExpiryPolicy,
}

/// Root updated and good; timestamp authentic and no older than before, its expiry not judged yet.
struct Begun {
    root: Verified<Root>,
    judge: Judge,
    timestamp: Verified<Timestamp>,
}

impl Workflow<'_> {
    fn begin(&mut self) -> Result<Begun, Error> {
        // §5.2
        let bytes = self.files.store.load(Role::Root.file(), Role::Root.cap())?;
        let bytes = bytes.ok_or(Error::NoTrustedRoot)?;
        let trusted = Verified::self_signed(&bytes).map_err(rejected(Role::Root.file()))?;
        let mut accepted = self.accepted_keys(&trusted)?;
        let root = self.update_root(trusted, &mut accepted)?;
        let mut online = accepted.under(&root);
        let mut judge = Judge::new(StartTime::of(self.clock, online.floor), self.policy);
        // §5.3.10
        judge.check(Role::Root.file(), &root)?;
        // §5.3.11
        if !online.same_keys(&accepted) {
            self.recover(&online)?;
        }
        let timestamp = self.update_timestamp(&root)?;
        let floor = online.floor.max(timestamp.signed_at()).max(Some(self.clock.build));
        if floor != online.floor {
            online.floor = floor;
            online.save(self.files.store)?;
        }
        Ok(Begun { root, judge, timestamp })
    }

    fn complete(&mut self, begun: Begun) -> Result<TrustedMetadata, Error> {
        let Begun { root, mut judge, timestamp } = begun;
        // §5.4.4, 5.4.5
        judge.check(Role::Timestamp.file(), &timestamp)?;
        self.files.keep(Role::Timestamp.file(), &timestamp)?;
        let snapshot = self.update_snapshot(&root, timestamp.snapshot())?;
        // §5.5.6, 5.5.7
        judge.check(Role::Snapshot.file(), &snapshot)?;
        self.files.keep(Role::Snapshot.file(), &snapshot)?;
        let delegation = root.delegation(Role::Targets);
        let targets = self.files.current(delegation, snapshot.targets(), root.consistent_snapshot())?;
        // §5.6.5, 5.6.6
        judge.check(Role::Targets.file(), &targets)?;
        self.files.keep(Role::Targets.file(), &targets)?;
        Ok(TrustedMetadata { root, timestamp, snapshot, targets, judge })
    }

    /// Under which keys everything stored so far was accepted; recorded before the root can change.
    fn accepted_keys(&mut self, trusted: &Root) -> Result<OnlineKeys, Error> {
        if let Some(recorded) = OnlineKeys::load(self.files.store)? {
            return Ok(recorded);
        }
        let accepted = OnlineKeys::of(trusted);
        accepted.save(self.files.store)?;
        Ok(accepted)
    }

    /// Fast-forward recovery (§5.3.11). Recorded last, so that a crash repeats the deletion.
    fn recover(&mut self, online: &OnlineKeys) -> Result<(), Error> {
        self.files.store.remove(Role::Timestamp.file())?;
        self.files.store.remove(Role::Snapshot.file())?;
        online.save(self.files.store)
    }

    /// §5.3.2 to 5.3.9. Keys that one root changes and a later one changes back were changed: whoever saw
    /// each root by itself has recovered, and so does whoever sees both in one run.
    fn update_root(
        &mut self,
        mut root: Verified<Root>,
        accepted: &mut OnlineKeys,
    ) -> Result<Verified<Root>, Error> {
        for _ in 0..MAX_ROTATIONS {
            // after the highest number there is no other
            let Some(version) = root.version().checked_add(1) else { break };
            let file = Role::Root.versioned_file(version, true);
            let Some(bytes) = self.files.fetch(&file, Role::Root.cap())? else { break };
            let next = root.successor(&bytes).map_err(rejected(&file))?;
            let online = accepted.under(&root);
            if !online.same_keys(accepted) {
                self.recover(&online)?;
                *accepted = online;
            }
            self.files.keep(Role::Root.file(), &next)?;
            root = next;
        }
        Ok(root)
    }

    /// §5.4.1 to 5.4.3
    fn update_timestamp(&mut self, root: &Verified<Root>) -> Result<Verified<Timestamp>, Error> {
        let file = Role::Timestamp.file();
        let bytes = self.files.fetch(file, Role::Timestamp.cap())?.ok_or_else(|| missing(file))?;
        let offered = root.verify::<Timestamp>(&bytes).map_err(rejected(file))?;
        let trusted = self.files.authentic::<Timestamp>(root.delegation(Role::Timestamp))?;
        let Some(trusted) = trusted else { return Ok(offered) };
        // §5.4.3.1
        if offered.version() == trusted.version() {
            return Ok(trusted);
        }
        check_rollback(file, trusted.version(), offered.version())?;
        // §5.4.3.2
        check_rollback(Role::Snapshot.file(), trusted.snapshot().version(), offered.snapshot().version())?;
        Ok(offered)
    }

    /// §5.5.1 to 5.5.5
    fn update_snapshot(
        &mut self,
        root: &Verified<Root>,
        listed: &MetaFile,
    ) -> Result<Verified<Snapshot>, Error> {
        let delegation = root.delegation(Role::Snapshot);
        if let Some(snapshot) = self.files.stored(delegation, listed)? {
            return Ok(snapshot);
        }
        let consistent = root.consistent_snapshot();
        let offered = self.files.offered::<Snapshot>(delegation, listed, consistent)?;
        if let Some(trusted) = self.files.authentic::<Snapshot>(delegation)? {
            for (name, before) in trusted.meta() {
                let not_listed = || Rejection::NotListed { name: shown(name) };
                let file = Role::Snapshot.versioned_file(offered.version(), consistent);
                let now = offered.meta().get(name).ok_or_else(not_listed).map_err(rejected(&file))?;
                check_rollback(&shown(name), before.version(), now.version())?;
            }
        }
        Ok(offered)
    }
}

fn check_rollback(file: &str, trusted: u64, offered: u64) -> Result<(), Error> {
    if offered >= trusted { Ok(()) } else { Err(Error::Rollback { file: file.into(), trusted, offered }) }
}

#[cfg(test)]
mod tests;

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
use crate::repository::{FetchError, Repository};
use crate::role::Role;
use crate::store::TrustStore;
use crate::verified::{Document, Verified};

/// More root files than this are not followed in one run; the next run goes on from there (§5.3.3).
const MAX_ROTATIONS: usize = 256;

/// What the workflow ended with: all four roles verified, consistent, and good at the start time.
#[derive(Debug, Clone)]
pub struct TrustedMetadata {
    root: Verified<Root>,
    timestamp: Verified<Timestamp>,
    snapshot: Verified<Snapshot>,
    targets: Verified<Targets>,
    start: StartTime,
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
        self.start
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
    let mut workflow = Workflow { store, repository, clock };
    let mut begun = workflow.begin()?;
    if begun.timestamp.signed_at() > Some(begun.start.now()) {
        begun = workflow.begin()?;
    }
    workflow.complete(begun)
}

struct Workflow<'a> {
    store: &'a mut dyn TrustStore,
    repository: &'a mut dyn Repository,
    clock: Clock,
}

/// Root updated and good; timestamp authentic and no older than before, its expiry not judged yet.
struct Begun {
    root: Verified<Root>,
    start: StartTime,
    timestamp: Verified<Timestamp>,
}

impl Workflow<'_> {
    fn begin(&mut self) -> Result<Begun, Error> {
        // §5.2
        let bytes = self.store.load(Role::Root.file(), Role::Root.cap())?.ok_or(Error::NoTrustedRoot)?;
        let trusted = Verified::self_signed(&bytes).map_err(rejected(Role::Root.file()))?;
        let accepted = self.accepted_keys(&trusted)?;
        let root = self.update_root(trusted)?;
        let mut online = accepted.under(&root);
        let start = StartTime::of(self.clock, online.floor);
        // §5.3.10
        check_expiry(&root, start)?;
        // §5.3.11, fast-forward recovery; recorded last, so that a crash repeats the deletion
        if !online.same_keys(&accepted) {
            self.store.remove(Role::Timestamp.file())?;
            self.store.remove(Role::Snapshot.file())?;
            online.save(self.store)?;
        }
        let timestamp = self.update_timestamp(&root)?;
        let floor = online.floor.max(timestamp.signed_at()).max(Some(self.clock.build));
        if floor != online.floor {
            online.floor = floor;
            online.save(self.store)?;
        }
        Ok(Begun { root, start, timestamp })
    }

    fn complete(&mut self, begun: Begun) -> Result<TrustedMetadata, Error> {
        let Begun { root, start, timestamp } = begun;
        // §5.4.4, 5.4.5
        check_expiry(&timestamp, start)?;
        self.keep(&timestamp)?;
        let snapshot = self.update_snapshot(&root, timestamp.snapshot())?;
        // §5.5.6, 5.5.7
        check_expiry(&snapshot, start)?;
        self.keep(&snapshot)?;
        let targets = match self.stored(&root, snapshot.targets())? {
            Some(targets) => targets,
            None => self.listed(&root, snapshot.targets())?,
        };
        // §5.6.5, 5.6.6
        check_expiry(&targets, start)?;
        self.keep(&targets)?;
        Ok(TrustedMetadata { root, timestamp, snapshot, targets, start })
    }

    /// Under which keys everything stored so far was accepted; recorded before the root can change.
    fn accepted_keys(&mut self, trusted: &Root) -> Result<OnlineKeys, Error> {
        if let Some(recorded) = OnlineKeys::load(self.store)? {
            return Ok(recorded);
        }
        let accepted = OnlineKeys::of(trusted);
        accepted.save(self.store)?;
        Ok(accepted)
    }

    /// §5.3.2 to 5.3.9
    fn update_root(&mut self, mut root: Verified<Root>) -> Result<Verified<Root>, Error> {
        for _ in 0..MAX_ROTATIONS {
            let file = Role::Root.versioned_file(root.version().saturating_add(1), true);
            let Some(bytes) = self.fetch(&file, Role::Root.cap())? else { break };
            let next = root.successor(&bytes).map_err(rejected(&file))?;
            self.keep(&next)?;
            root = next;
        }
        Ok(root)
    }

    /// §5.4.1 to 5.4.3
    fn update_timestamp(&mut self, root: &Verified<Root>) -> Result<Verified<Timestamp>, Error> {
        let file = Role::Timestamp.file();
        let bytes = self.fetch(file, Role::Timestamp.cap())?.ok_or_else(|| missing(file))?;
        let offered = root.verify::<Timestamp>(&bytes).map_err(rejected(file))?;
        let Some(trusted) = self.authentic::<Timestamp>(root)? else { return Ok(offered) };
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
        if let Some(snapshot) = self.stored(root, listed)? {
            return Ok(snapshot);
        }
        let offered = self.listed::<Snapshot>(root, listed)?;
        if let Some(trusted) = self.authentic::<Snapshot>(root)? {
            for (name, before) in trusted.meta() {
                let not_listed = || Rejection::NotListed { name: name.clone() };
                let file = file_of(root, &offered);
                let now = offered.meta().get(name).ok_or_else(not_listed).map_err(rejected(&file))?;
                check_rollback(name, before.version(), now.version())?;
            }
        }
        Ok(offered)
    }

    /// What is stored and still verifies, however old.
    fn authentic<T: Document>(&self, root: &Verified<Root>) -> Result<Option<Verified<T>>, Error> {
        let bytes = self.store.load(T::ROLE.file(), T::ROLE.cap())?;
        Ok(bytes.and_then(|bytes| root.verify(&bytes).ok()))
    }

    /// What is stored, if it is the very file that is listed.
    fn stored<T: Document>(
        &self,
        root: &Verified<Root>,
        listed: &MetaFile,
    ) -> Result<Option<Verified<T>>, Error> {
        let fits = |stored: &Verified<T>| {
            stored.version() == listed.version() && listed.check(stored.bytes()).is_ok()
        };
        Ok(self.authentic(root)?.filter(fits))
    }

    /// The file that is listed, from the repository: size, hashes (§5.5.2, 5.6.2), signatures
    /// (§5.5.3, 5.6.3), version (§5.5.4, 5.6.4).
    fn listed<T: Document>(
        &mut self,
        root: &Verified<Root>,
        listed: &MetaFile,
    ) -> Result<Verified<T>, Error> {
        let file = T::ROLE.versioned_file(listed.version(), root.consistent_snapshot());
        let cap = listed.length().unwrap_or(u64::MAX).min(T::ROLE.cap());
        let bytes = self.fetch(&file, cap)?.ok_or_else(|| missing(&file))?;
        listed.check(&bytes).map_err(|mismatch| rejected(&file)(mismatch.into()))?;
        let offered = root.verify::<T>(&bytes).map_err(rejected(&file))?;
        if offered.version() == listed.version() {
            Ok(offered)
        } else {
            Err(rejected(&file)(Rejection::Version { expected: listed.version(), found: offered.version() }))
        }
    }

    fn fetch(&mut self, file: &str, cap: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.repository.metadata(file, cap) {
            Ok(Some(bytes)) if bytes.len() as u64 > cap => Err(rejected(file)(Rejection::TooLarge { cap })),
            Ok(bytes) => Ok(bytes),
            Err(FetchError::TooLarge) => Err(rejected(file)(Rejection::TooLarge { cap })),
            Err(FetchError::Io(source)) => Err(Error::Io { file: file.into(), source }),
        }
    }

    /// Persists byte for byte; a file that is stored already is not written again.
    fn keep<T: Document>(&mut self, metadata: &Verified<T>) -> Result<(), Error> {
        let file = T::ROLE.file();
        if self.store.load(file, T::ROLE.cap())?.as_deref() != Some(metadata.bytes()) {
            self.store.save(file, metadata.bytes())?;
        }
        Ok(())
    }
}

/// The one place where expiry is judged: good until, not at, `expires`.
fn check_expiry<T: Document>(metadata: &Verified<T>, start: StartTime) -> Result<(), Error> {
    let (expires, now) = (metadata.expires(), start.now());
    if expires > now { Ok(()) } else { Err(Error::Expired { file: T::ROLE.file().into(), expires, now }) }
}

fn check_rollback(file: &str, trusted: u64, offered: u64) -> Result<(), Error> {
    if offered >= trusted { Ok(()) } else { Err(Error::Rollback { file: file.into(), trusted, offered }) }
}

fn file_of<T: Document>(root: &Verified<Root>, metadata: &Verified<T>) -> String {
    T::ROLE.versioned_file(metadata.version(), root.consistent_snapshot())
}

fn rejected(file: &str) -> impl Fn(Rejection) -> Error {
    let file = file.to_string();
    move |reason| Error::Rejected { file: file.clone(), reason }
}

fn missing(file: &str) -> Error {
    Error::Missing { file: file.into() }
}

#[cfg(test)]
mod tests;

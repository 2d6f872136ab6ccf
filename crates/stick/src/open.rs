//! Stick to verified publication: what came across the gap, checked against the root that this
//! machine holds. There is no other way to a [`VerifiedPublication`].

use std::io::{self, Read, Write};

use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use firmware::{Release, ReleaseId, Sha256Digest, Text};
use receipt::{Acknowledged, Forgiven, LONGEST_ENVELOPE, LaptopId, Publication};
use tuf_client::{
    Clock, Error, ExpiryPolicy, FetchError, MAX_ROTATIONS, Repository, Role, Root, StartTime, TargetError,
    TargetRejected, TrustStore, TrustedMetadata, Verified,
};

use crate::layout;
use crate::media::{self, Kind, Tree};
use crate::signed_document::SignedDocument;
use crate::signed_release::{FORMAT, SignedRelease};

/// What lies on a medium. Nothing in it is believed.
#[derive(Clone, Copy)]
pub struct UnverifiedPublication<'m> {
    medium: &'m dyn Tree,
    timestamp: Option<&'m [u8]>,
}

/// A publication whose every signature, version, expiry and hash was checked, and the documents that
/// steer plans with it. Firmware is checked as it is read: see [`VerifiedPublication::copy`].
pub struct VerifiedPublication<'m> {
    medium: &'m dyn Tree,
    metadata: TrustedMetadata,
    releases: Vec<SignedRelease>,
    advisories: Option<SignedDocument<AdvisoryTable>>,
    policy: Option<SignedDocument<Policy>>,
}

/// Why a medium holds no publication to act on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It carries none at all.
    #[error("stick: carries no publication: there is no {}", layout::TIMESTAMP)]
    NoPublication,
    /// The metadata is refused.
    #[error("publication: {}", kind(.0))]
    Metadata(#[source] Error),
    /// A signed target is described in a way that this program does not know.
    #[error(
        "publication: what is signed as {target} has format {format}, this program knows {FORMAT}: update it"
    )]
    Format {
        /// Target name.
        target: String,
        /// As signed.
        format: u64,
    },
    /// A signed target is described wrongly: a fault of the depot.
    #[error("publication: what is signed as {target} cannot be used: {why}")]
    Facts {
        /// Target name.
        target: String,
        /// What is wrong.
        why: String,
    },
    /// A document that steers plans is listed, and the medium does not have it. Without it plans would be
    /// looser than the depot allows.
    #[error("publication: {target} is signed and not on the stick: stripped or damaged")]
    Stripped {
        /// Target name.
        target: &'static str,
    },
    /// A document that steers plans is not the one that is listed.
    #[error("publication: {target} is not the one that was signed: damaged or exchanged")]
    Exchanged {
        /// Target name.
        target: &'static str,
        /// In what it differs.
        #[source]
        source: io::Error,
    },
    /// What was verified before is not what lies on the medium now.
    #[error("publication: {file} on the stick is not the file of this version that was verified: damaged")]
    Damaged {
        /// The file's name.
        file: String,
    },
    /// The medium cannot be read.
    #[error("stick: cannot be read")]
    Io(#[source] io::Error),
}

/// Why firmware could not be copied off a medium.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It is approved, and this stick does not have it.
    #[error("release {0}: approved, but not carried on this stick")]
    NotCarried(ReleaseId),
    /// The file is not the one that was approved.
    #[error("release {0}: its file on the stick is damaged or exchanged")]
    Rejected(ReleaseId, #[source] io::Error),
    /// The stick failed.
    #[error("release {0}: its file on the stick cannot be read")]
    Read(ReleaseId, #[source] io::Error),
    /// The place to copy to failed.
    #[error("local copy: cannot be written")]
    Write(#[source] io::Error),
}

/// Bytes read at a time: the size at which hashing is fastest (reference: crates §1).
const BLOCK: usize = 64 * 1024;

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Expired { .. } => "no longer good",
        Error::Rollback { .. } => "older than one seen before",
        Error::NoTrustedRoot => "nothing to check it against",
        Error::Missing { .. } | Error::Io { .. } => "incomplete or unreadable",
        Error::Store(_) => "cannot be recorded",
        Error::Rejected { .. } => "damaged or forged",
    }
}

impl<'m> UnverifiedPublication<'m> {
    /// What lies on this medium.
    pub fn on(medium: &'m dyn Tree) -> Self {
        Self { medium, timestamp: None }
    }

    /// The same with another timestamp laid over the one on the medium: what it will be once that is
    /// written.
    #[must_use]
    pub fn with_timestamp(self, timestamp: &'m [u8]) -> Self {
        Self { timestamp: Some(timestamp), ..self }
    }

    /// Runs the TUF client workflow against what `store` trusts and reads the signed releases.
    pub fn verify(
        self,
        store: &mut dyn TrustStore,
        clock: Clock,
    ) -> Result<VerifiedPublication<'m>, OpenError> {
        self.verify_with(store, clock, ExpiryPolicy::Enforce)
    }

    /// As [`Self::verify`], with a say in what becomes of metadata that has expired.
    pub fn verify_with(
        self,
        store: &mut dyn TrustStore,
        clock: Clock,
        policy: ExpiryPolicy,
    ) -> Result<VerifiedPublication<'m>, OpenError> {
        let medium = self.medium;
        if self.timestamp.is_none() && medium.open(layout::TIMESTAMP).map_err(OpenError::Io)?.is_none() {
            return Err(OpenError::NoPublication);
        }
        let mut repository = self;
        let metadata = tuf_client::refresh_with(store, &mut repository, clock, policy);
        let metadata = metadata.map_err(OpenError::Metadata)?;
        self.check_whole(&metadata)?;
        let releases = SignedRelease::all(metadata.targets())?;
        let advisories = SignedDocument::read(&metadata, &mut repository)?;
        let policy = SignedDocument::read(&metadata, &mut repository)?;
        Ok(VerifiedPublication { medium, metadata, releases, advisories, policy })
    }
}

impl UnverifiedPublication<'_> {
    /// Checks that the medium itself holds what was verified, byte for byte. The workflow reads no
    /// more than it needs: a machine that has seen this publication before would not notice that the
    /// stick has rotted, and the next machine would be refused on site.
    ///
    /// Of the roots, as many as any machine follows in one run: a chain that never ends must not
    /// make every run longer than the one before.
    fn check_whole(mut self, metadata: &TrustedMetadata) -> Result<(), OpenError> {
        let newest = metadata.root().version();
        let mut root: Option<Verified<Root>> = None;
        for version in newest.saturating_sub(MAX_ROTATIONS).max(1)..=newest {
            let name = Role::Root.versioned_file(version, true);
            let bytes = self.required(&name, Role::Root)?;
            let next = root.map_or_else(|| Verified::self_signed(&bytes), |root| root.successor(&bytes));
            root = Some(next.map_err(|reason| OpenError::Metadata(Error::Rejected { file: name, reason }))?);
        }
        let [snapshot, targets] = [Role::Snapshot, Role::Targets];
        self.same(Role::Root, newest, metadata.root().bytes())?;
        self.same(Role::Timestamp, metadata.timestamp().version(), metadata.timestamp().bytes())?;
        self.same(snapshot, metadata.snapshot().version(), metadata.snapshot().bytes())?;
        self.same(targets, metadata.targets().version(), metadata.targets().bytes())
    }

    fn same(&mut self, role: Role, version: u64, verified: &[u8]) -> Result<(), OpenError> {
        let file = role.versioned_file(version, true);
        let found = self.required(&file, role)?;
        if found == verified { Ok(()) } else { Err(OpenError::Damaged { file }) }
    }

    fn required(&mut self, name: &str, role: Role) -> Result<Vec<u8>, OpenError> {
        let file = || name.to_owned();
        match self.metadata(name, role.cap()) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(OpenError::Metadata(Error::Missing { file: file() })),
            Err(FetchError::TooLarge) => Err(OpenError::Damaged { file: file() }),
            Err(FetchError::Io(source)) => Err(OpenError::Metadata(Error::Io { file: file(), source })),
        }
    }
}

impl Repository for UnverifiedPublication<'_> {
    fn metadata(&mut self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, FetchError> {
        match self.timestamp {
            Some(timestamp) if name == "timestamp.json" => Ok(Some(timestamp.to_vec())),
            _ => match media::read(self.medium, &layout::metadata(name), cap) {
                Err(e) if e.kind() == io::ErrorKind::FileTooLarge => Err(FetchError::TooLarge),
                read => Ok(read?),
            },
        }
    }

    fn target<'a>(&'a mut self, path: &str) -> Result<Option<Box<dyn Read + 'a>>, FetchError> {
        let reader = self.medium.open(&layout::target(path))?;
        Ok(reader.map(|reader| reader as Box<dyn Read + 'a>))
    }
}

impl VerifiedPublication<'_> {
    /// Every release that is approved, carried here or not.
    pub fn releases(&self) -> &[SignedRelease] {
        &self.releases
    }

    /// The approved release of this id.
    pub fn release(&self, id: &ReleaseId) -> Option<&SignedRelease> {
        self.releases.iter().find(|r| r.release().id == *id)
    }

    /// What is published about weak firmware, where the approvers signed any of it.
    pub fn advisories(&self) -> Option<&SignedDocument<AdvisoryTable>> {
        self.advisories.as_ref()
    }

    /// What the depot allows, where the approvers signed that.
    pub fn policy(&self) -> Option<&SignedDocument<Policy>> {
        self.policy.as_ref()
    }

    /// Whether the medium has a file for a release. It is checked only when it is read.
    pub fn carries(&self, release: &SignedRelease) -> io::Result<bool> {
        let folder = layout::target(&release.release().id);
        let name = format!("{}.{}", release.sha256(), Release::FILE_NAME);
        Ok(self.medium.list(&folder)?.iter().any(|e| e.name == name && matches!(e.kind, Kind::File(_))))
    }

    /// Copies the firmware of a release to `to` while checking it, and says after each block how many
    /// bytes have gone. Only after `Ok` is what was written the signed file.
    pub fn copy(
        &self,
        release: &SignedRelease,
        to: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CopyError> {
        let id = || release.release().id.clone();
        let mut repository = UnverifiedPublication::on(self.medium);
        let mut reader = match self.metadata.open(&mut repository, &release.release().target_name()) {
            Ok(reader) => reader,
            Err(TargetError::NotCarried { .. }) => return Err(CopyError::NotCarried(id())),
            Err(error) => return Err(CopyError::Read(id(), io::Error::other(error))),
        };
        let mut block = vec![0; BLOCK];
        let mut copied = 0;
        loop {
            let count = match reader.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if TargetRejected::in_error(&error).is_some() => {
                    return Err(CopyError::Rejected(id(), error));
                }
                Err(error) => return Err(CopyError::Read(id(), error)),
            };
            to.write_all(&block[..count]).map_err(CopyError::Write)?;
            copied += count as u64;
            progress(copied);
        }
    }

    /// Up to which of a laptop's statements the depot says that it has them; `None` where it says nothing.
    /// An unattended key signs that: it may steer reminders, and what is laid on a stick once more.
    pub fn acknowledged(&self, laptop: &LaptopId) -> Option<u64> {
        let bytes = media::read(self.medium, layout::ACKNOWLEDGED, LONGEST_ENVELOPE).ok()??;
        let keys = self.metadata.root().keys(Role::Snapshot);
        let read = keys.into_iter().find_map(|key| Acknowledged::open(&bytes, key).ok());
        read.map(|acknowledged| acknowledged.of(laptop))
    }

    /// The verified metadata.
    pub fn metadata(&self) -> &TrustedMetadata {
        &self.metadata
    }

    /// By which time it was judged.
    pub fn start(&self) -> StartTime {
        self.metadata.start()
    }

    /// Versions and digests, as statements name them, and what of it had expired.
    pub fn publication(&self) -> Publication {
        let metadata = &self.metadata;
        let forgiven = metadata.forgiven().iter();
        let role = |file: &str| Text::cleaned(file.strip_suffix(".json").unwrap_or(file));
        Publication {
            root: metadata.root().version(),
            targets: metadata.targets().version(),
            snapshot: metadata.snapshot().version(),
            timestamp: metadata.timestamp().version(),
            timestamp_sha256: Sha256Digest::of(metadata.timestamp().bytes()),
            forgiven: forgiven.map(|f| Forgiven { role: role(&f.file), expires: f.expires }).collect(),
        }
    }
}

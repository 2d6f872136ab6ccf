//! The one place where expiry is judged: metadata is good until, not at, its `expires`.

use jiff::{SignedDuration, Timestamp};

use crate::verified::{Document, Verified};
use crate::{Error, Role, StartTime};

/// What becomes of metadata that has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryPolicy {
    /// It is refused, as the specification says.
    Enforce,
    /// A person with a reason takes timestamp, snapshot and targets, delegated ones among them, up
    /// to 180 days past their expiry. Never a root: it says whose word counts at all.
    AcceptExpired,
}

impl ExpiryPolicy {
    /// Metadata that expired longer ago is refused whatever anybody accepts.
    pub const GRACE: SignedDuration = SignedDuration::from_hours(180 * 24);
}

/// Metadata that has expired and was accepted all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgiven {
    /// The file without its version, such as `timestamp.json`.
    pub file: String,
    /// Its `expires`.
    pub expires: Timestamp,
}

/// Judges all metadata of a run by one start time (§5.1).
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    pub(crate) start: StartTime,
    policy: ExpiryPolicy,
    pub(crate) forgiven: Vec<Forgiven>,
}

impl Judge {
    pub(crate) fn new(start: StartTime, policy: ExpiryPolicy) -> Self {
        Self { start, policy, forgiven: Vec::new() }
    }

    /// The same judge, who has forgiven nothing yet.
    pub(crate) fn afresh(&self) -> Self {
        Self::new(self.start, self.policy)
    }

    /// `file` without its version.
    pub(crate) fn check<T: Document>(&mut self, file: &str, metadata: &Verified<T>) -> Result<(), Error> {
        let (expires, now) = (metadata.expires(), self.start.now());
        if expires > now {
            return Ok(());
        }
        let forgivable = self.policy == ExpiryPolicy::AcceptExpired && T::ROLE != Role::Root;
        if !forgivable || now.duration_since(expires) > ExpiryPolicy::GRACE {
            return Err(Error::Expired { file: file.into(), expires, now });
        }
        self.forgiven.push(Forgiven { file: file.into(), expires });
        Ok(())
    }
}

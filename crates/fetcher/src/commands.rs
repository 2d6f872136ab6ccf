//! One file for each command: its arguments and what it does.

pub mod approve;
pub mod collect;
pub mod export;
pub mod fleet;
pub mod init;
pub mod keys;
pub mod laptops;
pub mod load;
mod outgoing;
pub mod pin;
mod place;
mod proposal;
mod receiving;
pub mod releases;
pub mod root;
pub mod sign;
mod signing;
mod source;
mod sources;
pub mod station;
pub mod status;
pub mod sync;
pub mod watch_upstream;

use terminal::{Exit, Failure};

use crate::key_ring::OnlineKeyError;
use crate::ledger::LedgerError;
use crate::publication::PublicationError;
use crate::publish::PublishError;

/// A ledger of a later version is a matter of usage, anything else an internal fault.
fn ledger_failure(error: LedgerError) -> Failure {
    let exit = match error {
        LedgerError::Format(_) | LedgerError::Enrolled(_) => Exit::Usage,
        LedgerError::Database(_) | LedgerError::Damaged(_) => Exit::Internal,
    };
    Failure::of(exit, error)
}

/// What the depot itself published is damaged, or cannot be read.
fn publication_failure(error: PublicationError) -> Failure {
    let (exit, hint) = match error {
        PublicationError::Rejected(..) => (Exit::Rejected, "restore the publication folder from a backup"),
        PublicationError::Document(_) => (
            Exit::Rejected,
            "restore the publication folder from a backup, or sign it again: fetcher approve --advisories --policy",
        ),
        _ => (Exit::Internal, "restore the publication folder from a backup"),
    };
    Failure::of(exit, error).hint(hint)
}

/// The unattended keys cannot be used: nothing was signed by them.
fn online_key_failure(error: OnlineKeyError) -> Failure {
    match error {
        OnlineKeyError::File(error) => crate::context::key_failure(error),
        OnlineKeyError::NotThere { role, .. } => Failure::of(Exit::Usage, error).hint(format!(
            "bring the key file back from a backup, or put a new key in its place: fetcher root rotate {role}"
        )),
    }
}

/// Nothing was signed.
fn publish_failure(error: PublishError) -> Failure {
    let exit = match &error {
        PublishError::NotOurKey(_) | PublishError::Draft(_) => Exit::Usage,
        _ => Exit::Internal,
    };
    Failure::of(exit, error)
}

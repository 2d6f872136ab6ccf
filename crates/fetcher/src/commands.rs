//! One file for each command: its arguments and what it does.

pub mod approve;
pub mod collect;
pub mod export;
pub mod fleet;
pub mod init;
pub mod laptops;
pub mod load;
mod outgoing;
pub mod pin;
pub mod releases;
pub mod root;
mod source;
pub mod status;
pub mod sync;

use std::path::Path;

use stick::Directory;
use terminal::{Exit, Failure};

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

/// The stick in this folder.
fn open_stick(path: &Path) -> Result<Directory, Failure> {
    Directory::open(path).map_err(|error| {
        let failure = Failure::of(Exit::Stick, error);
        failure
            .context(format!("stick {}", path.display()))
            .hint("plug it in and name the folder where it is mounted")
    })
}

/// What the depot itself published is damaged, or cannot be read.
fn publication_failure(error: PublicationError) -> Failure {
    let exit = if matches!(error, PublicationError::Rejected(..)) { Exit::Rejected } else { Exit::Internal };
    Failure::of(exit, error).hint("restore the publication folder from a backup")
}

/// Nothing was signed.
fn publish_failure(error: PublishError) -> Failure {
    let exit = if matches!(error, PublishError::NotOurKey(_)) { Exit::Usage } else { Exit::Internal };
    Failure::of(exit, error)
}

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
mod sites;
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

/// What a person can set right is a matter of usage, anything else an internal fault or one of the server.
fn ledger_failure(error: LedgerError) -> Failure {
    let (exit, hint) = match error {
        LedgerError::Password(failure) => {
            return failure.context("ledger: password_file in fetcher.toml");
        }
        LedgerError::Format(_) | LedgerError::Enrolled(_) => (Exit::Usage, None),
        LedgerError::NotEnrolled(_) => (Exit::Usage, Some("fetcher laptops list shows those that are")),
        LedgerError::Revoked { .. } => (
            Exit::Usage,
            Some(
                "a key that was in other hands is not believed again: make a new state on the laptop and enrol its key",
            ),
        ),
        LedgerError::Url(_) | LedgerError::Ca(..) => (
            Exit::Usage,
            Some("correct [ledger] in the home's fetcher.toml; docs/ledger.md says what it takes"),
        ),
        LedgerError::Encoding(_) => {
            (Exit::Usage, Some("make the database anew: createdb --encoding UTF8 --template template0 NAME"))
        }
        LedgerError::Unreachable(_) => (
            Exit::Unreachable,
            Some("see that the server runs and that [ledger] in fetcher.toml names it; then again"),
        ),
        LedgerError::LogIn(_) => (
            Exit::Credentials,
            Some("see that the user in url may log in, and that password_file holds its password"),
        ),
        LedgerError::Database(_) | LedgerError::Damaged(_) => (Exit::Internal, None),
    };
    Failure::of(exit, error).maybe_hint(hint)
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

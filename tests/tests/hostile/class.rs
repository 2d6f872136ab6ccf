//! The class of an error, in words that a case can name: the variant, and what it says of the file.

use std::io;

use stick::{CopyError, Obstacle, OpenError};
use tuf_client::{Error, Mismatch, Rejection, TargetError, TargetRejected};

pub(crate) fn of_open(error: &OpenError) -> String {
    match error {
        OpenError::NoPublication => "no publication".into(),
        OpenError::Metadata(error) => of_metadata(error),
        OpenError::Format { .. } => "facts of an unknown format".into(),
        OpenError::Facts { .. } => "facts that cannot be used".into(),
        OpenError::Damaged { file } => format!("damaged {file}"),
        OpenError::Stripped { target } => format!("stripped {target}"),
        OpenError::Exchanged { target, .. } => format!("exchanged {target}"),
        OpenError::Io(_) => "unreadable stick".into(),
    }
}

pub(crate) fn of_metadata(error: &Error) -> String {
    match error {
        Error::NoTrustedRoot => "no trusted root".into(),
        Error::Expired { file, .. } => format!("expired {file}"),
        Error::Rollback { file, trusted, offered } => format!("rollback {file}: {trusted} to {offered}"),
        Error::Missing { file } => format!("missing {file}"),
        Error::Rejected { file, reason } => format!("rejected {file}: {}", of_rejection(reason)),
        Error::Io { file, .. } => format!("unreadable {file}"),
        Error::Store(error) => format!("store: {} failed", error.action),
    }
}

fn of_rejection(reason: &Rejection) -> String {
    match reason {
        Rejection::TooLarge { cap } => format!("longer than {cap}"),
        Rejection::NotJson(_) => "not JSON".into(),
        Rejection::NotCanonical(_) => "not canonical".into(),
        Rejection::Malformed { field, .. } => format!("malformed {field}"),
        Rejection::SpecVersion { found } => format!("specification {found}"),
        Rejection::Threshold { role, valid, threshold } => {
            format!("{valid} of {threshold} signatures of {role}")
        }
        Rejection::Version { expected, found } => format!("version {found} for {expected}"),
        Rejection::Mismatch(mismatch) => of_mismatch(mismatch).into(),
        Rejection::NotListed { name } => format!("{name} not listed"),
        Rejection::SignedAfterExpiry { .. } => "signed after its expiry".into(),
    }
}

fn of_mismatch(mismatch: &Mismatch) -> &'static str {
    match mismatch {
        Mismatch::Length { .. } => "length",
        Mismatch::Hash { .. } => "hash",
        Mismatch::NoKnownHash => "no known hash",
    }
}

pub(crate) fn of_target(error: &TargetError) -> String {
    match error {
        TargetError::NotListed { .. } => "target not listed",
        TargetError::NotCarried { .. } => "target not carried",
        TargetError::NoKnownHash { .. } => "target rejected: no known hash",
        TargetError::Io { .. } => "target unreadable",
    }
    .into()
}

pub(crate) fn of_read(error: &io::Error) -> String {
    match TargetRejected::in_error(error) {
        Some(rejected) => format!("target rejected: {}", of_mismatch(&rejected.mismatch)),
        None => "target unreadable".into(),
    }
}

pub(crate) fn of_copy(error: &CopyError) -> String {
    match error {
        CopyError::NotCarried(_) => "target not carried".into(),
        CopyError::Rejected(_, error) => of_read(error),
        CopyError::Read(..) => "target unreadable".into(),
        CopyError::Write(_) => "copy cannot be written".into(),
    }
}

pub(crate) fn of_obstacles(obstacles: &[Obstacle]) -> String {
    let names = obstacles.iter().map(|obstacle| match obstacle {
        Obstacle::ReadOnly(_) => "read-only",
        Obstacle::Full { .. } => "full",
        Obstacle::TooLarge { .. } => "file too large",
        Obstacle::OtherDepot(_) => "other depot",
        Obstacle::Twins(..) => "twins",
        Obstacle::Newer { .. } | Obstacle::NewerRoot(_) => "newer publication",
        Obstacle::InTheWay { .. } => "in the way",
    });
    format!("obstacle: {}", names.collect::<Vec<_>>().join(", "))
}

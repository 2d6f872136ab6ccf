//! What `verify` finds of each file on a stick.

use std::io;

use serde::Serialize;
use stick::{CopyError, SignedRelease, VerifiedPublication};

/// Whether the file of one release is on the stick, and whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carried {
    /// It is there, and its digest is the signed one.
    Whole,
    /// It is approved, and not on this stick.
    NotCarried,
    /// It is there, and not the signed file.
    Damaged,
}

/// Reads the whole file of a release and compares it with what was signed.
pub fn firmware(
    publication: &VerifiedPublication<'_>,
    release: &SignedRelease,
    progress: &mut dyn FnMut(u64),
) -> Result<Carried, CopyError> {
    match publication.copy(release, &mut io::sink(), progress) {
        Ok(()) => Ok(Carried::Whole),
        Err(CopyError::NotCarried(_)) => Ok(Carried::NotCarried),
        Err(CopyError::Rejected(..)) => Ok(Carried::Damaged),
        Err(error) => Err(error),
    }
}

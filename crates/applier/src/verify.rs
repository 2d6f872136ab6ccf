//! What `verify` finds of each file on a stick.
//!
//! Hashing keeps one processor busy and a stick carries several files, so as many are read at a time
//! as there are processors, the largest first: then none of them is left alone with the longest.

use std::io;
use std::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

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

/// Reads the whole files of these releases and compares them with what was signed. The findings come
/// in the order of the releases; after each block `progress` is told how many bytes it had. A file
/// that cannot be read ends it all.
pub fn all(
    publication: &VerifiedPublication<'_>,
    releases: &[&SignedRelease],
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<Carried>, CopyError> {
    let mut waiting: Vec<usize> = (0..releases.len()).collect();
    // taken from the end
    waiting.sort_by_key(|index| releases[*index].length());
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(waiting.len());
    let (waiting, progress) = (Mutex::new(waiting), Mutex::new(progress));
    let found = Mutex::new(Vec::with_capacity(releases.len()));
    let work = || {
        loop {
            let Some(index) = lock(&waiting).pop() else { return };
            let one = firmware(publication, releases[index], &mut |bytes| lock(&progress)(bytes));
            if one.is_err() {
                lock(&waiting).clear();
            }
            lock(&found).push((index, one));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, one)| one).collect()
}

/// Whoever panics while holding it ends the scope, and with it the program.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn firmware(
    publication: &VerifiedPublication<'_>,
    release: &SignedRelease,
    progress: &mut dyn FnMut(u64),
) -> Result<Carried, CopyError> {
    let mut before = 0;
    let mut told = |copied| progress(copied - std::mem::replace(&mut before, copied));
    match publication.copy(release, &mut io::sink(), &mut told) {
        Ok(()) => Ok(Carried::Whole),
        Err(CopyError::NotCarried(_)) => Ok(Carried::NotCarried),
        Err(CopyError::Rejected(..)) => Ok(Carried::Damaged),
        Err(error) => Err(error),
    }
}

use std::fmt;
use std::io::{self, Read};

use crate::hashes::Hasher;
use crate::{FoundTarget, Hashes, Mismatch, Repository, Role, Target, TargetName, TrustedMetadata};

/// Why a target could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Nobody approved a file of this name.
    #[error("target {name} is not listed")]
    NotListed {
        /// The name asked for.
        name: String,
    },
    /// It is approved, and this repository does not have it: one stick need not carry everything.
    #[error("target {name} is not carried")]
    NotCarried {
        /// The target.
        name: TargetName,
    },
    /// It is approved by hashes of unknown algorithms alone, so that no file can be told to be it.
    #[error("target {name} is rejected: {}\nhint: update this program", Mismatch::NoKnownHash)]
    NoKnownHash {
        /// The target.
        name: TargetName,
    },
    /// The repository could not be read.
    #[error("target {name}: read failed")]
    Io {
        /// The target.
        name: TargetName,
        /// What the system said.
        source: io::Error,
    },
}

/// A target is there and is not the file that was approved. Travels inside the [`io::Error`] of a
/// read, where [`TargetRejected::in_error`] finds it.
#[derive(Debug, thiserror::Error)]
#[error("target {name} is rejected: {mismatch}")]
pub struct TargetRejected {
    /// The target.
    pub name: TargetName,
    /// What differs.
    pub mismatch: Mismatch,
}

impl TargetRejected {
    /// The rejection, if that is why a read failed.
    pub fn in_error(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl TrustedMetadata {
    /// Opens a target that the top-level targets metadata itself lists, by its signed name.
    pub fn open<'a>(
        &self,
        repository: &'a mut dyn Repository,
        name: &str,
    ) -> Result<TargetReader<'a>, TargetError> {
        let listed = self.targets().targets().get_key_value(name);
        let (name, target) = listed.ok_or_else(|| TargetError::NotListed { name: name.into() })?;
        self.found(name, target, Role::Targets.name().into(), Vec::new()).open(repository)
    }
}

impl FoundTarget {
    /// Opens the target (specification §5.7).
    pub fn open<'a>(&self, repository: &'a mut dyn Repository) -> Result<TargetReader<'a>, TargetError> {
        let Self { name, target, .. } = self;
        if !target.hashes().is_known() {
            return Err(TargetError::NoKnownHash { name: name.clone() });
        }
        let path = if self.consistent_snapshot {
            name.with_hash(target.hashes().prefix())
        } else {
            name.as_str().into()
        };
        match repository.target(&path) {
            Ok(Some(inner)) => Ok(TargetReader::new(inner, name.clone(), target)),
            Ok(None) => Err(TargetError::NotCarried { name: name.clone() }),
            Err(error) => Err(TargetError::Io { name: name.clone(), source: io::Error::other(error) }),
        }
    }
}

/// Streams a target while checking it (§5.7.3): never yields more than the signed length, and the
/// read that would complete the file fails unless length and hashes fit. What was read before that
/// is unverified: use it only after the end of the stream was reached without an error.
pub struct TargetReader<'a> {
    inner: Box<dyn Read + 'a>,
    name: TargetName,
    length: u64,
    hashes: Hashes,
    seen: u64,
    state: State,
}

enum State {
    Reading(Box<Hasher>),
    Complete,
    Rejected(Mismatch),
}

impl<'a> TargetReader<'a> {
    fn new(inner: Box<dyn Read + 'a>, name: TargetName, target: &Target) -> Self {
        let hashes = target.hashes().clone();
        let state = State::Reading(Box::new(Hasher::for_listed(&hashes)));
        Self { inner, name, length: target.length(), hashes, seen: 0, state }
    }

    /// The signed length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// At the signed length nothing may follow, and the hashes must fit.
    fn finish(&mut self) -> io::Result<()> {
        let more = self.inner.by_ref().take(1).read_to_end(&mut Vec::new())? as u64;
        let checked = match std::mem::replace(&mut self.state, State::Complete) {
            State::Reading(hasher) if more == 0 => hasher.finish(&self.hashes),
            _ => Err(Mismatch::Length { expected: self.length, found: self.length + more }),
        };
        checked.map_err(|mismatch| self.reject(mismatch))
    }

    fn reject(&mut self, mismatch: Mismatch) -> io::Error {
        self.state = State::Rejected(mismatch.clone());
        io::Error::new(io::ErrorKind::InvalidData, TargetRejected { name: self.name.clone(), mismatch })
    }
}

impl Read for TargetReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let hasher = match &mut self.state {
            State::Reading(hasher) => hasher,
            State::Complete => return Ok(0),
            State::Rejected(mismatch) => {
                let mismatch = mismatch.clone();
                return Err(self.reject(mismatch));
            }
        };
        let left = usize::try_from(self.length - self.seen).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..left])?;
        hasher.update(&buffer[..count]);
        self.seen += count as u64;
        if self.seen == self.length {
            self.finish()?;
        } else if count == 0 && !buffer.is_empty() {
            return Err(self.reject(Mismatch::Length { expected: self.length, found: self.seen }));
        }
        Ok(count)
    }
}

impl fmt::Debug for TargetReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetReader({}, {} of {} bytes)", self.name, self.seen, self.length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::testing::World;

    const NAME: &str = "nvr-k51/digicap.dav";

    /// What reading the target gives when the repository holds these bytes for it.
    fn read(signed: &[u8], held: &[u8]) -> io::Result<Vec<u8>> {
        let mut world = World::new();
        world.set_target(NAME, signed);
        world.publish();
        let trusted = world.refresh().unwrap();
        world.repository.targets.values_mut().for_each(|bytes| *bytes = held.to_vec());
        let mut bytes = Vec::new();
        let mut reader = trusted.open(&mut world.repository, NAME).unwrap();
        let result = reader.read_to_end(&mut bytes).map(|_| bytes.clone());
        assert!(bytes.len() <= signed.len(), "never more than the signed length");
        if result.is_err() {
            assert!(reader.read(&mut [0; 8]).is_err(), "an error is not forgotten by the next read");
            assert!(bytes.len() < signed.len().max(1), "the last bytes of a wrong file are held back");
        }
        result
    }

    fn mismatch(result: io::Result<Vec<u8>>) -> Mismatch {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        TargetRejected::in_error(&error).unwrap().mismatch.clone()
    }

    #[test]
    fn yields_exactly_the_signed_file() {
        let large: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
        for bytes in [&b""[..], b"a", &large] {
            assert_eq!(read(bytes, bytes).unwrap(), bytes);
        }
    }

    #[test]
    fn rejects_any_other_file_and_says_how_it_differs() {
        assert_eq!(mismatch(read(b"abc", b"ab")), Mismatch::Length { expected: 3, found: 2 });
        assert_eq!(mismatch(read(b"abc", b"")), Mismatch::Length { expected: 3, found: 0 });
        assert_eq!(mismatch(read(b"abc", b"abcdef")), Mismatch::Length { expected: 3, found: 4 });
        assert_eq!(mismatch(read(b"", b"x")), Mismatch::Length { expected: 0, found: 1 });
        assert!(matches!(mismatch(read(b"abc", b"abd")), Mismatch::Hash { algorithm: "SHA-256", .. }));
    }

    #[test]
    fn one_target_that_cannot_be_used_leaves_the_others_alone() {
        let mut world = World::new();
        for name in [NAME, "new", "../x"] {
            world.set_target(name, b"abc");
        }
        world.targets["targets"]["new"]["hashes"] = serde_json::json!({"blake9": "00"});
        world.publish();
        let trusted = world.refresh().unwrap();
        let mut open = |name: &str| trusted.open(&mut world.repository, name).map(drop);
        assert!(open(NAME).is_ok());
        assert!(matches!(open("new"), Err(TargetError::NoKnownHash { .. })));
        assert!(matches!(open("../x"), Err(TargetError::NotListed { .. })));
        assert!("../x".parse::<TargetName>().is_err());
    }

    #[test]
    fn an_absent_target_is_not_carried_and_an_unknown_one_not_listed() {
        let mut world = World::new();
        world.set_target(NAME, b"abc");
        world.publish();
        let trusted = world.refresh().unwrap();
        assert_eq!(world.repository.targets.len(), 1);
        world.repository.targets.clear();
        let mut open = |name: &str| trusted.open(&mut world.repository, name).unwrap_err();
        assert!(matches!(open(NAME), TargetError::NotCarried { .. }));
        assert!(matches!(open("../digicap.dav"), TargetError::NotListed { .. }));
    }
}

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use firmware::Sha256Digest;
use firmware::policy::Recipient;
use keys::{SigningKey, durable};

use crate::{Delivery, DeliveryError, LONGEST_ENVELOPE, LONGEST_SEALED, SealError, Statement, seal};

/// A laptop's own statements, one file each, `<counter>.json`, written before they are copied
/// anywhere: a full or missing stick loses nothing.
#[derive(Debug)]
pub struct Chain {
    dir: PathBuf,
    next: Position,
}

/// The place of the next statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub counter: u64,
    /// Digest of the envelope before.
    pub previous: Option<Sha256Digest>,
}

/// Why the chain cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The file system refused.
    #[error("statements in {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// A statement in the middle is gone: somebody edited the state.
    #[error("statements in {}: number {counter} is missing", dir.display())]
    Gap {
        /// Where.
        dir: PathBuf,
        /// The missing one.
        counter: u64,
    },
    /// The statement cannot be written as JSON.
    #[error("statement cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// How statements go home is not known.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The statement cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Chain {
    /// Opens the chain in `dir`, which is made if it is not there.
    pub fn open(dir: &Path) -> Result<Self, ChainError> {
        let io = |e| ChainError::Io(dir.into(), e);
        fs::create_dir_all(dir).map_err(io)?;
        let counters = counters(dir).map_err(io)?;
        for (counter, found) in (1..).zip(&counters) {
            if counter != *found {
                return Err(ChainError::Gap { dir: dir.into(), counter });
            }
        }
        let previous = match counters.last() {
            None => None,
            Some(last) => {
                let bytes = durable::read(&file(dir, *last), LONGEST_ENVELOPE).map_err(io)?;
                Some(Sha256Digest::of(&bytes))
            }
        };
        let next = Position { counter: counters.len() as u64 + 1, previous };
        Ok(Self { dir: dir.into(), next })
    }

    /// Where the next statement stands.
    pub fn next(&self) -> Position {
        self.next
    }

    /// Signs a statement made for [`Chain::next`] and keeps it, durably, before it returns its
    /// counter.
    pub fn append(&mut self, statement: &Statement, key: &SigningKey) -> Result<u64, ChainError> {
        let bytes = statement.sign(key).map_err(ChainError::Encode)?;
        let counter = self.next.counter;
        durable::create_new(&file(&self.dir, counter), &bytes, 0o600)
            .map_err(|e| ChainError::Io(self.dir.clone(), e))?;
        self.next = Position { counter: counter + 1, previous: Some(Sha256Digest::of(&bytes)) };
        Ok(counter)
    }

    /// The bytes of a statement.
    pub fn envelope(&self, counter: u64) -> Result<Vec<u8>, ChainError> {
        durable::read(&file(&self.dir, counter), LONGEST_ENVELOPE)
            .map_err(|e| ChainError::Io(self.dir.clone(), e))
    }

    /// How its statements go home.
    pub fn delivery(&self) -> Result<Delivery, ChainError> {
        Ok(Delivery::read(&self.dir)?)
    }

    /// A statement as it was encrypted to this recipient before, so that it can be told whether it is on a stick: no
    /// two encryptions are alike. `None` where it was not, or where what was kept is no longer that.
    pub fn sealed(&self, counter: u64, recipient: &Recipient) -> Option<Vec<u8>> {
        let envelope = self.envelope(counter).ok()?;
        let kept = durable::read(&self.seal_file(counter, recipient), LONGEST_SEALED + CHECK as u64).ok()?;
        let (check, sealed) = kept.split_first_chunk::<CHECK>()?;
        (seal_check(&envelope, sealed).as_bytes() == check).then(|| sealed.to_vec())
    }

    /// Encrypts a statement to this recipient, unless that was done before, and keeps it. After several of them:
    /// [`Chain::sync_seals`].
    pub fn seal(&self, counter: u64, recipient: &Recipient) -> Result<Vec<u8>, ChainError> {
        if let Some(sealed) = self.sealed(counter, recipient) {
            return Ok(sealed);
        }
        let envelope = self.envelope(counter)?;
        let sealed = seal(&envelope, recipient)?;
        let kept = [seal_check(&envelope, &sealed).as_bytes(), &sealed[..]].concat();
        let dir = self.seals(recipient);
        let written = fs::create_dir_all(&dir)
            .and_then(|()| durable::write_before_sync_dir(&self.seal_file(counter, recipient), &kept, 0o600));
        written.map_err(|e| ChainError::Io(dir, e))?;
        Ok(sealed)
    }

    /// Makes what was encrypted to this recipient outlive a power cut.
    pub fn sync_seals(&self, recipient: &Recipient) -> Result<(), ChainError> {
        let dir = self.seals(recipient);
        let synced = durable::sync_dir(&dir).and_then(|()| durable::sync_dir(&self.dir));
        synced.map_err(|e| ChainError::Io(dir, e))
    }

    fn seals(&self, recipient: &Recipient) -> PathBuf {
        self.dir.join(recipient.as_str())
    }

    fn seal_file(&self, counter: u64, recipient: &Recipient) -> PathBuf {
        self.seals(recipient).join(format!("{counter}.sealed"))
    }
}

/// Bytes of a check, which stands before what it checks.
const CHECK: usize = 32;

/// What says that an encryption is whole, and of this envelope.
fn seal_check(envelope: &[u8], sealed: &[u8]) -> Sha256Digest {
    Sha256Digest::of(&[envelope, sealed].concat())
}

fn file(dir: &Path, counter: u64) -> PathBuf {
    dir.join(format!("{counter}.json"))
}

/// The numbers of the statements in a directory, ascending.
fn counters(dir: &Path) -> io::Result<Vec<u64>> {
    let mut counters = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|n| n.strip_suffix(".json")).and_then(|n| n.parse().ok());
        counters.extend(number);
    }
    counters.sort_unstable();
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::tests::identity;
    use crate::statement::tests::statement;
    use crate::{Envelope, LaptopId, VerifiedStatement, unseal};

    #[test]
    fn each_statement_names_the_one_before_across_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::generate();
        for counter in 1..=3 {
            let mut chain = Chain::open(dir.path()).unwrap();
            let Position { previous, .. } = chain.next();
            let said = statement(LaptopId::of(&key.public()), counter, previous);
            assert_eq!(chain.append(&said, &key).unwrap(), counter);
        }
        let chain = Chain::open(dir.path()).unwrap();
        let open = |n| {
            VerifiedStatement::open(&Envelope::read(&chain.envelope(n).unwrap()).unwrap(), &key.public())
                .unwrap()
        };
        assert_eq!(open(2).statement().head.previous, Some(open(1).digest()));
        assert_eq!(open(3).statement().head.previous, Some(open(2).digest()));
        assert_eq!(chain.next(), Position { counter: 4, previous: Some(open(3).digest()) });
    }

    #[test]
    fn a_statement_is_sealed_once_for_each_recipient() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        durable::create_new(&file(dir.path(), 1), b"{}", 0o600).unwrap();
        let chain = Chain::open(dir.path()).unwrap();
        let (depot, recipient) = identity(other.path(), "depot");
        assert_eq!(chain.sealed(1, &recipient), None);
        let sealed = chain.seal(1, &recipient).unwrap();
        chain.sync_seals(&recipient).unwrap();
        assert_eq!(chain.sealed(1, &recipient).as_ref(), Some(&sealed));
        assert_eq!(chain.seal(1, &recipient).unwrap(), sealed);
        assert_eq!(unseal(&sealed, &depot).unwrap(), b"{}");
        let (next, recipient) = identity(other.path(), "next");
        assert_eq!(unseal(&chain.seal(1, &recipient).unwrap(), &next).unwrap(), b"{}");
        assert_eq!(Chain::open(dir.path()).unwrap().next(), chain.next());
    }

    #[test]
    fn what_is_kept_and_no_longer_whole_or_of_another_statement_is_sealed_anew() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        for (counter, envelope) in [(1, b"{1}"), (2, b"{2}")] {
            durable::create_new(&file(dir.path(), counter), envelope, 0o600).unwrap();
        }
        let chain = Chain::open(dir.path()).unwrap();
        let (depot, recipient) = identity(other.path(), "depot");
        let kept = |counter| {
            chain.seal(counter, &recipient).unwrap();
            durable::read(&chain.seal_file(counter, &recipient), LONGEST_SEALED).unwrap()
        };
        let (whole, of_another) = (kept(1), kept(2));
        let changed = [&whole[..whole.len() - 1], &[whole[whole.len() - 1] ^ 1]].concat();
        for spoiled in [&whole[..whole.len() - 1], &whole[..9], &[], &changed, &of_another] {
            durable::write_atomic(&chain.seal_file(1, &recipient), spoiled, 0o600).unwrap();
            assert_eq!(chain.sealed(1, &recipient), None);
            let sealed = chain.seal(1, &recipient).unwrap();
            assert_eq!(unseal(&sealed, &depot).unwrap(), b"{1}");
            assert_eq!(chain.sealed(1, &recipient), Some(sealed));
        }
    }

    #[test]
    fn a_missing_statement_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        durable::create_new(&file(dir.path(), 2), b"{}", 0o600).unwrap();
        assert!(matches!(Chain::open(dir.path()), Err(ChainError::Gap { counter: 1, .. })));
    }
}

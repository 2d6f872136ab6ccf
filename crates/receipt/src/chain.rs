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

    /// A statement encrypted to this recipient: always the same bytes, which are kept in a folder of its name, so
    /// that it can be told whether they are on a stick.
    pub fn sealed(&self, counter: u64, recipient: &Recipient) -> Result<Vec<u8>, ChainError> {
        let dir = self.dir.join(recipient.as_str());
        let io = |e| ChainError::Io(dir.clone(), e);
        let path = dir.join(format!("{counter}.json.age"));
        match durable::read(&path, LONGEST_SEALED) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            read => return read.map_err(io),
        }
        let sealed = seal(&self.envelope(counter)?, recipient)?;
        fs::create_dir_all(&dir).and_then(|()| durable::sync_dir(&self.dir)).map_err(io)?;
        durable::create_new(&path, &sealed, 0o600).map_err(io)?;
        Ok(sealed)
    }
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
        let sealed = chain.sealed(1, &recipient).unwrap();
        assert_eq!(chain.sealed(1, &recipient).unwrap(), sealed);
        assert_eq!(unseal(&sealed, &depot).unwrap(), b"{}");
        let (next, recipient) = identity(other.path(), "next");
        assert_eq!(unseal(&chain.sealed(1, &recipient).unwrap(), &next).unwrap(), b"{}");
        assert_eq!(Chain::open(dir.path()).unwrap().next(), chain.next());
    }

    #[test]
    fn a_missing_statement_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        durable::create_new(&file(dir.path(), 2), b"{}", 0o600).unwrap();
        assert!(matches!(Chain::open(dir.path()), Err(ChainError::Gap { counter: 1, .. })));
    }
}

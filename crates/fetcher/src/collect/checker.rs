use std::io;

use keys::AgeIdentity;
use receipt::{UnsealError, unseal};
use stick::statements::{Found, Name};

use crate::ledger::{Checked, Keys};

/// A statement as it was read from a stick and checked, or why it cannot be read.
pub struct Read {
    pub(super) name: Name,
    pub(super) statement: Result<(Vec<u8>, Checked), Unreadable>,
}

/// Why nothing is known of a file that lies in the place of a statement.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    #[error("it is encrypted, and this home has no identity to open it")]
    NoIdentity,
}

impl Unreadable {
    /// Whether another identity would open it.
    pub(super) fn is_for_another(&self) -> bool {
        matches!(self, Self::NoIdentity | Self::Sealed(UnsealError::OtherRecipient))
    }
}

/// What opens and checks statements.
pub struct Checker {
    /// The laptops.
    pub keys: Keys,
    /// The depot's, if it has one.
    pub identity: Option<AgeIdentity>,
}

impl Checker {
    pub(super) fn check(&self, Found { name, bytes }: Found) -> Read {
        let statement = bytes.map_err(Unreadable::from).and_then(|bytes| {
            let mut bytes = match &self.identity {
                _ if !name.is_sealed => bytes,
                Some(identity) => unseal(&bytes, identity)?,
                None => return Err(Unreadable::NoIdentity),
            };
            // many are held at a time
            bytes.shrink_to_fit();
            let checked = self.keys.check(&name.laptop, &bytes);
            Ok((bytes, checked))
        });
        Read { name, statement }
    }
}

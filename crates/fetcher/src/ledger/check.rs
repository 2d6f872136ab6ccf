use std::collections::BTreeMap;

use firmware::Sha256Digest;
use keys::PublicKey;
use receipt::{Envelope, InvalidStatement, LaptopId, VerifiedStatement};

use super::{Ledger, LedgerError};

/// The public keys of the enrolled laptops, as they were when they were read. Signatures are checked with them while
/// nobody waits for the ledger.
#[derive(Debug, Default)]
pub struct Keys(BTreeMap<LaptopId, PublicKey>);

/// What was found of one statement without the ledger.
#[derive(Debug)]
pub enum Checked {
    /// Signed by an enrolled laptop.
    Signed(Box<VerifiedStatement>),
    /// An envelope with this digest, from the folder of a laptop that is not enrolled.
    Stranger(Sha256Digest),
    /// No statement, or not one of that laptop.
    Rejected(InvalidStatement),
}

/// Other laptops than that of the folder whose signature is looked for: an envelope of ours has one signature.
const MOST_TRIED: usize = 2;

impl Ledger {
    /// The keys of all enrolled laptops.
    pub fn keys(&self) -> Result<Keys, LedgerError> {
        let keys = self.rows("SELECT id, public_key FROM laptops", &[], |row| {
            Ok((row.parsed(0, "laptop id")?, row.parsed(1, "public key")?))
        })?;
        Ok(Keys(keys.into_iter().collect()))
    }
}

impl Keys {
    /// Checks the bytes of a statement from the folder of this laptop. The signature says whose it is: one of another
    /// laptop is found by the key that it names, wherever it lay.
    pub fn check(&self, folder: &LaptopId, bytes: &[u8]) -> Checked {
        let envelope = match Envelope::read(bytes) {
            Ok(envelope) => envelope,
            Err(e) => return Checked::Rejected(e.into()),
        };
        let own = self.0.get(folder).map(|key| VerifiedStatement::open(&envelope, key));
        if let Some(Ok(statement)) = own {
            return Checked::Signed(Box::new(statement));
        }
        let named = envelope.key_ids().filter_map(|id| id.get(..16)?.parse::<LaptopId>().ok());
        let others = named.filter(|laptop| laptop != folder).filter_map(|laptop| self.0.get(&laptop));
        let other = others.take(MOST_TRIED).find_map(|key| VerifiedStatement::open(&envelope, key).ok());
        match (other, own) {
            (Some(statement), _) => Checked::Signed(Box::new(statement)),
            (None, Some(Err(e))) => Checked::Rejected(e),
            (None, _) => Checked::Stranger(envelope.digest()),
        }
    }
}

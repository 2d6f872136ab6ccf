use std::collections::BTreeMap;

use keys::{PublicKey, SigningKey};
use serde::{Deserialize, Serialize};

use crate::{Envelope, InvalidStatement, LaptopId};

const PAYLOAD_TYPE: &str = "application/vnd.courier.acknowledged+json";

/// `acknowledged.json`: what has arrived at the depot from each laptop, up to which counter without
/// a gap. Signed by the unattended snapshot key: it steers reminders, never trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// The last counter that arrived with all before it.
    laptops: BTreeMap<LaptopId, u64>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u64,
    laptops: BTreeMap<LaptopId, u64>,
}

impl Acknowledged {
    /// Of these laptops, up to these counters.
    pub fn new(laptops: BTreeMap<LaptopId, u64>) -> Self {
        Self { laptops }
    }

    /// Up to which counter this laptop's statements have arrived; 0 where none has.
    pub fn of(&self, laptop: &LaptopId) -> u64 {
        self.laptops.get(laptop).copied().unwrap_or(0)
    }

    /// Signs it and gives the bytes of the envelope.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, serde_json::Error> {
        let wire = Wire { format: 1, laptops: self.laptops.clone() };
        Ok(Envelope::sign(PAYLOAD_TYPE, &serde_json::to_vec(&wire)?, key))
    }

    /// Checks the signature by this key, then reads it.
    pub fn open(bytes: &[u8], key: &PublicKey) -> Result<Self, InvalidStatement> {
        let envelope = Envelope::read(bytes)?;
        let payload = envelope.verify(PAYLOAD_TYPE, key)?;
        let Wire { format, laptops } = serde_json::from_slice(payload).map_err(InvalidStatement::Json)?;
        if format == 1 { Ok(Self { laptops }) } else { Err(InvalidStatement::Format(format)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_back_under_the_right_key_only() {
        let key = SigningKey::generate();
        let laptop = LaptopId::of(&key.public());
        let said = Acknowledged::new([(laptop.clone(), 7)].into());
        let bytes = said.sign(&key).unwrap();
        let read = Acknowledged::open(&bytes, &key.public()).unwrap();
        assert_eq!((read.of(&laptop), read.of(&"0123456789abcdef".parse().unwrap())), (7, 0));
        assert!(Acknowledged::open(&bytes, &SigningKey::generate().public()).is_err());
    }
}

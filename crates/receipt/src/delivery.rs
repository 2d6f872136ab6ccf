use std::io;
use std::path::{Path, PathBuf};

use firmware::policy::Recipient;
use keys::durable;
use serde::{Deserialize, Serialize};

/// How a laptop's statements go home, as the publications say that it has verified. It lies beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// To whom they are encrypted on sticks: what the newest policy says. A stick without one changes nothing, so
    /// that nobody can take it away.
    #[serde(default)]
    pub recipient: Option<Recipient>,
    /// Up to which of them the depot has them. An unattended key says so, and whoever has that key can lie: what
    /// was not yet stated when it was said is never taken to have arrived.
    #[serde(default)]
    pub arrived: u64,
    /// After how many days they are reminded of, where a policy says it.
    #[serde(default)]
    pub remind_after_days: Option<u16>,
}

/// Why it is not known how statements go home; none leaves the laptop then.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It cannot be read or written.
    #[error("delivery of statements: {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// It is damaged, or was written by a later version.
    #[error("delivery of statements: {}: rejected, not of format {FORMAT}", .0.display())]
    Damaged(PathBuf),
}

const FORMAT: u64 = 1;
/// A few short fields.
const LARGEST: u64 = 4096;
const FILE: &str = "delivery.json";

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u64,
    #[serde(flatten)]
    delivery: Delivery,
}

impl Delivery {
    /// What holds for the statements in this directory.
    pub fn read(dir: &Path) -> Result<Self, DeliveryError> {
        let path = dir.join(FILE);
        match durable::read(&path, LARGEST) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(Wire { format: FORMAT, delivery }) => Ok(delivery),
                _ => Err(DeliveryError::Damaged(path)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(DeliveryError::Io(path, error)),
        }
    }

    /// Records it, durably, unless it is so already.
    pub fn record(&self, dir: &Path) -> Result<(), DeliveryError> {
        if Self::read(dir).is_ok_and(|before| before == *self) {
            return Ok(());
        }
        let path = dir.join(FILE);
        let written = serde_json::to_vec(&Wire { format: FORMAT, delivery: self.clone() })
            .map_err(io::Error::from)
            .and_then(|bytes| durable::write_atomic(&path, &bytes, 0o600));
        written.map_err(|error| DeliveryError::Io(path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::tests::identity;

    #[test]
    fn what_is_damaged_is_not_plain_text() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Delivery::read(dir.path()).unwrap(), Delivery::default());
        let delivery = Delivery {
            recipient: Some(identity(dir.path(), "depot").1),
            arrived: 3,
            remind_after_days: Some(7),
        };
        delivery.record(dir.path()).unwrap();
        assert_eq!(Delivery::read(dir.path()).unwrap(), delivery);
        for bytes in [&b""[..], b"{}", br#"{"format":2}"#, br#"{"format":1,"recipient":"age1"}"#] {
            durable::write_atomic(&dir.path().join(FILE), bytes, 0o600).unwrap();
            assert!(matches!(Delivery::read(dir.path()), Err(DeliveryError::Damaged(_))));
        }
        delivery.record(dir.path()).unwrap();
        assert_eq!(Delivery::read(dir.path()).unwrap(), delivery);
    }
}

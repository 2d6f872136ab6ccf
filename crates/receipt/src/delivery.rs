use std::fs;
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
    /// It is not there, and what was encrypted to a recipient is.
    #[error("delivery of statements: {}: gone, though statements were encrypted before", .0.display())]
    Gone(PathBuf),
}

impl DeliveryError {
    /// What to do. Encryption is not turned off by it.
    pub fn hint(&self) -> &'static str {
        "no statement leaves this laptop until it is known to whom they are encrypted: applier verify with a stick that carries the depot's signed policy writes it anew"
    }
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => match recipients(dir) {
                Ok(recipients) if recipients.is_empty() => Ok(Self::default()),
                Ok(_) => Err(DeliveryError::Gone(path)),
                Err(error) => Err(DeliveryError::Io(path, error)),
            },
            Err(error) => Err(DeliveryError::Io(path, error)),
        }
    }

    /// Records it, durably, unless it is so already, and removes what was encrypted to other recipients.
    pub fn record(&self, dir: &Path) -> Result<(), DeliveryError> {
        let path = dir.join(FILE);
        let recorded = if Self::read(dir).is_ok_and(|before| before == *self) {
            Ok(())
        } else {
            serde_json::to_vec(&Wire { format: FORMAT, delivery: self.clone() })
                .map_err(io::Error::from)
                .and_then(|bytes| durable::write_atomic(&path, &bytes, 0o600))
        };
        recorded.and_then(|()| self.remove_others(dir)).map_err(|error| DeliveryError::Io(path, error))
    }

    fn remove_others(&self, dir: &Path) -> io::Result<()> {
        let mut others = recipients(dir)?;
        others.retain(|other| self.recipient.as_ref() != Some(other));
        others.iter().try_for_each(|other| fs::remove_dir_all(dir.join(other.as_str())))
    }
}

/// For whom there is a folder of encrypted statements in this directory.
fn recipients(dir: &Path) -> io::Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let recipient = entry.file_name().to_str().and_then(|name| name.parse::<Recipient>().ok());
        if entry.file_type()?.is_dir() {
            recipients.extend(recipient);
        }
    }
    Ok(recipients)
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

    #[test]
    fn what_is_gone_is_not_plain_text_where_statements_were_encrypted() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name| Delivery { recipient: Some(identity(dir.path(), name).1), ..Delivery::default() };
        let (old, new) = (of("old"), of("new"));
        let folder = |of: &Delivery| dir.path().join(of.recipient.as_ref().unwrap().as_str());
        old.record(dir.path()).unwrap();
        fs::create_dir(folder(&old)).unwrap();
        fs::remove_file(dir.path().join(FILE)).unwrap();
        assert!(matches!(Delivery::read(dir.path()), Err(DeliveryError::Gone(_))));
        old.record(dir.path()).unwrap();
        assert!(folder(&old).exists() && Delivery::read(dir.path()).unwrap() == old);
        // of a recipient that was replaced nothing is kept
        fs::create_dir(folder(&new)).unwrap();
        new.record(dir.path()).unwrap();
        assert!(folder(&new).exists() && !folder(&old).exists());
    }
}

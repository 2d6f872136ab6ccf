//! Logins that a recorder refused, remembered until one succeeds (`docs/safety.md`, rule 3).
//!
//! Five wrong passwords lock the account for half an hour, whoever typed them. So what the recorder said
//! is left is said again before the next password is asked for, and with few left a person has to mean it.
//! The account is the device's: another port of it counts the same attempts.

use std::path::{Path, PathBuf};

use isapi::{Address, Error};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::record::{self, RecordError};

/// With so many left, or fewer, a person has to say that they mean it.
const FEW: u32 = 2;
/// After this long a recorder has forgotten them: the default lock lasts half an hour (reference: ISAPI
/// §9.3), and no recorder keeps the count for a day.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// What this laptop remembers.
#[derive(Debug)]
pub struct FailedLogins {
    path: PathBuf,
    failures: Vec<Failed>,
}

/// The last refused login at one recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Where.
    pub address: Address,
    /// When.
    pub on: Timestamp,
    /// How many more wrong ones the recorder allows, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_left: Option<u32>,
    /// Until when the account is locked, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
}

/// How careful the next login has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// The account is still locked, for this long.
    Locked(SignedDuration),
    /// Few are left, or nobody knows how many.
    Few(Option<u32>),
    /// Some are left.
    Some(u32),
}

impl FailedLogins {
    /// Reads the record; none is an empty one.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Ok(Self { path: path.into(), failures: record::read(path)? })
    }

    /// The last refused login at an address that the recorder may still count, and what follows from it.
    pub fn care(&self, address: &Address, now: Timestamp) -> Option<(&Failed, Care)> {
        let failed = self.failures.iter().find(|failed| failed.address.is_same_device(address))?;
        // a clock that was set back must not make it count for ever
        if now.duration_since(failed.on).abs() > FORGOTTEN {
            return None;
        }
        let care = match (failed.locked_until, failed.attempts_left) {
            (Some(until), _) if until > now => Care::Locked(until.duration_since(now)),
            // a lock that has run out starts the count again
            (Some(_), _) => return None,
            (None, Some(left)) if left > FEW => Care::Some(left),
            (None, left) => Care::Few(left),
        };
        Some((failed, care))
    }

    /// Writes a refusal down; anything that is no refused login changes nothing.
    pub fn note(&mut self, address: &Address, error: &Error, now: Timestamp) -> Result<(), RecordError> {
        let (attempts_left, locked_until) = match error {
            Error::WrongPassword { attempts_left, .. } => (*attempts_left, None),
            Error::Locked { seconds, .. } => {
                let seconds = SignedDuration::from_secs(seconds.map_or(1800, i64::from));
                (Some(0), now.checked_add(seconds).ok())
            }
            _ => return Ok(()),
        };
        self.failures.retain(|failed| !failed.address.is_same_device(address));
        self.failures.push(Failed { address: address.clone(), on: now, attempts_left, locked_until });
        record::write(&self.path, &self.failures)
    }

    /// Forgets what was refused at an address: a login has succeeded there.
    pub fn forget(&mut self, address: &Address) -> Result<(), RecordError> {
        let before = self.failures.len();
        self.failures.retain(|failed| !failed.address.is_same_device(address));
        if self.failures.len() == before { Ok(()) } else { record::write(&self.path, &self.failures) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        "192.168.1.64".parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn wrong(left: Option<u32>) -> Error {
        Error::WrongPassword { address: address(), attempts_left: left }
    }

    #[test]
    fn what_is_left_decides_how_careful_the_next_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("failed-logins.json");
        let mut known = FailedLogins::open(&path).unwrap();
        let care = |known: &FailedLogins, seconds| known.care(&address(), at(seconds)).map(|(_, care)| care);
        assert_eq!(care(&known, 0), None);
        for (left, expected) in [
            (Some(4), Care::Some(4)),
            (Some(2), Care::Few(Some(2))),
            (Some(0), Care::Few(Some(0))),
            (None, Care::Few(None)),
        ] {
            known.note(&address(), &wrong(left), at(0)).unwrap();
            assert_eq!(care(&FailedLogins::open(&path).unwrap(), 60), Some(expected));
        }
        assert_eq!(care(&known, 25 * 3600), None, "no recorder counts for a day");
        known.forget(&address()).unwrap();
        assert_eq!(care(&FailedLogins::open(&path).unwrap(), 60), None);
    }

    #[test]
    fn another_port_is_the_same_account() {
        let dir = tempfile::tempdir().unwrap();
        let mut known = FailedLogins::open(&dir.path().join("f")).unwrap();
        let [http, tls] = ["192.168.1.64:80", "192.168.1.64:443"].map(|text| text.parse().unwrap());
        known.note(&http, &wrong(Some(2)), at(0)).unwrap();
        for other in [&address(), &tls] {
            assert_eq!(known.care(other, at(1)).map(|(_, care)| care), Some(Care::Few(Some(2))));
        }
        known.note(&tls, &wrong(Some(1)), at(2)).unwrap();
        assert_eq!(known.care(&http, at(3)).map(|(_, care)| care), Some(Care::Few(Some(1))));
        known.forget(&address()).unwrap();
        assert_eq!(known.care(&http, at(4)), None);
    }

    #[test]
    fn a_lock_is_remembered_until_it_has_run_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut known = FailedLogins::open(&dir.path().join("f")).unwrap();
        known.note(&address(), &Error::Locked { address: address(), seconds: Some(600) }, at(0)).unwrap();
        let care = |seconds| known.care(&address(), at(seconds)).map(|(_, care)| care);
        assert_eq!(care(0), Some(Care::Locked(SignedDuration::from_secs(600))));
        assert_eq!(care(600), None);
        assert_eq!(known.care(&"192.168.1.65".parse().unwrap(), at(0)), None);
    }

    #[test]
    fn other_errors_are_no_failed_logins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let mut known = FailedLogins::open(&path).unwrap();
        known.note(&address(), &Error::NoPermission { address: address(), path: "/x" }, at(0)).unwrap();
        assert!(!path.exists());
    }
}

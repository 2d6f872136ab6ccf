//! The certificates of recorders that this laptop knows (`docs/safety.md`, rule 2).
//!
//! Recorders sign their own, so a certificate says only that it is the same recorder as last time. It is
//! pinned by the serial number that was read over it and by the address it was met at. Which address a
//! recorder has may change, and which recorder an address is may change as well: where the two disagree,
//! nothing is taken for granted and a person decides.

use std::path::{Path, PathBuf};

use firmware::{Serial, Sha256Digest, Text};
use isapi::Address;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::{self, RecordError};

/// What this laptop knows.
#[derive(Debug)]
pub struct Certificates {
    path: PathBuf,
    pins: Vec<Pin>,
}

/// One recorder's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The recorder.
    pub serial: Serial,
    /// Where it was met last; none where another recorder has been met there since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// SHA-256 of the certificate's DER.
    pub sha256: Sha256Digest,
    /// When it was pinned.
    pub on: Timestamp,
}

/// A certificate was met that belongs to another recorder, or a recorder with another certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("recorder {serial} is known by another certificate: {known}, and showed {found}")]
pub struct OtherCertificate {
    /// The recorder.
    pub serial: Text,
    /// Its certificate so far.
    pub known: Sha256Digest,
    /// What it showed now.
    pub found: Sha256Digest,
}

impl Pin {
    /// Whether its recorder was met there last, on whatever port.
    fn is_at(&self, address: &Address) -> bool {
        self.address.as_ref().is_some_and(|known| known.is_same_device(address))
    }
}

impl Certificates {
    /// Reads the record; none is an empty one.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Ok(Self { path: path.into(), pins: record::read(path)? })
    }

    /// The certificate known at an address.
    pub fn at(&self, address: &Address) -> Option<Sha256Digest> {
        self.pin_at(address).map(|pin| pin.sha256)
    }

    /// The recorder that was met at an address last.
    pub fn recorder_at(&self, address: &Address) -> Option<&Serial> {
        self.pin_at(address).map(|pin| &pin.serial)
    }

    fn pin_at(&self, address: &Address) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.is_at(address))
    }

    /// The certificate known of a recorder.
    pub fn of(&self, serial: &Serial) -> Option<Sha256Digest> {
        self.pins.iter().find(|pin| pin.serial == *serial).map(|pin| pin.sha256)
    }

    /// Checks that a recorder, whose serial number was read over this certificate, is not known by
    /// another.
    pub fn check(&self, serial: &Serial, found: Sha256Digest) -> Result<(), OtherCertificate> {
        match self.of(serial) {
            Some(known) if known != found => {
                Err(OtherCertificate { serial: Text::cleaned(serial.as_str()), known, found })
            }
            _ => Ok(()),
        }
    }

    /// Pins a certificate to a recorder at an address, in place of what was known of either. A recorder
    /// that was met there before stays known by its serial number.
    pub fn pin(
        &mut self,
        serial: Serial,
        address: Address,
        sha256: Sha256Digest,
        on: Timestamp,
    ) -> Result<(), RecordError> {
        let same = |pin: &Pin| pin.serial == serial && pin.is_at(&address) && pin.sha256 == sha256;
        if self.pins.iter().any(same) {
            return Ok(());
        }
        self.pins.retain(|known| known.serial != serial);
        for known in self.pins.iter_mut().filter(|known| known.is_at(&address)) {
            known.address = None;
        }
        let address = Some(address);
        self.pins.push(Pin { serial, address, sha256, on });
        record::write(&self.path, &self.pins)
    }

    /// Replaces the certificate of a recorder; gives the one before, or `None` where the recorder is
    /// not known.
    pub fn replace(
        &mut self,
        serial: &Serial,
        sha256: Sha256Digest,
        on: Timestamp,
    ) -> Result<Option<Sha256Digest>, RecordError> {
        let Some(pin) = self.pins.iter_mut().find(|pin| pin.serial == *serial) else { return Ok(None) };
        let before = std::mem::replace(&mut pin.sha256, sha256);
        pin.on = on;
        record::write(&self.path, &self.pins)?;
        Ok(Some(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "DS-7608NI-I20120200101CCRRE00000001WCVU";
    const OTHER: &str = "DS-7608NI-I20120200101CCRRE00000002WCVU";

    fn digest(byte: u8) -> Sha256Digest {
        Sha256Digest::of(&[byte])
    }

    fn pin(known: &mut Certificates, serial: &str, address: &str, byte: u8) {
        let (serial, address) = (serial.parse().unwrap(), address.parse().unwrap());
        known.pin(serial, address, digest(byte), Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn a_certificate_is_known_by_serial_and_by_address() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("certificates.json");
        let mut known = Certificates::open(&path).unwrap();
        let address = "192.168.1.64".parse().unwrap();
        assert_eq!(known.at(&address), None);
        pin(&mut known, ONE, "192.168.1.64", 1);
        let known = Certificates::open(&path).unwrap();
        assert_eq!(known.at(&address), Some(digest(1)));
        assert_eq!(known.recorder_at(&address).map(Serial::as_str), Some(ONE));
        assert!(known.check(&ONE.parse().unwrap(), digest(1)).is_ok());
        assert_eq!(known.check(&ONE.parse().unwrap(), digest(2)).unwrap_err().known, digest(1));
        assert!(known.check(&OTHER.parse().unwrap(), digest(2)).is_ok());
    }

    #[test]
    fn what_is_pinned_last_holds_for_its_serial_and_its_address() {
        let dir = tempfile::tempdir().unwrap();
        let mut known = Certificates::open(&dir.path().join("c")).unwrap();
        pin(&mut known, ONE, "192.168.1.64", 1);
        pin(&mut known, ONE, "192.168.1.65", 1);
        assert_eq!(known.at(&"192.168.1.64".parse().unwrap()), None, "it has moved");
        assert_eq!(known.at(&"192.168.1.65:80".parse().unwrap()), Some(digest(1)), "another port of it");
        pin(&mut known, OTHER, "192.168.1.65:8443", 2);
        assert_eq!(known.at(&"192.168.1.65".parse().unwrap()), Some(digest(2)));
        assert_eq!(known.of(&ONE.parse().unwrap()), Some(digest(1)), "known, wherever it is now");
    }

    #[test]
    fn a_certificate_is_replaced_only_where_the_recorder_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        let mut known = Certificates::open(&path).unwrap();
        pin(&mut known, ONE, "192.168.1.64", 1);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(known.replace(&OTHER.parse().unwrap(), digest(3), now).unwrap(), None);
        assert_eq!(known.replace(&ONE.parse().unwrap(), digest(3), now).unwrap(), Some(digest(1)));
        assert_eq!(Certificates::open(&path).unwrap().of(&ONE.parse().unwrap()), Some(digest(3)));
    }
}

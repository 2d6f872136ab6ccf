//! A site: the recorders that hang together, as a person wrote them down.
//!
//! One TOML file serves both halves: the depot learns from it which models a stick has to cover, the
//! laptop which recorders to go through, in this order.
//!
//! ```toml
//! name = "Harbour, gate 3"
//! region = "EU"                        # optional: the region of every recorder here
//!
//! [[recorder]]
//! address = "192.168.1.64"
//! name = "gate"                        # optional, for people
//! serial = "DS-7608NI-I20123456789"    # optional: another device at this address is refused
//! model = "DS-7608NI-I2"               # optional, likewise; needed by the depot
//! user = "admin"                       # optional
//! password_file = "gate.password"      # optional, beside this file; mode 0600
//! ```

use std::path::PathBuf;

use serde::Deserialize;

use crate::{Model, Serial, Text};

/// The most bytes that a site file may have.
pub const MOST_BYTES: u64 = 1024 * 1024;

/// The recorders of a site.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// What people call it; stands in receipts.
    pub name: Text,
    /// The region of its recorders.
    #[serde(default)]
    pub region: Option<String>,
    /// Its recorders, in the order in which they are gone through.
    #[serde(default, rename = "recorder")]
    pub recorders: Vec<SiteRecorder>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRecorder {
    /// Where it is, as on the command line.
    pub address: String,
    /// What people call it.
    #[serde(default)]
    pub name: Option<Text>,
    /// The serial number that must answer there.
    #[serde(default)]
    pub serial: Option<Serial>,
    /// The model that must answer there.
    #[serde(default)]
    pub model: Option<Model>,
    /// The user to log in as.
    #[serde(default)]
    pub user: Option<String>,
    /// Where its password is, from the site file's folder.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// What is wrong with a site whose fields can each be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteFault {
    /// There is nothing to go through.
    #[error("site {0} has no [[recorder]]")]
    Empty(Text),
    /// Two entries share an address: one would be gone through twice.
    #[error("address {address} stands at recorder {first} and again at recorder {second}")]
    TwiceAddress {
        /// The address.
        address: String,
        /// The place of the first, from 1.
        first: usize,
        /// The place of the second.
        second: usize,
    },
    /// Two entries share a serial number: at least one is wrong.
    #[error("serial number {serial} stands at recorder {first} and again at recorder {second}")]
    TwiceSerial {
        /// The serial number.
        serial: Serial,
        /// The place of the first, from 1.
        first: usize,
        /// The place of the second.
        second: usize,
    },
}

impl Site {
    /// Every fault between its entries; a site with one is not used.
    pub fn faults(&self) -> Vec<SiteFault> {
        let mut faults = Vec::new();
        if self.recorders.is_empty() {
            faults.push(SiteFault::Empty(self.name.clone()));
        }
        for (n, recorder) in self.recorders.iter().enumerate() {
            let (before, second) = (&self.recorders[..n], n + 1);
            if let Some(first) = before.iter().position(|r| r.address == recorder.address) {
                let address = recorder.address.clone();
                faults.push(SiteFault::TwiceAddress { address, first: first + 1, second });
            }
            let Some(serial) = &recorder.serial else { continue };
            if let Some(first) = before.iter().position(|r| r.serial.as_ref() == Some(serial)) {
                faults.push(SiteFault::TwiceSerial { serial: serial.clone(), first: first + 1, second });
            }
        }
        faults
    }

    /// The models that are written down, each once.
    pub fn models(&self) -> Vec<Model> {
        let mut models: Vec<Model> = self.recorders.iter().filter_map(|r| r.model.clone()).collect();
        models.sort();
        models.dedup();
        models
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(recorders: &serde_json::Value) -> Result<Site, serde_json::Error> {
        serde_json::from_value(serde_json::json!({"name": "Harbour", "recorder": recorders}))
    }

    #[test]
    fn says_which_models_and_in_which_order() {
        let site = site(&serde_json::json!([
            {"address": "192.168.1.64", "model": "DS-7608NI-I2", "serial": "S1", "password_file": "p"},
            {"address": "192.168.1.65", "model": "DS-7216HUHI-K2"},
            {"address": "192.168.1.66", "model": "ds-7608ni-i2"},
        ]))
        .unwrap();
        assert_eq!(site.faults(), []);
        assert_eq!(site.recorders[1].address, "192.168.1.65");
        let models = site.models();
        assert_eq!(models.iter().map(Model::as_str).collect::<Vec<_>>(), ["DS-7216HUHI-K2", "DS-7608NI-I2"]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        assert!(matches!(site(&serde_json::json!([])).unwrap().faults()[..], [SiteFault::Empty(_)]));
        let site = site(&serde_json::json!([
            {"address": "192.168.1.64", "serial": "S1"},
            {"address": "192.168.1.64", "serial": "S2"},
            {"address": "192.168.1.66", "serial": "S1"},
        ]))
        .unwrap();
        let words: Vec<String> = site.faults().iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "address 192.168.1.64 stands at recorder 1 and again at recorder 2",
                "serial number S1 stands at recorder 1 and again at recorder 3",
            ]
        );
    }

    #[test]
    fn a_field_that_is_not_known_is_a_slip() {
        assert!(site(&serde_json::json!([{"address": "192.168.1.64", "seriell": "S1"}])).is_err());
        assert!(site(&serde_json::json!([{"address": "192.168.1.64", "serial": ""}])).is_err());
    }
}

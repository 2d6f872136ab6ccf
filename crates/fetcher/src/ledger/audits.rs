use std::fmt;

use firmware::policy::AuditProfile;
use firmware::{Device, Text};
use jiff::Timestamp;
use receipt::{Body, CheckCounts, LaptopId, Statement};
use serde::Serialize;

use super::{AUDIT, LastWord, Ledger, LedgerError};

/// The latest audit of one recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastAudit {
    /// Who made it.
    pub laptop: LaptopId,
    /// When, by that laptop's clock.
    pub claimed: Timestamp,
    /// Where, as they said; where it stands, so does this.
    #[serde(skip)]
    pub site: Option<Text>,
    /// What the recorder said of itself; where it stands, so does this.
    #[serde(skip)]
    pub device: Device,
    /// By which standard.
    pub profile: AuditProfile,
    /// How many checks came to what.
    pub counts: CheckCounts,
}

impl Ledger {
    /// The latest audit of each recorder, by serial.
    pub fn last_audits(&self) -> Result<Vec<LastAudit>, LedgerError> {
        Ok(self.latest(Some(AUDIT))?.iter().filter_map(LastAudit::of).collect())
    }
}

impl LastAudit {
    fn of(statement: &Statement) -> Option<Self> {
        let Body::Audit(audit) = &statement.body else { return None };
        Some(Self {
            laptop: statement.head.laptop.clone(),
            claimed: statement.head.times.claimed,
            site: statement.head.site.clone(),
            device: audit.device.clone(),
            profile: audit.profile,
            counts: audit.counts,
        })
    }

    /// What is known of a recorder of which nothing but this has arrived.
    pub fn word(&self) -> LastWord {
        LastWord {
            laptop: self.laptop.clone(),
            claimed: self.claimed,
            site: self.site.clone(),
            revision: Some(self.device.revision.clone()),
            device: self.device.clone(),
            result: None,
            detail: Text::cleaned("none has arrived"),
        }
    }
}

impl fmt::Display for LastAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}, by {}", self.counts, self.claimed.strftime("%F"), self.profile)
    }
}

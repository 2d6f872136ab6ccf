use std::fmt;

use firmware::{Device, Revision, Text};
use jiff::Timestamp;
use receipt::{Body, Head, LaptopId, Need, PushEnded, PushResult, RestoreEnded, RestoreResult, Statement};
use serde::Serialize;

use super::{AUDIT, INVENTORIES, INVENTORY, Ledger, LedgerError, read_back};

/// How a run ended, whatever it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RunResult {
    /// Firmware.
    Push(PushResult),
    /// A configuration.
    Restore(RestoreResult),
}

impl fmt::Display for RunResult {
    /// In the word of its statement.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push(result) => result.fmt(f),
            Self::Restore(result) => result.fmt(f),
        }
    }
}

/// The latest statement about one recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWord {
    /// Who said it.
    pub laptop: LaptopId,
    /// When, by that laptop's clock.
    pub claimed: Timestamp,
    /// Where, as they said.
    pub site: Option<Text>,
    /// What the recorder said of itself: afterwards if it answered then, else before.
    pub device: Device,
    /// The firmware it is known to run; none where its state is unknown.
    pub revision: Option<Revision>,
    /// How the last run ended; none where only its beginning has arrived, or where the recorder was only
    /// read.
    pub result: Option<RunResult>,
    /// Why, in words.
    pub detail: Text,
}

/// What was asked for a recorder last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asked.
    pub laptop: LaptopId,
    /// When, by that laptop's clock.
    pub claimed: Timestamp,
    /// Where, as they said.
    pub site: Option<Text>,
    /// The recorder, as it was then.
    pub device: Device,
    /// What it needs.
    pub needs: Vec<Need>,
}

impl Ledger {
    /// The latest statement about each recorder, by serial: about a push where there was any, since what
    /// a recorder answers while it flashes says nothing about what it will run.
    pub fn last_words(&self) -> Result<Vec<LastWord>, LedgerError> {
        Ok(self.latest(None)?.iter().filter_map(last_word).collect())
    }

    /// What was last asked for each recorder, by serial.
    pub fn requests(&self) -> Result<Vec<Request>, LedgerError> {
        let requests = self.latest(Some(INVENTORY))?.into_iter().filter_map(|statement| {
            let Body::Inventory(inventory) = statement.body else { return None };
            let Head { laptop, times, site, .. } = statement.head;
            let claimed = times.claimed;
            Some(Request { laptop, claimed, site, device: inventory.device, needs: inventory.needs })
        });
        Ok(requests.collect())
    }

    /// The latest statement about each recorder, by serial, of one kind (a pattern of LIKE), or of all but audits; inventories
    /// only where there is nothing else. Within a laptop its own numbers say which is the latest; only between
    /// laptops do their clocks.
    pub(super) fn latest(&self, kind: Option<&str>) -> Result<Vec<Statement>, LedgerError> {
        let (kind, but) = kind.map_or(("%", AUDIT), |kind| (kind, ""));
        self.rows(
            "WITH asked AS (
                 SELECT laptop, counter, sha256, serial, claimed, CASE WHEN kind LIKE ?1 THEN 1 ELSE 0 END AS aside
                 FROM believed WHERE serial IS NOT NULL AND kind LIKE ?2 AND kind <> ?3
             ), newest AS (
                 SELECT asked.*,
                        row_number() OVER (PARTITION BY serial, laptop ORDER BY aside, counter DESC, sha256) AS place
                 FROM asked
             ), latest AS (
                 SELECT laptop, counter, sha256, serial,
                        row_number() OVER (PARTITION BY serial ORDER BY aside, claimed DESC, laptop) AS place
                 FROM newest WHERE place = 1
             )
             SELECT s.envelope, l.public_key FROM latest n
             JOIN statements s ON s.laptop = n.laptop AND s.counter = n.counter AND s.sha256 = n.sha256
             JOIN laptops l ON l.id = n.laptop WHERE n.place = 1 ORDER BY n.serial",
            &[INVENTORIES.into(), kind.into(), but.into()],
            |row| Ok(read_back(row.bytes(0)?, row.text(1)?)?.statement().clone()),
        )
    }
}

fn last_word(statement: &Statement) -> Option<LastWord> {
    let (laptop, claimed) = (statement.head.laptop.clone(), statement.head.times.claimed);
    let word = match &statement.body {
        Body::PushEnded(end) => Some(ended(laptop, claimed, end)),
        Body::PushStarted(start) => {
            let what = format!("a push of {}", start.target.release);
            Some(begun(laptop, claimed, &start.device, &what))
        }
        Body::RestoreStarted(start) => {
            Some(begun(laptop, claimed, &start.device, "a restore of its configuration"))
        }
        Body::RestoreEnded(end) => Some(restored(laptop, claimed, end)),
        Body::Inventory(inventory) => Some(LastWord {
            laptop,
            claimed,
            site: None,
            device: inventory.device.clone(),
            revision: Some(inventory.device.revision.clone()),
            result: None,
            detail: Text::cleaned("it was read, and nothing was pushed yet"),
        }),
        Body::Audit(_) | Body::Other { .. } => None,
    };
    word.map(|word| LastWord { site: statement.head.site.clone(), ..word })
}

fn ended(laptop: LaptopId, claimed: Timestamp, end: &PushEnded) -> LastWord {
    let device = end.after.clone().unwrap_or_else(|| end.device.clone());
    let revision = match end.result {
        PushResult::UnknownAfterPush => None,
        _ => Some(device.revision.clone()),
    };
    let result = Some(RunResult::Push(end.result));
    LastWord { laptop, claimed, site: None, device, revision, result, detail: end.detail.clone() }
}

/// After a restore the firmware is what it was, but whether the recorder works is another matter.
fn restored(laptop: LaptopId, claimed: Timestamp, end: &RestoreEnded) -> LastWord {
    let device = end.after.clone().unwrap_or_else(|| end.device.clone());
    let known = end.result != RestoreResult::UnknownAfterRestore;
    let revision = known.then(|| device.revision.clone());
    let result = Some(RunResult::Restore(end.result));
    LastWord { laptop, claimed, site: None, device, revision, result, detail: end.detail.clone() }
}

fn begun(laptop: LaptopId, claimed: Timestamp, device: &Device, what: &str) -> LastWord {
    let detail = Text::cleaned(&format!("{what} began and its end has not arrived"));
    LastWord { laptop, claimed, site: None, device: device.clone(), revision: None, result: None, detail }
}

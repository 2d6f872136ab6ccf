use firmware::{Device, Revision, Text};
use jiff::Timestamp;
use receipt::{
    Body, Envelope, LaptopId, PushEnded, PushResult, RestoreEnded, RestoreResult, VerifiedStatement,
};

use super::{Ledger, LedgerError};

/// The latest statement about one recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWord {
    /// Who said it.
    pub laptop: LaptopId,
    /// When, by that laptop's clock.
    pub claimed: Timestamp,
    /// What the recorder said of itself: afterwards if it answered then, else before.
    pub device: Device,
    /// The firmware it is known to run; none where its state is unknown.
    pub revision: Option<Revision>,
    /// How the last run ended, in the word of its statement; none where only its beginning has arrived.
    pub result: Option<Text>,
    /// Why, in words.
    pub detail: Text,
}

impl Ledger {
    /// The latest statement about each recorder, by serial. Within a laptop its own numbers say which
    /// is the latest; only between laptops do their clocks.
    pub fn last_words(&self) -> Result<Vec<LastWord>, LedgerError> {
        let mut query = self.db.prepare(
            "WITH newest AS (
                 SELECT envelope, laptop, serial, claimed, counter,
                        row_number() OVER (PARTITION BY serial, laptop ORDER BY counter DESC) AS place
                 FROM statements WHERE serial IS NOT NULL
             ), latest AS (
                 SELECT envelope, laptop, serial,
                        row_number() OVER (PARTITION BY serial ORDER BY claimed DESC, laptop) AS place
                 FROM newest WHERE place = 1
             ) SELECT envelope, laptop FROM latest WHERE place = 1 ORDER BY serial",
        )?;
        let mut rows = query.query([])?;
        let mut words = Vec::new();
        while let Some(row) = rows.next()? {
            let laptop: String = row.get(1)?;
            let laptop = laptop.parse().map_err(|_| LedgerError::Damaged("laptop id"))?;
            words.extend(self.last_word(&row.get::<_, Vec<u8>>(0)?, &laptop)?);
        }
        Ok(words)
    }

    fn last_word(&self, envelope: &[u8], laptop: &LaptopId) -> Result<Option<LastWord>, LedgerError> {
        let damaged = || LedgerError::Damaged("statement");
        let key = self.key_of(laptop)?.ok_or_else(damaged)?;
        let envelope = Envelope::read(envelope).map_err(|_| damaged())?;
        let verified = VerifiedStatement::open(&envelope, &key).map_err(|_| damaged())?;
        let statement = verified.statement();
        let (laptop, claimed) = (laptop.clone(), statement.head.times.claimed);
        Ok(match &statement.body {
            Body::PushEnded(end) => Some(ended(laptop, claimed, end)),
            Body::PushStarted(start) => {
                let what = format!("a push of {}", start.target.release);
                Some(begun(laptop, claimed, &start.device, &what))
            }
            Body::RestoreStarted(start) => {
                Some(begun(laptop, claimed, &start.device, "a restore of its configuration"))
            }
            Body::RestoreEnded(end) => Some(restored(laptop, claimed, end)),
            Body::Other { .. } => None,
        })
    }
}

fn ended(laptop: LaptopId, claimed: Timestamp, end: &PushEnded) -> LastWord {
    let device = end.after.clone().unwrap_or_else(|| end.device.clone());
    let revision = match end.result {
        PushResult::UnknownAfterPush => None,
        _ => Some(device.revision.clone()),
    };
    let result = Some(Text::cleaned(&end.result.to_string()));
    LastWord { laptop, claimed, device, revision, result, detail: end.detail.clone() }
}

/// After a restore the firmware is what it was, but whether the recorder works is another matter.
fn restored(laptop: LaptopId, claimed: Timestamp, end: &RestoreEnded) -> LastWord {
    let device = end.after.clone().unwrap_or_else(|| end.device.clone());
    let known = end.result != RestoreResult::UnknownAfterRestore;
    let revision = known.then(|| device.revision.clone());
    let result = Some(Text::cleaned(&end.result.to_string()));
    LastWord { laptop, claimed, device, revision, result, detail: end.detail.clone() }
}

fn begun(laptop: LaptopId, claimed: Timestamp, device: &Device, what: &str) -> LastWord {
    let detail = Text::cleaned(&format!("{what} began and its end has not arrived"));
    LastWord { laptop, claimed, device: device.clone(), revision: None, result: None, detail }
}

use firmware::{Device, Revision, Text};
use jiff::Timestamp;
use receipt::{Body, Envelope, LaptopId, PushEnded, PushResult, Statement, VerifiedStatement};

use super::{AUDIT, Ledger, LedgerError};

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
    /// How the last run ended; none where only its beginning has arrived.
    pub result: Option<PushResult>,
    /// Why, in words.
    pub detail: Text,
}

impl Ledger {
    /// The latest statement about each recorder's pushes, by serial. Within a laptop its own numbers say which
    /// is the latest; only between laptops do their clocks.
    pub fn last_words(&self) -> Result<Vec<LastWord>, LedgerError> {
        Ok(self.latest(&format!("kind != '{AUDIT}'"))?.iter().filter_map(last_word).collect())
    }

    /// The latest statement about each recorder, by serial, of the kinds that `which` selects.
    pub(super) fn latest(&self, which: &str) -> Result<Vec<Statement>, LedgerError> {
        let mut query = self.db.prepare(&format!(
            "WITH newest AS (
                 SELECT envelope, laptop, serial, claimed, counter,
                        row_number() OVER (PARTITION BY serial, laptop ORDER BY counter DESC) AS place
                 FROM statements WHERE serial IS NOT NULL AND {which}
             ), latest AS (
                 SELECT envelope, laptop, serial,
                        row_number() OVER (PARTITION BY serial ORDER BY claimed DESC, laptop) AS place
                 FROM newest WHERE place = 1
             ) SELECT envelope, laptop FROM latest WHERE place = 1 ORDER BY serial",
        ))?;
        let mut rows = query.query([])?;
        let mut statements = Vec::new();
        while let Some(row) = rows.next()? {
            let laptop: String = row.get(1)?;
            let laptop = laptop.parse().map_err(|_| LedgerError::Damaged("laptop id"))?;
            statements.push(self.open_stored(&row.get::<_, Vec<u8>>(0)?, &laptop)?);
        }
        Ok(statements)
    }

    fn open_stored(&self, envelope: &[u8], laptop: &LaptopId) -> Result<Statement, LedgerError> {
        let damaged = || LedgerError::Damaged("statement");
        let key = self.key_of(laptop)?.ok_or_else(damaged)?;
        let envelope = Envelope::read(envelope).map_err(|_| damaged())?;
        let verified = VerifiedStatement::open(&envelope, &key).map_err(|_| damaged())?;
        Ok(verified.statement().clone())
    }
}

fn last_word(statement: &Statement) -> Option<LastWord> {
    let (laptop, claimed) = (statement.head.laptop.clone(), statement.head.times.claimed);
    match &statement.body {
        Body::PushEnded(end) => Some(ended(laptop, claimed, end)),
        Body::PushStarted(start) => Some(LastWord {
            laptop,
            claimed,
            device: start.device.clone(),
            revision: None,
            result: None,
            detail: Text::cleaned(&format!(
                "a push of {} began and its end has not arrived",
                start.target.release
            )),
        }),
        Body::Audit(_) | Body::Other { .. } => None,
    }
}

fn ended(laptop: LaptopId, claimed: Timestamp, end: &PushEnded) -> LastWord {
    let device = end.after.clone().unwrap_or_else(|| end.device.clone());
    let revision = match end.result {
        PushResult::UnknownAfterPush => None,
        _ => Some(device.revision.clone()),
    };
    LastWord { laptop, claimed, device, revision, result: Some(end.result), detail: end.detail.clone() }
}

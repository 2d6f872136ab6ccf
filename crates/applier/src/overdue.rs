//! Statements that should have come home by now.

use std::fmt;

use firmware::policy::REMIND_AFTER_DAYS;
use jiff::{SignedDuration, Timestamp};
use keys::PublicKey;
use receipt::{Chain, Envelope, VerifiedStatement};
use serde::Serialize;
use terminal::Count;

/// Old statements of this laptop that are not known to have reached the depot. It hears of their arrival when it
/// verifies a stick that was loaded since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overdue {
    /// All that are not known to have arrived, old or not.
    pub statements: u64,
    /// When the oldest of them was made, by this laptop's clock then.
    pub oldest: Timestamp,
}

impl Overdue {
    /// What is overdue, if the oldest is as old as the policy says.
    pub fn of(chain: &Chain, key: &PublicKey, now: Timestamp) -> anyhow::Result<Option<Self>> {
        let (delivery, last) = (chain.delivery()?, chain.next().counter - 1);
        if delivery.arrived >= last {
            return Ok(None);
        }
        let envelope = Envelope::read(&chain.envelope(delivery.arrived + 1)?)?;
        let oldest = VerifiedStatement::open(&envelope, key)?.statement().head.times.claimed;
        let days = delivery.remind_after_days.unwrap_or(REMIND_AFTER_DAYS);
        let is_old = now.duration_since(oldest) >= SignedDuration::from_hours(24 * i64::from(days));
        Ok(is_old.then_some(Self { statements: last - delivery.arrived, oldest }))
    }
}

impl fmt::Display for Overdue {
    /// Without what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (statements, are) =
            (Count(self.statements, "statement"), if self.statements == 1 { "is" } else { "are" });
        let oldest = self.oldest.strftime("%F");
        write!(
            f,
            "{statements} of this laptop {are} not known to have reached the depot, the oldest of {oldest}"
        )
    }
}

//! What else a push changed on the recorder, told and written down. It changes no verdict.

use std::time::Duration;

use firmware::Text;
use serde_json::json;
use terminal::Output;

use super::recorder::Session;
use crate::condition::Condition;
use crate::event::Outcome;
use crate::stage::Stage;

/// The condition of a recorder before a push.
pub(super) struct Differences(Condition);

impl Differences {
    /// Reads it.
    pub(super) fn before(session: &Session) -> Self {
        Self(session.runtime.block_on(Condition::read(&session.recorder)))
    }

    /// Looks again after a push that was confirmed, tells what differs, and gives it for the statement.
    pub(super) fn since(
        &self,
        outcome: &Outcome,
        settle_seconds: u64,
        session: &Session,
        output: Output,
    ) -> Vec<Text> {
        if outcome.stage != Stage::Confirmed {
            return Vec::new();
        }
        let patience = Duration::from_secs(settle_seconds);
        let found = session.runtime.block_on(self.0.compare_again(&session.recorder, patience));
        output.json(&json!({
            "event": "compared", "compared": found.compared, "differences": found.differences,
        }));
        for difference in &found.differences {
            output.warn(format_args!("differs since the push: {difference}"));
        }
        if found.compared.is_empty() {
            output.note("nothing else could be compared with before");
        } else if found.differences.is_empty() {
            output.note(format_args!("as before: {}", found.compared.join(", ")));
        }
        found.differences
    }
}

//! What else a push changed on the recorder, told and written down. It changes no verdict.

use std::time::Duration;

use firmware::Text;
use isapi::Recorder;
use serde_json::json;
use terminal::Output;

use super::recorder::Session;
use super::signals;
use crate::condition::{Comparison, Condition};
use crate::event::Outcome;
use crate::stage::Stage;

/// The condition of a recorder before a push.
pub(super) struct Differences(Condition);

/// What stands in a statement where nobody looked to the end.
const CUT_SHORT: &str = "not looked for to the end: the program was asked to end";

impl Differences {
    /// Reads it.
    pub(super) async fn before(recorder: &Recorder) -> Self {
        Self(Condition::read(recorder).await)
    }

    /// Looks again after a push that was confirmed, tells what differs, and gives it for the statement. Somebody
    /// who wants the program to end, or wanted it before, need not wait for that: once is enough.
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
        let looking = self.0.compare_again(&session.recorder, Duration::from_secs(settle_seconds));
        let mut asked = signals::asked();
        let found = session.runtime.block_on(async {
            output.note(format_args!(
                "looks whether all else is as before, for {settle_seconds} s at most; Ctrl-C ends that"
            ));
            tokio::select! {
                found = looking => Some(found),
                Ok(_) = asked.wait_for(|times| *times > 0) => None,
            }
        });
        let cut_short = found.is_none();
        let found = found.unwrap_or_else(|| Comparison {
            compared: Vec::new(),
            differences: vec![Text::cleaned(CUT_SHORT)],
        });
        output.json(&json!({
            "event": "compared", "compared": found.compared, "differences": found.differences,
        }));
        tell(&found, cut_short, output);
        found.differences
    }
}

fn tell(found: &Comparison, cut_short: bool, output: Output) {
    if cut_short {
        return output.warn(format_args!("the push is confirmed; what else differs since: {CUT_SHORT}"));
    }
    for difference in &found.differences {
        output.warn(format_args!("differs since the push: {difference}"));
    }
    if found.compared.is_empty() {
        output.note("nothing else could be compared with before");
    } else if found.differences.is_empty() {
        output.note(format_args!("as before: {}", found.compared.join(", ")));
    }
}

//! How restores ended that were cut, stated when they are met the next time. No recorder is asked: what it
//! took shows in nothing that it answers.

use receipt::{Body, Chain, RestoreEnded};
use terminal::Failure;

use crate::commands::clerk::Clerk;
use crate::commands::desk::Desk;
use crate::commands::recorder::record_failure;
use crate::event::Papers;
use crate::report;
use crate::restore::{self, Attempt, Attempts};

impl Desk<'_> {
    /// States it of each that `which` means, and gives what was stated.
    pub(in crate::commands) fn state_cut(
        &self,
        attempts: &mut Attempts,
        which: impl Fn(&Attempt) -> bool,
        chain: &mut Chain,
    ) -> Result<Vec<RestoreEnded>, Failure> {
        let cut: Vec<Attempt> = attempts.unstated().filter(|attempt| which(attempt)).cloned().collect();
        let mut ended = Vec::new();
        for Attempt { run, step, .. } in cut {
            // without a beginning nothing was sent, and where an end is stated it was only not written down
            if let Some((head, start)) = report::begun(chain, self.key, &run) {
                let papers =
                    Papers { publication: head.publication, operator: head.operator, site: head.site };
                let facts = self.facts(&run, start.started, start.link.clone(), papers)?;
                let end = restore::cut(&facts, &start, step, (self.context.now)());
                let mut clerk =
                    Clerk { chain, key: self.key, stick: self.stick, facts, context: self.context };
                let stated = clerk.last_word(|_, _| Body::RestoreEnded(Box::new(end.clone())));
                self.context
                    .output
                    .note(format_args!("earlier restore {run}: {}: {}", end.result, end.detail));
                ended.push(end);
                if !stated {
                    continue;
                }
            }
            attempts.stated(&run).map_err(record_failure)?;
        }
        Ok(ended)
    }
}

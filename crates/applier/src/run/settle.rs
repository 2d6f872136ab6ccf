use firmware::Device;

use super::ledger::Ledger;
use super::wait::{Back, Until};
use super::{End, Going};
use crate::confirm::{Verdict, confirm};
use crate::event::Reason;
use crate::stage::Stage;

impl Going<'_> {
    /// The recorder cannot have the firmware, or said that it does not take it. It is as before if it
    /// says so itself; what it was last seen to say otherwise is not known.
    pub(super) async fn untouched(self, ledger: &mut Ledger<'_>, reason: Reason, detail: String) -> End {
        match self.wait_for(ledger, Until::Answers, self.deadlines.back).await {
            Back::Answered(after) | Back::Unproven(after, _) => {
                let Device { serial, revision, .. } = &after;
                match self.verdict(&after) {
                    Verdict::Unchanged => {
                        let detail = format!("{detail}; it still answers with {revision}");
                        End::new(Stage::fail, reason, detail).with(after)
                    }
                    // whoever brought it there, it is what was wanted
                    Verdict::Confirmed => self.judge(ledger, after),
                    verdict @ (Verdict::Older | Verdict::Other | Verdict::OtherSerial) => {
                        let detail = format!("{detail}; and now the recorder is {serial} with {revision}");
                        End::new(Stage::lose_sight, Reason::of(&verdict), detail).with(after)
                    }
                }
            }
            // nothing more can be asked, but the last block never left: a login that was refused after it
            // proves nothing, and is not brought here
            Back::LoginRefused(_) if reason == Reason::LoginRefused => End::new(Stage::fail, reason, detail),
            Back::LoginRefused(why) | Back::OtherCertificate(why) | Back::Not(why) => End::new(
                Stage::lose_sight,
                reason,
                format!("{detail}; and its version could not be read back: {why}"),
            ),
        }
    }

    /// The recorder took it: what it answers after its restart is how it is. Without one its old version
    /// only says that it has not got so far. `taken` is what is known up to then, in words.
    pub(super) async fn wait_settled(self, ledger: &mut Ledger<'_>, taken: &str) -> End {
        match self.wait_for(ledger, Until::Restarted, self.deadlines.back).await {
            Back::Answered(after) => self.judge(ledger, after),
            Back::Unproven(after, doubt) => {
                let detail = format!("{taken}; {doubt}");
                End::new(Stage::lose_sight, Reason::NeverRestarted, detail).with(after)
            }
            Back::LoginRefused(why) => {
                End::new(Stage::lose_sight, Reason::LoginRefused, format!("{taken}; {why}"))
            }
            Back::OtherCertificate(why) => {
                End::new(Stage::lose_sight, Reason::OtherCertificate, format!("{taken}; {why}"))
            }
            Back::Not(why) => End::new(Stage::lose_sight, Reason::NeverReturned, format!("{taken}; {why}")),
        }
    }

    /// Nothing proves how the push ended: only another version than before says that it is over.
    pub(super) async fn wait_unsettled(self, ledger: &mut Ledger<'_>, reason: Reason, detail: String) -> End {
        match self.wait_for(ledger, Until::Changed, self.deadlines.quiet).await {
            Back::Answered(after) => self.judge(ledger, after),
            Back::Unproven(after, doubt) => {
                End::new(Stage::lose_sight, reason, format!("{detail}; {doubt}")).with(after)
            }
            Back::LoginRefused(why) => {
                End::new(Stage::lose_sight, Reason::LoginRefused, format!("{detail}; {why}"))
            }
            Back::OtherCertificate(why) => {
                End::new(Stage::lose_sight, Reason::OtherCertificate, format!("{detail}; {why}"))
            }
            Back::Not(why) => End::new(Stage::lose_sight, reason, format!("{detail}; {why}")),
        }
    }

    /// What a read-back says.
    pub(super) fn verdict(self, after: &Device) -> Verdict {
        confirm(&self.plan.device, &self.plan.target.revision, after)
    }

    /// What the recorder answers now is what it is.
    pub(super) fn judge(self, ledger: &mut Ledger<'_>, after: Device) -> End {
        let target = &self.plan.target.revision;
        let verdict = self.verdict(&after);
        // what another recorder answers is no proof that this one is back
        if verdict != Verdict::OtherSerial {
            ledger.go(Stage::come_back);
        }
        let detail = format!("{verdict}: {} with {}, target {target}", after.serial, after.revision);
        let to = match verdict {
            Verdict::Confirmed => Stage::confirm,
            Verdict::Unchanged | Verdict::Older | Verdict::Other => Stage::miss_target,
            Verdict::OtherSerial => Stage::lose_sight,
        };
        End::new(to, Reason::of(&verdict), detail).with(after)
    }
}

use firmware::Device;

use super::job::{Job, Payload};
use super::ledger::Ledger;
use super::wait::{Back, Until};
use super::{End, Going};
use crate::confirm::{Verdict, confirm};
use crate::event::Reason;
use crate::stage::{IllegalMove, Stage};

/// A recorder that said nothing of a restart is watched for this part of the time for its return: the
/// vendor's page looks again after 60 of 300 s (reference: ISAPI §6, §11).
const GRACE: u32 = 5;

type Move = fn(Stage) -> Result<Stage, IllegalMove>;

impl Going<'_> {
    /// The recorder cannot have the firmware, or said that it does not take it. It is as before if it
    /// says so itself; what it was last seen to say otherwise is not known.
    pub(super) async fn untouched(self, ledger: &mut Ledger<'_>, reason: Reason, detail: String) -> End {
        match self.wait_for(ledger, Until::Answers, self.deadlines.back).await {
            Back::Answered(after) | Back::Unproven(after, _) => {
                let Device { serial, revision, .. } = &after;
                if self.job.is_as_before(&after) {
                    let detail = format!("{detail}; it still answers with {revision}");
                    return End::new(Stage::fail, reason, detail).with(after);
                }
                match (self.job.payload, self.verdict(&after)) {
                    // whoever brought it there, it is what was wanted
                    (Payload::Firmware, Verdict::Confirmed) => self.judge(ledger, after),
                    (_, verdict) => {
                        let noun = self.job.before.noun();
                        let detail = format!("{detail}; and now the {noun} is {serial} with {revision}");
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

    /// The recorder took it: what it answers after its restart is how it is. Without one what it answers
    /// only says that it has not got so far. `taken` is what is known up to then, in words.
    pub(super) async fn wait_settled(self, ledger: &mut Ledger<'_>, taken: &str) -> End {
        let back = self.wait_for(ledger, Until::Restarted, self.deadlines.back).await;
        self.settled(ledger, taken, back)
    }

    /// The recorder took its configuration and said nothing of a restart: it is watched for one, and then
    /// what it answers counts.
    pub(super) async fn wait_unannounced(self, ledger: &mut Ledger<'_>, taken: &str) -> End {
        let back = self.deadlines.back;
        let grace = back / GRACE;
        let back = match self.wait_for(ledger, Until::Restarted, grace).await {
            Back::Unproven(after, _) => Back::Answered(after),
            Back::Not(_) => self.wait_for(ledger, Until::Answers, back.saturating_sub(grace)).await,
            back => back,
        };
        self.settled(ledger, taken, back)
    }

    fn settled(self, ledger: &mut Ledger<'_>, taken: &str, back: Back) -> End {
        let lost = |reason, why: String| End::new(Stage::lose_sight, reason, format!("{taken}; {why}"));
        match back {
            Back::Answered(after) => self.judge(ledger, after),
            Back::Unproven(after, doubt) => lost(Reason::NeverRestarted, doubt).with(after),
            Back::LoginRefused(why) => lost(Reason::LoginRefused, why),
            Back::OtherCertificate(why) => lost(Reason::OtherCertificate, why),
            Back::Not(why) => lost(Reason::NeverReturned, why),
        }
    }

    /// Nothing proves how the sending ended. After a push only another version than before says that it is
    /// over, or a restart; after a restore nothing says whether the configuration was taken.
    pub(super) async fn wait_unsettled(self, ledger: &mut Ledger<'_>, reason: Reason, detail: String) -> End {
        let lost = |reason, why: String| End::new(Stage::lose_sight, reason, format!("{detail}; {why}"));
        match self.wait_for(ledger, Until::Changed, self.deadlines.quiet).await {
            Back::Answered(after) if self.job.payload == Payload::Firmware => self.judge(ledger, after),
            Back::Answered(after) => {
                let (serial, revision) = (&after.serial, &after.revision);
                let why = format!(
                    "since then {serial} with {revision} answers, which does not say whether it took the configuration"
                );
                lost(reason, why).with(after)
            }
            Back::Unproven(after, doubt) => lost(reason, doubt).with(after),
            Back::LoginRefused(why) => lost(Reason::LoginRefused, why),
            Back::OtherCertificate(why) => lost(Reason::OtherCertificate, why),
            Back::Not(why) => lost(reason, why),
        }
    }

    /// What a read-back says.
    pub(super) fn verdict(self, after: &Device) -> Verdict {
        confirm(self.job.before, self.job.target, after)
    }

    /// What the recorder answers now is what it is.
    pub(super) fn judge(self, ledger: &mut Ledger<'_>, after: Device) -> End {
        let Job { payload, target, .. } = self.job;
        let verdict = self.verdict(&after);
        // what another recorder answers is no proof that this one is back
        if verdict != Verdict::OtherSerial {
            ledger.go(Stage::come_back);
        }
        let (to, reason, detail): (Move, _, _) = match payload {
            Payload::Firmware => (
                match verdict {
                    Verdict::Confirmed => Stage::confirm,
                    Verdict::Unchanged | Verdict::Older | Verdict::Other => Stage::miss_target,
                    Verdict::OtherSerial => Stage::lose_sight,
                },
                Reason::of(&verdict),
                format!("{verdict}: {} with {}, target {target}", after.serial, after.revision),
            ),
            // another version than before nobody meant it to run
            Payload::Configuration => {
                let confirmed = verdict == Verdict::Confirmed;
                (
                    if confirmed { Stage::confirm } else { Stage::lose_sight },
                    if confirmed { Reason::Restored } else { Reason::of(&verdict) },
                    format!("{}; it answers as {} with {}", self.job.taken(), after.serial, after.revision),
                )
            }
        };
        End::new(to, reason, detail).with(after)
    }
}

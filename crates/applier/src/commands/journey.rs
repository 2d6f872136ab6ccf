//! One push after the other, each confirmed before the next (`docs/safety.md`, rule 12).

use firmware::ReleaseId;
use isapi::Address;
use rand::Rng;
use receipt::{Link, Target};
use serde_json::json;
use stick::VerifiedPublication;
use terminal::{Exit, Failure};

use super::apply::journal_failure;
use super::clerk::Clerk;
use super::plan::{self as plan_command, Held};
use super::recorder::{RecorderArgs, Session};
use crate::at_hand::AtHand;
use crate::inventory::Inventory;
use crate::journal::Journals;
use crate::plan::{Decision, Options, Plan, Refusal};
use crate::report;
use crate::state::State;

/// What does not change on the way.
pub(super) struct Journey<'a> {
    pub(super) recorder: &'a RecorderArgs,
    pub(super) session: &'a mut Session,
    pub(super) publication: &'a VerifiedPublication<'a>,
    pub(super) journals: &'a Journals,
    pub(super) state: &'a State,
    pub(super) options: Options,
}

impl Journey<'_> {
    /// Takes every step of a plan that was agreed to. `push` does one, and gives an error unless it is
    /// confirmed. Every file is on this laptop before the first.
    pub(super) fn go(
        mut self,
        agreed: Plan,
        mut held: Held,
        clerk: &mut Clerk<'_>,
        mut push: impl FnMut(&Plan, AtHand, &mut Session, &mut Clerk<'_>) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let of = agreed.steps().count();
        let wanted = agreed.steps().last().map(|target| target.release.clone());
        self.options.release = wanted;
        let mut plan = agreed;
        for confirmed in 0.. {
            let missing = || Failure::new(Exit::Internal, "plan: to push, with nothing at hand");
            let at_hand = held.remove(&plan.target.release).ok_or_else(missing);
            let pushed = at_hand.and_then(|at_hand| push(&plan, at_hand, self.session, clerk));
            let address = self.session.recorder.address();
            pushed.map_err(|failure| halfway(failure, address, confirmed, of))?;
            if plan.later.is_empty() {
                break;
            }
            let next = self.next(&plan, held, clerk);
            let address = self.session.recorder.address();
            (plan, held) = next.map_err(|failure| halfway(failure, address, confirmed + 1, of))?;
        }
        Ok(Exit::Done)
    }

    /// Reads the recorder again and plans the next step anew.
    fn next(&mut self, done: &Plan, held: Held, clerk: &mut Clerk<'_>) -> Result<(Plan, Held), Failure> {
        let context = clerk.context;
        let inventory = self.recorder.look_again(&done.device.serial, self.session, self.state, context)?;
        let (now, mut random) = ((context.now)(), [0; 4]);
        rand::rng().fill_bytes(&mut random);
        clerk.facts.run = self.journals.name(now, random).map_err(journal_failure)?;
        clerk.facts.started = now;
        // where it is now; whoever was heard on the cable was heard
        let heard = std::mem::take(&mut clerk.facts.link.heard);
        clerk.facts.link = Link { heard, ..self.session.link.facts().clone() };
        self.options.power = plan_command::power(context);
        // what these were given for is over
        self.options.push_again = None;
        self.options.expect_serial = Some(done.device.serial.clone());
        let (decision, held) =
            plan_command::decide(&inventory, self.publication, &self.options, held, self.state, context)?;
        let refusals = match decision {
            Decision::Push(next) if next.continues(done) => {
                plan_command::tell(&next, context.output)?;
                return Ok((*next, held));
            }
            Decision::Push(next) => vec![other_course(done, next.steps())],
            Decision::AlreadyCurrent(_) => vec![other_course(done, std::iter::empty())],
            Decision::Refused(refusals) => refusals,
        };
        Err(self.refused(&inventory, &refusals, clerk))
    }

    fn refused(&self, inventory: &Inventory, refusals: &[Refusal], clerk: &mut Clerk<'_>) -> Failure {
        clerk.last_word(|facts, now| report::refused(facts, &inventory.device, refusals, now));
        plan_command::refused(inventory, refusals, self.options.accept_expired.as_ref())
    }
}

fn other_course<'a>(done: &Plan, remaining: impl Iterator<Item = &'a Target>) -> Refusal {
    let release = |target: &Target| -> ReleaseId { target.release.clone() };
    Refusal::OtherCourse {
        agreed: done.later.iter().map(release).collect(),
        remaining: remaining.map(release).collect(),
    }
}

/// Once a step is confirmed the recorder is not as it was, whatever becomes of the next: at best it is
/// not at the target.
fn halfway(failure: Failure, address: &Address, confirmed: usize, of: usize) -> Failure {
    if confirmed == 0 {
        return failure;
    }
    let exit = Exit::NotAtTarget.worst(failure.exit);
    let hint = failure.hint.clone().unwrap_or_default();
    let again = "the same command goes on from there, once nothing is in the way";
    let mut data = failure.data.as_deref().cloned().unwrap_or_else(|| json!({}));
    data["confirmed_steps"] = confirmed.into();
    let words = format!("recorder {address}: stopped on the way, {confirmed} of {of} steps confirmed");
    let failure = Failure { exit, ..failure }.context(words).with_data(data);
    failure.hint(format!("{hint}\n{again}").trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halfway_is_not_at_the_target_and_unknown_stays_unknown() {
        let address = "192.168.1.64".parse().unwrap();
        let ended = |exit, confirmed| halfway(Failure::new(exit, "x").hint("y"), &address, confirmed, 3);
        assert_eq!(ended(Exit::Failed, 0).exit, Exit::Failed);
        for (exit, worst) in [
            (Exit::Failed, Exit::NotAtTarget),
            (Exit::Refused, Exit::NotAtTarget),
            (Exit::Unreachable, Exit::NotAtTarget),
            (Exit::Internal, Exit::NotAtTarget),
            (Exit::Unknown, Exit::Unknown),
        ] {
            let failure = ended(exit, 1);
            assert_eq!(failure.exit, worst);
            assert!(failure.error.to_string().contains("1 of 3 steps confirmed"), "{}", failure.error);
            assert!(failure.hint.unwrap().starts_with("y\nthe same command"));
            assert_eq!(failure.data.unwrap()["confirmed_steps"], 1);
        }
    }
}

//! One recorder, from the login to the receipt.

use firmware::Revision;
use receipt::Chain;
use stick::VerifiedPublication;
use terminal::{Exit, Failure};

use super::{Args, facts};
use crate::commands::awake::Awake;
use crate::commands::blocked::push_again;
use crate::commands::clerk::{Clerk, WhoArgs};
use crate::commands::desk::Desk;
use crate::commands::journey::Journey;
use crate::commands::plan::{self as plan_command, Held};
use crate::commands::push::{Agreed, Push, conclude_alone};
use crate::commands::recorder::{Purpose, RecorderArgs, Session};
use crate::commands::request;
use crate::commands::restore;
use crate::commands::round::{Became, Row};
use crate::commands::signals::asked_to_end;
use crate::inventory::Inventory;
use crate::plan::{AcceptedExpired, Decision, Listed, Options, needs};
use crate::report::{self, Facts};
use crate::run::{Deadlines, Payload};
use crate::stage::Stage;
use crate::state::State;

/// What is the same for every recorder.
pub(super) struct Errand<'a> {
    pub(super) args: &'a Args,
    pub(super) who: WhoArgs,
    pub(super) region: Option<String>,
    pub(super) state: &'a State,
    pub(super) publication: &'a VerifiedPublication<'a>,
    pub(super) desk: Desk<'a>,
}

impl Errand<'_> {
    /// One recorder, from the login to the receipt.
    pub(super) fn at(
        &self,
        recorder: &RecorderArgs,
        row: &mut Row,
        chain: &mut Chain,
    ) -> Result<Exit, Failure> {
        let Self { args, state, publication, desk, .. } = self;
        let Desk { journals, key, context, .. } = *desk;
        let stick = desk.stick;
        let accepted = args.expiry.accepted(publication);
        let networked = args.wish.allow_networked_laptop.as_ref();
        let awake = Awake::keep(Payload::Firmware, &recorder.address)?;
        let (mut session, mut inventory) = recorder.inspect(Purpose::Push(networked), state, context)?;
        row.met(&inventory);
        let deadlines = args.patience.deadlines();
        match settle(desk, &mut session, &inventory, (deadlines, &awake), chain)? {
            Settled::Confirmed(revision) => {
                (row.result, row.after) = (Became::Confirmed, Some(revision));
                return Ok(Exit::Done);
            }
            // it may have moved, and need not be as it was before that
            Settled::Watched => {
                inventory = recorder.look_again(&inventory.device.serial, &session, state, context)?;
            }
            Settled::Unasked => {}
        }
        let (reason, now) = (args.wish.push_again.as_ref(), (context.now)());
        let push_again = push_again(reason, deadlines.quiet, journals, &inventory, now)?;
        let restored = restore::push_again((reason, deadlines.quiet), state, journals, &inventory, now)?;
        let power = plan_command::power(context);
        let options = args.wish.options(&session, push_again.or(restored), accepted.clone(), power);
        let options = Options { region: self.region.clone(), ..options };
        let (decision, held) =
            plan_command::decide(&inventory, publication, &options, Held::new(), state, context)?;
        let facts = facts(&self.who, &session, publication, journals, state, context)?;
        let facts = Facts { accepted: accepted.clone(), ..facts };
        let mut clerk = Clerk { chain, key, stick, facts, context };
        match decision {
            Decision::Push(plan) => {
                awake.warn(context.output);
                let said = Agreed { plan: args.plan, yes: args.yes };
                said.to(&plan, context)?;
                let keeper = plan.takes_backup().then(|| args.keep.keeper(None, state)).transpose()?;
                let push = Push {
                    journals,
                    keeper: keeper.as_ref(),
                    awake: &awake,
                    deadlines,
                    settle_time: args.patience.settle_time,
                };
                let session = &mut session;
                let journey = Journey { recorder, session, publication, journals, state, options };
                let target = plan.steps().last().map(|target| target.revision.clone());
                let went = journey.go(*plan, held, &mut clerk, |plan, at_hand, session, clerk| {
                    push.one(plan, at_hand, session, clerk)
                })?;
                (row.result, row.after) = (Became::Confirmed, target);
                Ok(went)
            }
            Decision::AlreadyCurrent(listed) => {
                row.result = Became::AlreadyCurrent;
                already_current(&listed, &inventory, accepted.as_ref(), &mut clerk)
            }
            Decision::Refused(refusals) => {
                request::ask(&needs(&refusals), &inventory, &mut clerk);
                clerk.last_word(|facts, now| report::refused(facts, &inventory.device, &refusals, now));
                Err(plan_command::refused(&inventory, &refusals, accepted.as_ref()))
            }
        }
    }
}

/// What came of runs that were open.
enum Settled {
    /// The recorder was not asked about any.
    Unasked,
    /// It was asked, and may have been watched for long: it can be pushed to.
    Watched,
    /// It runs this.
    Confirmed(Revision),
}

/// Settles what earlier runs left open at this recorder, as `resume` would. One that turns out to be
/// confirmed is all that is done now; so is one that somebody stopped watching. One that nobody knows the
/// end of is left to [`push_again`].
fn settle(
    desk: &Desk<'_>,
    session: &mut Session,
    inventory: &Inventory,
    (deadlines, awake): (Deadlines, &Awake),
    chain: &mut Chain,
) -> Result<Settled, Failure> {
    restore::settle(desk, inventory, chain)?;
    let open = desk.open(chain)?.of(&inventory.device.serial);
    let output = desk.context.output;
    for replay in &open.closable {
        let outcome = desk.close(replay, chain)?;
        output.note(format_args!("earlier run {}: {}: {}", replay.run, outcome.result(), outcome.detail));
    }
    for replay in &open.unsettled {
        output
            .note(format_args!("earlier run {} stands at {}: looking at it first", replay.run, replay.stage));
        let outcome = desk.resume(replay, session, &inventory.device, (deadlines, awake), chain)?;
        let is_left = outcome.is_left() || !outcome.stage.is_end();
        if outcome.stage == Stage::Confirmed || is_left || asked_to_end() {
            conclude_alone(&replay.plan, session.recorder.address(), &outcome, desk.context)?;
            return Ok(Settled::Confirmed(replay.plan.target.revision.clone()));
        }
        output.note(format_args!("earlier run {}: {}: {}", replay.run, outcome.result(), outcome.detail));
    }
    Ok(if open.unsettled.is_empty() { Settled::Unasked } else { Settled::Watched })
}

fn already_current(
    listed: &Listed,
    inventory: &Inventory,
    accepted: Option<&AcceptedExpired>,
    clerk: &mut Clerk<'_>,
) -> Result<Exit, Failure> {
    clerk
        .state(|facts, now| report::already_current(facts, &inventory.device, listed.target.clone(), now))?;
    clerk.deliver();
    let output = clerk.context.output;
    output.json(&plan_command::already_current(listed, accepted));
    output.data(format_args!(
        "already current: {} runs {}; nothing was pushed",
        inventory.device.serial, listed.release.id
    ));
    Ok(Exit::Done)
}

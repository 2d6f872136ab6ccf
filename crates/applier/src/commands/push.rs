//! A plan is agreed to, pushed, watched to its end, and stated: what `apply` does once it has decided.

use std::fmt::Display;

use firmware::{Device, Sha256Digest};
use isapi::{Address, Package};
use serde_json::json;
use terminal::{Exit, Fail, Failure};

use super::apply::journal_failure;
use super::attend::attend;
use super::awake::Awake;
use super::clerk::Clerk;
use super::differences::Differences;
use super::plan as plan_command;
use super::recorder::Session;
use super::signals::{UnderWay, asked_to_end};
use crate::at_hand::AtHand;
use crate::backup::Keeper;
use crate::context::Context;
use crate::event::{Event, Outcome, Papers};
use crate::isolation::add_heard;
use crate::journal::{FORMAT, Journals};
use crate::open_stick::OpenStick;
use crate::plan::Plan;
use crate::report;
use crate::run::{Deadlines, Payload, Run};

/// What a person said about a plan.
pub(super) struct Agreed {
    /// It must have this digest.
    pub(super) plan: Option<Sha256Digest>,
    /// Do not ask.
    pub(super) yes: bool,
}

impl Agreed {
    /// Shows the plan of a push, and holds it to what was said.
    pub(super) fn to(&self, plan: &Plan, context: &Context) -> Result<(), Failure> {
        let device = &plan.device;
        let what = format!("{} {} at {}", device.model, device.serial, plan.address);
        context.output.data(format_args!("{:<10} {what}", device.noun()));
        plan_command::tell(plan, context.output)?;
        let question = "Push this? The recorder stops recording while it flashes and restarts.";
        self.holds(plan.digest().fail(Exit::Internal)?, question, "read the new plan: applier plan")
    }

    /// Holds a plan that was shown to the digest that was given, and asks; `again` is what to do where it is
    /// another.
    pub(super) fn holds(&self, digest: Sha256Digest, question: &str, again: &str) -> Result<(), Failure> {
        if let Some(agreed) = self.plan.filter(|agreed| *agreed != digest) {
            let message = format!(
                "plan: digest is {digest}, agreed to was {agreed}: something has changed; nothing was sent"
            );
            return Err(Failure::new(Exit::Refused, message).hint(again));
        }
        if !self.yes && !terminal::confirm(question, "--yes")? {
            return Err(Failure::new(Exit::Refused, "not agreed to: nothing was sent"));
        }
        Ok(())
    }
}

/// What every push of a journey shares.
pub(super) struct Push<'a> {
    pub(super) journals: &'a Journals,
    /// Keeps the configuration before each.
    pub(super) keeper: Option<&'a Keeper>,
    /// Keeps this laptop awake.
    pub(super) awake: &'a Awake,
    pub(super) deadlines: Deadlines,
    /// For how long what differs is looked for, in seconds.
    pub(super) settle_time: u64,
}

impl Push<'_> {
    /// Pushes what was agreed to, watches, and states how it ended.
    pub(super) fn one(
        &self,
        plan: &Plan,
        at_hand: AtHand,
        session: &mut Session,
        clerk: &mut Clerk<'_>,
    ) -> Result<Exit, Failure> {
        let &Self { journals, keeper, awake, deadlines, settle_time, .. } = self;
        let context = clerk.context;
        let digest = plan.digest().fail(Exit::Internal)?;
        let package =
            Package::new(at_hand.into_file(), plan.target.length, plan.target.sha256).fail(Exit::Rejected)?;
        let papers = Papers {
            publication: clerk.facts.publication.clone(),
            operator: clerk.facts.operator.clone(),
            site: clerk.facts.site.clone(),
        };
        let planned = Event::Planned {
            format: FORMAT,
            run: clerk.facts.run.clone(),
            plan: Box::new(plan.clone()),
            digest,
            link: session.link.facts().clone(),
            papers: Box::new(papers),
        };
        session.still_alone()?;
        let mut journal = journals.create(&clerk.facts.run).map_err(journal_failure)?;
        journal.append((context.now)(), &planned).map_err(journal_failure)?;
        clerk.state(|facts, _| report::started(facts, plan, digest))?;
        if clerk.stick.is_some_and(OpenStick::takes_statements) {
            clerk.deliver();
        }
        let _under_way = UnderWay::begin().fail(Exit::Internal)?;
        let serial = &plan.device.serial;
        let (run, noticed) = attend(
            session,
            (Payload::Firmware, serial),
            awake,
            context,
            async |session, tell, stop, senses| {
                tell(&planned);
                let recorder = &session.recorder;
                let before = Differences::before(recorder).await;
                let run = Run { recorder, plan, package: &package, keeper, deadlines, senses, journal };
                let tell = |event: &Event| {
                    tell(event);
                    if let (Event::BackedUp { backup }, Some(keeper)) = (event, keeper) {
                        keeper.doubt(backup).into_iter().for_each(|doubt| context.output.warn(doubt));
                    }
                };
                (run.execute(context.now, tell, stop).await, before)
            },
        )?;
        let (outcome, before) = run;
        clerk.facts.link.changes = noticed.changes;
        add_heard(&mut clerk.facts.link, &noticed.heard);
        clerk.facts.differences = before.since(&outcome, settle_time, session, context.output);
        if outcome.stage.is_end() {
            clerk.last_word(|facts, now| report::ended(facts, plan, digest, &outcome, now));
        }
        let address = session.recorder.address();
        let exit = conclude(plan, address, &outcome, context)?;
        halfway_of(plan, address).filter(|_| asked_to_end()).map_or(Ok(exit), Err)
    }
}

/// Says how a run ended that was taken up again by itself: a step that is confirmed is not the target, where
/// others were to follow.
pub(super) fn conclude_alone(
    plan: &Plan,
    address: &Address,
    outcome: &Outcome,
    context: &Context,
) -> Result<Exit, Failure> {
    let exit = conclude(plan, address, outcome, context)?;
    match halfway_of(plan, address) {
        Some(failure) => Err(failure.with_data(json!({"outcome": outcome}))),
        None => Ok(exit),
    }
}

/// Why a plan whose step is confirmed is not at its target.
pub(super) fn halfway_of(plan: &Plan, address: &Address) -> Option<Failure> {
    let target = plan.later.last()?;
    let message = format!(
        "recorder {address}: stopped on the way: {} is confirmed, and {} was meant",
        plan.target.revision, target.revision
    );
    Some(Failure::new(Exit::NotAtTarget, message).hint("applier apply goes on from there"))
}

/// Says how a run ended, or how it stands.
pub(super) fn conclude(
    plan: &Plan,
    address: &Address,
    outcome: &Outcome,
    context: &Context,
) -> Result<Exit, Failure> {
    let exit = outcome.exit();
    if exit == Exit::Done {
        context.output.data(format_args!(
            "confirmed: {} {} runs {}",
            plan.device.model, plan.device.serial, plan.target.revision
        ));
        return Ok(exit);
    }
    let failure = not_done(&plan.device, address, &outcome.result(), &outcome.detail, exit);
    Err(failure.hint(outcome.hint()).with_data(json!({"outcome": outcome})))
}

/// What was to be done to this device was not.
pub(super) fn not_done(
    device: &Device,
    address: &Address,
    result: &dyn Display,
    detail: &str,
    exit: Exit,
) -> Failure {
    // what failed often names the recorder already
    let detail = detail.strip_prefix(&format!("recorder {address}: ")).unwrap_or(detail);
    Failure::new(exit, format!("{} {address}: {result}: {detail}", device.noun()))
}

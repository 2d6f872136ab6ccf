//! A plan is agreed to, pushed, watched to its end, and stated: what `apply` does once it has decided.

use std::cell::Cell;

use firmware::{Sha256Digest, Text};
use isapi::{Address, Package};
use serde_json::json;
use terminal::{Exit, Fail, Failure};

use super::apply::journal_failure;
use super::attend::attend;
use super::clerk::Clerk;
use super::differences::{Differences, Found};
use super::plan as plan_command;
use super::recorder::Session;
use super::signals::UnderWay;
use crate::at_hand::AtHand;
use crate::backup::Keeper;
use crate::context::Context;
use crate::event::{Event, Outcome, Papers};
use crate::isolation::add_heard;
use crate::journal::{FORMAT, Journals};
use crate::plan::Plan;
use crate::report;
use crate::run::{Deadlines, Run};

/// What a person said about a plan.
pub(super) struct Agreed {
    /// It must have this digest.
    pub(super) plan: Option<Sha256Digest>,
    /// Do not ask.
    pub(super) yes: bool,
}

impl Agreed {
    /// Shows the plan, holds it to the digest that was given, and asks.
    pub(super) fn to(&self, plan: &Plan, context: &Context) -> Result<(), Failure> {
        let digest = plan.digest().fail(Exit::Internal)?;
        let device = &plan.device;
        context
            .output
            .data(format_args!("recorder   {} {} at {}", device.model, device.serial, plan.address));
        plan_command::tell(plan, context.output)?;
        if let Some(agreed) = self.plan.filter(|agreed| *agreed != digest) {
            let message = format!(
                "plan: digest is {digest}, agreed to was {agreed}: something has changed; nothing was pushed"
            );
            return Err(Failure::new(Exit::Refused, message).hint("read the new plan: applier plan"));
        }
        let question = "Push this? The recorder stops recording while it flashes and restarts.";
        if !self.yes && !terminal::confirm(question, "--yes")? {
            return Err(Failure::new(Exit::Refused, "not agreed to: nothing was pushed"));
        }
        Ok(())
    }
}

/// What every push of a journey shares.
pub(super) struct Push<'a> {
    pub(super) journals: &'a Journals,
    /// Keeps the configuration before each.
    pub(super) keeper: Option<&'a Keeper>,
    /// Why nothing keeps this laptop awake.
    pub(super) asleep: Option<&'a str>,
    pub(super) deadlines: Deadlines,
    /// For how long what differs is looked for, in seconds.
    pub(super) settle_time: u64,
    /// Whether somebody wanted the program to end once a push was confirmed: nothing else is begun.
    pub(super) asked_to_end: Cell<bool>,
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
        let &Self { journals, keeper, asleep, deadlines, settle_time, .. } = self;
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
        if clerk.stick.is_some_and(|stick| stick.media().is_some()) {
            clerk.deliver();
        }
        let _under_way = UnderWay::begin();
        let serial = &plan.device.serial;
        let (run, noticed) = attend(session, serial, context, async |session, tell, stop, senses| {
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
        })?;
        let (outcome, before) = run;
        let mut circumstances: Vec<Text> = asleep.map(Text::cleaned).into_iter().collect();
        circumstances.extend(noticed.changes);
        clerk.facts.link.changes = circumstances;
        add_heard(&mut clerk.facts.link, &noticed.heard);
        let Found { differences, cut_short } = before.since(&outcome, settle_time, session, context.output);
        self.asked_to_end.set(cut_short);
        clerk.facts.differences = differences;
        if outcome.stage.is_end() {
            clerk.last_word(|facts, now| report::ended(facts, plan, digest, &outcome, now));
        }
        let address = session.recorder.address();
        let exit = conclude(plan, address, &outcome, context)?;
        halfway_of(plan, address).filter(|_| cut_short).map_or(Ok(exit), Err)
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
    // what failed often names the recorder already
    let recorder = format!("recorder {address}: ");
    let detail = outcome.detail.strip_prefix(&recorder).unwrap_or(&outcome.detail);
    let message = format!("{recorder}{}: {detail}", outcome.result());
    Err(Failure::new(exit, message).hint(outcome.hint()).with_data(json!({"outcome": outcome})))
}

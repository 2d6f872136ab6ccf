//! What a recorder needs and the stick does not bring, signed and written down for the depot: on this
//! laptop first, then on the stick; with it, or alone where somebody inspects, the cameras behind the
//! recorder. What a person wanted to know matters more: where it cannot be written that is a warning.

use receipt::{Body, Envelope, InventoryTaken, Need, VerifiedStatement};
use stick::VerifiedPublication;
use terminal::{Count, Failure};

use super::apply::facts;
use super::clerk::{Clerk, WhoArgs};
use super::recorder::Session;
use crate::context::{Context, state_failure};
use crate::inventory::Inventory;
use crate::journal::Journals;
use crate::open_stick::OpenStick;
use crate::report;
use crate::state::State;

/// Who asks, and where.
pub(super) struct Asking<'a> {
    pub(super) who: &'a WhoArgs,
    pub(super) session: &'a Session,
    pub(super) publication: &'a VerifiedPublication<'a>,
    pub(super) stick: &'a OpenStick,
    pub(super) state: &'a State,
    pub(super) context: &'a Context,
}

impl Asking<'_> {
    /// Asks for what is needed, if anything is, where nothing else is stated.
    pub(super) fn ask(&self, needs: &[Need], inventory: &Inventory) {
        if !needs.is_empty() {
            self.tell(needs, inventory);
        }
    }

    /// Tells what is needed and which cameras there are, if any are.
    pub(super) fn tell(&self, needs: &[Need], inventory: &Inventory) {
        if needs.is_empty() && inventory.cameras.iter().flatten().next().is_none() {
            return;
        }
        if let Err(failure) = self.write(needs, inventory) {
            not_written(needs, &failure, self.context);
        }
    }

    fn write(&self, needs: &[Need], inventory: &Inventory) -> Result<(), Failure> {
        let Self { who, session, publication, stick, state, context } = *self;
        // a chain that begins anew after each boot is one that the depot cannot tell from a copied key
        state.must_last(context.state.is_some()).map_err(state_failure)?;
        let (mut chain, key) = (state.chain().map_err(state_failure)?, super::apply::laptop_key(state)?);
        let journals = Journals::open(&state.journals()).map_err(super::apply::journal_failure)?;
        let facts = facts(who, session, publication, &journals, state, context)?;
        let mut clerk = Clerk { chain: &mut chain, key: &key, stick: Some(stick), facts, context };
        write_down(needs, inventory, &mut clerk);
        Ok(())
    }
}

/// Asks for what is needed, if anything is.
pub(super) fn ask(needs: &[Need], inventory: &Inventory, clerk: &mut Clerk<'_>) {
    if !needs.is_empty() {
        write_down(needs, inventory, clerk);
    }
}

/// The same is not signed twice in a row.
fn write_down(needs: &[Need], inventory: &Inventory, clerk: &mut Clerk<'_>) {
    let taken = report::taken(&clerk.facts, inventory, needs.to_vec());
    let cameras = taken.cameras.count();
    if !said_last(&taken, clerk)
        && let Err(failure) = clerk.state(|_, _| Body::Inventory(Box::new(taken)))
    {
        return not_written(needs, &failure, clerk.context);
    }
    clerk.deliver();
    for need in needs {
        clerk.context.output.data(format_args!("request    {need}, written down for the depot"));
    }
    if cameras > 0 {
        let cameras = Count(cameras, "camera");
        clerk.context.output.data(format_args!("inventory  {cameras}, written down for the depot"));
    }
}

fn said_last(taken: &InventoryTaken, clerk: &Clerk<'_>) -> bool {
    let last = clerk.chain.next().counter.saturating_sub(1);
    let Some(envelope) = clerk.chain.envelope(last).ok().and_then(|bytes| Envelope::read(&bytes).ok()) else {
        return false;
    };
    let Ok(last) = VerifiedStatement::open(&envelope, &clerk.key.public()) else { return false };
    let head = &last.statement().head;
    let same_names = head.site == clerk.facts.site && head.operator == clerk.facts.operator;
    match &last.statement().body {
        Body::Inventory(last) => {
            let InventoryTaken { device, needs, cameras, .. } = taken;
            same_names && last.needs == *needs && last.device == *device && last.cameras == *cameras
        }
        _ => false,
    }
}

fn not_written(needs: &[Need], failure: &Failure, context: &Context) {
    if needs.is_empty() {
        return context.output.warn(format_args!("inventory not written: {:#}", failure.error));
    }
    let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
    context.output.warn(format_args!(
        "request not written: {:#}; tell the depot what is needed: {}",
        failure.error,
        needs.join(", ")
    ));
}

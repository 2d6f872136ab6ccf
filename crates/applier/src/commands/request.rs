//! What a recorder needs and the stick does not bring, signed and written down for the depot: on this
//! laptop first, then on the stick. What a person wanted to know matters more: where it cannot be written
//! that is a warning.

use receipt::{Body, Envelope, Need, VerifiedStatement};
use stick::{Stick, VerifiedPublication};
use terminal::Failure;

use super::apply::facts;
use super::clerk::{Clerk, WhoArgs};
use super::recorder::Session;
use crate::context::{Context, state_failure};
use crate::inventory::Inventory;
use crate::journal::Journals;
use crate::report;
use crate::state::State;

/// Who asks, and where.
pub(super) struct Asking<'a> {
    pub(super) who: &'a WhoArgs,
    pub(super) session: &'a Session,
    pub(super) publication: &'a VerifiedPublication<'a>,
    pub(super) stick: &'a Stick,
    pub(super) state: &'a State,
    pub(super) context: &'a Context,
}

impl Asking<'_> {
    /// Asks for what is needed, if anything is, where nothing else is stated.
    pub(super) fn ask(&self, needs: &[Need], inventory: &Inventory) {
        if needs.is_empty() {
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
        ask(
            needs,
            inventory,
            &mut Clerk { chain: &mut chain, key: &key, stick: Some(stick), facts, context },
        );
        Ok(())
    }
}

/// Asks for what is needed, if anything is. The same request is not signed twice in a row.
pub(super) fn ask(needs: &[Need], inventory: &Inventory, clerk: &mut Clerk<'_>) {
    if needs.is_empty() {
        return;
    }
    if !asked_last(needs, inventory, clerk) {
        let stated = clerk.state(|facts, _| report::needed(facts, &inventory.device, needs.to_vec()));
        if let Err(failure) = stated {
            return not_written(needs, &failure, clerk.context);
        }
    }
    clerk.deliver();
    for need in needs {
        clerk.context.output.data(format_args!("request    {need}, written down for the depot"));
    }
}

fn asked_last(needs: &[Need], inventory: &Inventory, clerk: &Clerk<'_>) -> bool {
    let last = clerk.chain.next().counter.saturating_sub(1);
    let Some(envelope) = clerk.chain.envelope(last).ok().and_then(|bytes| Envelope::read(&bytes).ok()) else {
        return false;
    };
    let Ok(last) = VerifiedStatement::open(&envelope, &clerk.key.public()) else { return false };
    let head = &last.statement().head;
    let same_names = head.site == clerk.facts.site && head.operator == clerk.facts.operator;
    match &last.statement().body {
        Body::Inventory(last) => same_names && last.needs == needs && last.device == inventory.device,
        _ => false,
    }
}

fn not_written(needs: &[Need], failure: &Failure, context: &Context) {
    let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
    context.output.warn(format_args!(
        "request not written: {:#}; tell the depot what is needed: {}",
        failure.error,
        needs.join(", ")
    ));
}

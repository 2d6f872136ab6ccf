//! What a verified stick says of how this laptop's statements go home: to whom they are encrypted, and up to which the
//! depot has them.

use receipt::{ChainError, Delivery};
use stick::statements::DeliverError;
use stick::{SignedDocument, VerifiedPublication};
use terminal::{Failure, Output};

use crate::context::state_failure;
use crate::state::{State, StateError};

/// Remembers what a publication says. Where that cannot be done it is said and no more, since no statement leaves the
/// laptop while its record cannot be read.
///
/// # Errors
///
/// The record can be read and not written, and names another recipient than the policy: statements would go there.
pub(crate) fn heed(
    state: &State,
    publication: &VerifiedPublication<'_>,
    output: Output,
) -> Result<(), Failure> {
    let Err(error) = record(state, publication, output) else { return Ok(()) };
    let failure = state_failure(error);
    if is_out_of_date(state, publication) {
        return Err(failure);
    }
    output.warn(format_args!("how statements go home cannot be recorded: {:#}", failure.error));
    if let Some(hint) = failure.hint {
        output.note(format_args!("hint: {hint}"));
    }
    Ok(())
}

/// A policy that a publication does not list changes nothing.
fn record(state: &State, publication: &VerifiedPublication<'_>, output: Output) -> Result<(), StateError> {
    let (chain, policy) = (state.chain()?, publication.policy().map(SignedDocument::document));
    let mut delivery = match chain.delivery() {
        // whatever it said of the recipient, the policy says it anew
        Err(_) if policy.is_some() => Delivery::default(),
        delivery => delivery?,
    };
    if let Some(policy) = policy {
        delivery.recipient.clone_from(&policy.depot_recipient);
        delivery.remind_after_days = Some(policy.remind_after_days);
    }
    if let Some(acknowledged) = state.laptop()?.and_then(|laptop| publication.acknowledged(&laptop)) {
        let stated = chain.next().counter - 1;
        for doubt in doubts(acknowledged, delivery.arrived, stated) {
            output.warn(doubt);
        }
        delivery.arrived = acknowledged.min(stated);
    }
    state.record_delivery(&delivery)
}

/// What does not fit in what the depot says that it has: this laptop knew of `arrived`, and has made `stated`.
fn doubts(acknowledged: u64, arrived: u64, stated: u64) -> Vec<String> {
    let mut doubts = Vec::new();
    if acknowledged < arrived {
        doubts.push(format!(
            "by this stick the depot has this laptop's statements up to number {acknowledged}, and by another up to {arrived}: this one was loaded before, or the depot was set back; they are laid on sticks again from there, and all of them by applier receipts --copy-to PATH --all"
        ));
    }
    if acknowledged > stated {
        doubts.push(format!(
            "by this stick the depot has this laptop's statements up to number {acknowledged}, and this laptop has made {stated}: its state was set back, or its key is used elsewhere; tell the depot, where what is stated from now on contradicts what it has: a new --state with applier trust add makes a new key, to be enrolled"
        ));
    }
    doubts
}

/// Whether statements would be encrypted to another recipient than the policy names, or to none.
fn is_out_of_date(state: &State, publication: &VerifiedPublication<'_>) -> bool {
    let known = state.chain().and_then(|chain| Ok(chain.delivery()?));
    let policy = publication.policy().map(SignedDocument::document);
    known.is_ok_and(|known| policy.is_some_and(|policy| policy.depot_recipient != known.recipient))
}

/// What to do where statements could not be laid on a stick.
pub(crate) fn undelivered_hint(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref() {
        Some(DeliverError::Chain(ChainError::Delivery(error))) => error.hint(),
        _ => {
            "nothing is lost: the statements are kept on this laptop; another stick: applier receipts --copy-to PATH"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_fit_is_doubted() {
        assert_eq!(doubts(3, 3, 5), [""; 0]);
        assert_eq!(doubts(5, 3, 5), [""; 0]);
        let (behind, ahead) = (doubts(2, 3, 5), doubts(6, 3, 5));
        assert!(behind.len() == 1 && behind[0].contains("up to number 2, and by another up to 3"));
        assert!(ahead.len() == 1 && ahead[0].contains("up to number 6, and this laptop has made 5"));
    }
}

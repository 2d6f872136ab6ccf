//! What a person hears of the stick at the end: whether statements are overdue at the depot, whether they are on it,
//! and whether it can be pulled out.

use drive::EjectArgs;
use keys::SigningKey;
use receipt::Chain;
use serde_json::json;
use terminal::Count;

use crate::context::Context;
use crate::open_stick::OpenStick;
use crate::overdue::Overdue;

/// Tells of the statements and parts with the stick. One whose errand is not `done` is not switched off: the same
/// command will want it again.
pub(super) fn farewell(
    stick: OpenStick,
    eject: EjectArgs,
    done: bool,
    chain: &Chain,
    key: &SigningKey,
    context: &Context,
) {
    let output = context.output;
    match Overdue::of(chain, &key.public(), context.clock.system) {
        Ok(None) => {}
        Ok(Some(overdue)) => {
            output.json(&json!({"event": "overdue", "overdue": overdue}));
            output.warn(format_args!("{overdue}: bring this stick home"));
        }
        Err(error) => output.warn(format_args!("whether statements are overdue cannot be read: {error:#}")),
    }
    if !stick.takes_statements() {
        return;
    }
    let (arrived, undelivered) = match chain.delivery() {
        Ok(delivery) => (delivery.arrived, stick.outstanding(chain, key, delivery.arrived)),
        Err(error) => (0, Err(error.into())),
    };
    let undelivered = undelivered.map(|outstanding| outstanding.missing.len());
    let statements = match &undelivered {
        Ok(0) if arrived > 0 => "all statements of this laptop are on it or at the depot".to_owned(),
        Ok(0) => "all statements of this laptop are on it".to_owned(),
        Ok(missing) => format!(
            "{} of this laptop NOT on it: applier receipts --copy-to PATH",
            Count(*missing, "statement")
        ),
        Err(error) => format!("whether the statements are on it cannot be read: {error:#}"),
    };
    let name = stick.to_string();
    match stick.into_medium() {
        Some(medium) => {
            output.json(&json!({"event": "statements", "undelivered": undelivered.ok()}));
            eject.part(medium, done, &format!("; {statements}"), output);
        }
        None => output.data(format_args!("stick {name}: {statements}; unmount it before you pull it out")),
    }
}

//! What a person hears of the stick at the end: whether the statements are on it, and whether it can be pulled out.

use drive::EjectArgs;
use keys::SigningKey;
use receipt::Chain;
use serde_json::json;
use terminal::Count;

use crate::context::Context;
use crate::open_stick::OpenStick;

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
    if !stick.takes_statements() {
        return;
    }
    let output = context.output;
    let undelivered = stick.outstanding(chain, key).map(|outstanding| outstanding.missing.len());
    let statements = match &undelivered {
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

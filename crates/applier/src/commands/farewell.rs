//! What a person hears of the stick at the end: whether statements are overdue at the depot, whether they are on it,
//! and whether it can be pulled out.

use drive::EjectArgs;
use keys::SigningKey;
use receipt::Chain;
use serde_json::json;
use stick::statements::Outstanding;
use terminal::Count;

use crate::context::Context;
use crate::open_stick::{OpenStick, Which};
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
    let on_it = stick.takes_statements().then(|| stick.outstanding(chain, key, Which::NotArrived));
    let brings_all = matches!(&on_it, Some(Ok(outstanding)) if outstanding.missing.is_empty());
    remind(chain, key, brings_all, context);
    let Some(on_it) = on_it else { return };
    let statements = match &on_it {
        Ok(outstanding) => on_it_words(outstanding, chain.delivery().is_ok_and(|known| known.arrived > 0)),
        Err(error) => format!("whether the statements are on it cannot be read: {error:#}"),
    };
    let name = stick.to_string();
    match stick.into_medium() {
        Some(medium) => {
            let on_it = on_it.as_ref();
            output.json(&json!({
                "event": "statements",
                "undelivered": on_it.map(|on_it| on_it.missing.len()).ok(),
                "in_the_clear": on_it.map(|on_it| on_it.in_the_clear.len()).ok(),
            }));
            eject.part(medium, done, &format!("; {statements}"), output);
        }
        None => output.data(format_args!("stick {name}: {statements}; unmount it before you pull it out")),
    }
}

/// Reminds of what is overdue, and says how it comes home: on this stick, if it `brings_all`.
fn remind(chain: &Chain, key: &SigningKey, brings_all: bool, context: &Context) {
    let output = context.output;
    match Overdue::of(chain, &key.public(), context.clock.system) {
        Ok(None) => {}
        Ok(Some(overdue)) => {
            output.json(&json!({"event": "overdue", "overdue": overdue}));
            let how = if brings_all {
                "bring this stick home"
            } else {
                "applier receipts --copy-to PATH, and bring that stick home"
            };
            output.warn(format_args!("{overdue}: {how}"));
        }
        Err(error) => output.warn(format_args!("whether statements are overdue cannot be read: {error:#}")),
    }
}

fn on_it_words(outstanding: &Outstanding, some_arrived: bool) -> String {
    match (amiss(outstanding, "it"), some_arrived) {
        (Some(words), _) => words,
        (None, true) => "all statements of this laptop are on it or at the depot".to_owned(),
        (None, false) => "all statements of this laptop are on it".to_owned(),
    }
}

/// What a stick lacks of this laptop's statements or holds in the clear, and what to do.
pub(super) fn amiss(outstanding: &Outstanding, stick: &str) -> Option<String> {
    let Outstanding { missing, in_the_clear } = outstanding;
    let absent = missing.iter().filter(|counter| !in_the_clear.contains(counter)).count();
    let absent =
        (absent > 0).then(|| format!("{} of this laptop NOT on {stick}", Count(absent, "statement")));
    let readable = (!in_the_clear.is_empty()).then(|| {
        let count = Count(in_the_clear.len(), "statement");
        format!("{count} of this laptop on {stick} IN THE CLEAR, for whoever finds it to read")
    });
    let words: Vec<String> = absent.into_iter().chain(readable).collect();
    (!words.is_empty()).then(|| format!("{}: applier receipts --copy-to PATH", words.join(", ")))
}

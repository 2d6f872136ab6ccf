//! What signing a policy changes, field by field.

use firmware::policy::Policy;
use terminal::{Failure, Output};

use crate::context::identity_failure;
use crate::home::Home;
use crate::recipient::Standing;

/// Each field in words; where it changes, what it was before.
fn changes(policy: &Policy, signed: &Policy) -> Vec<String> {
    let fields = policy.in_words().into_iter().zip(signed.in_words());
    let line = |((name, now), (_, then))| {
        let change = if now == then { String::new() } else { format!("  (signed now: {then})") };
        format!("{name:<20} {now}{change}")
    };
    fields.map(line).collect()
}

/// Shows it.
pub(super) fn show(policy: &Policy, signed: Option<&Policy>, output: Output) {
    let now = if signed.is_none() { ": none is signed now, so the defaults hold" } else { "" };
    output.data(format_args!("policy{now}"));
    for line in changes(policy, signed.unwrap_or(&Policy::default())) {
        output.data(format_args!("  {line}"));
    }
}

/// Warns where this home could not read what laptops encrypt under this policy: no laptop would notice.
pub(super) fn check_recipient(policy: &Policy, home: &Home, output: Output) -> Result<(), Failure> {
    let Some(recipient) = &policy.depot_recipient else { return Ok(()) };
    let identity = home.identity().map_err(identity_failure)?;
    match Standing::of(recipient, identity.as_ref()) {
        Standing::Own => {}
        Standing::Earlier => output.note(format_args!(
            "policy: depot_recipient {recipient} is an earlier recipient of this home: statements open here; fetcher keys recipient shows the one that it has now"
        )),
        Standing::Foreign => output.warn(format_args!(
            "policy: depot_recipient {recipient} is not that of this home: statements will not open here; fetcher keys recipient shows it"
        )),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use firmware::policy::OverrideFlag;

    use super::*;

    #[test]
    fn a_field_that_changes_says_what_it_was() {
        let forbidden_overrides = [OverrideFlag::AllowDowngrade].into();
        let policy = Policy { forbidden_overrides, ..Policy::default() };
        let [forbidden, backup, ..] = &changes(&policy, &Policy::default())[..] else { panic!() };
        assert_eq!(forbidden, "forbidden overrides  --allow-downgrade  (signed now: none)");
        assert_eq!(backup, "backup required      no");
    }
}

//! Accounts, and who uses them.

use firmware::Family;
use isapi::{SecurityCapabilities, User};

use super::{listed, on};
use crate::audit::observed::{Observed, Reading};
use crate::audit::verdict::Verdict;

/// AC-01
pub(super) fn lock(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    if observed.readings.login_lock == Reading::NotOffered {
        return Ok(Verdict::not_offered("no such setting; it may lock accounts all the same"));
    }
    let lock = observed.readings.login_lock.get()?;
    let after = lock.attempts.map(|tries| format!(", after {tries} wrong passwords")).unwrap_or_default();
    let unit = if observed.device.family() == Some(Family::Ipc) { "min" } else { "s" };
    let time = lock.lock_time.map(|time| format!(", for {time} {unit}")).unwrap_or_default();
    Ok(Verdict::passes_if(lock.enabled, format!("{}{after}{time}", on(lock.enabled))))
}

/// AC-02
pub(super) fn anonymous(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let capabilities = observed.readings.security.get()?;
    Ok(match capabilities.anonymous {
        Some(false) => Verdict::not_offered("it says that it knows no anonymous access"),
        Some(true) => Verdict::manual("whether it is switched off is in no document that is known")
            .having_read("it knows anonymous access"),
        None => Verdict::manual("it does not say whether it knows anonymous access"),
    })
}

/// AC-03
pub(super) fn administrators(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let users = observed.readings.users.get()?;
    if users.is_empty() {
        return Ok(Verdict::unknown("the list of accounts is empty, and somebody has logged in"));
    }
    let administrators = users.iter().filter(|user| user.is_administrator()).count();
    let unsaid = users.iter().any(|user| user.level.is_none());
    let one = |user: &User| match &user.level {
        Some(level) => format!("{} ({level})", user.name),
        None => format!("{} (no level said)", user.name),
    };
    let read = listed(users.iter().map(one));
    if administrators > 1 || (!unsaid && (administrators == 0 || users.len() == 1)) {
        return Ok(Verdict::fail(read));
    }
    if unsaid {
        return Ok(Verdict::unknown("an account does not say its level").having_read(read));
    }
    Ok(Verdict::pass(read))
}

/// AC-04: the words tell which part is broken, and nothing else of the password.
pub(super) fn password(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let shortest = observed.readings.security.found().and_then(shortest);
    let account = observed.readings.account.found();
    let mut wrong: Vec<String> =
        observed.password.breaks().into_iter().map(|part| format!("password: {part}")).collect();
    if account.is_some_and(|account| account.default_password == Some(true)) {
        wrong.push("the recorder calls it a default password".into());
    }
    if account.is_some_and(|account| account.risk_password == Some(true)) {
        wrong.push("the recorder calls it weak".into());
    }
    if let Some(shortest) = shortest.filter(|shortest| *shortest < RULE) {
        wrong.push(format!("the recorder takes passwords of {shortest} characters"));
    }
    if !wrong.is_empty() {
        return Ok(Verdict::fail(wrong.join("; ")));
    }
    let limit = match shortest {
        Some(shortest) => format!("the recorder takes none below {shortest} characters"),
        None => "the recorder does not say which it takes".into(),
    };
    let called = if account.is_some() { "" } else { ", and not what it thinks of this one" };
    Ok(Verdict::pass(format!("the password that was typed keeps the rule; {limit}{called}")))
}

/// Characters at least, by the vendor's rule.
const RULE: u32 = 8;

fn shortest(capabilities: &SecurityCapabilities) -> Option<u32> {
    capabilities.password.and_then(|limits| limits.min)
}

/// AC-05
pub(super) fn logged_in(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let users = observed.readings.online_users.get()?;
    if users.is_empty() {
        return Ok(Verdict::pass("nobody"));
    }
    Ok(Verdict::fail(listed(users)))
}

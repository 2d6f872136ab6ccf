//! Clock, log, copies, updates.

use isapi::NamedHost;

use super::is_inside;
use crate::audit::drift::drift;
use crate::audit::observed::{ClockReading, Observed};
use crate::audit::verdict::Verdict;

/// General practice: logs of several machines can still be laid side by side.
const MOST_SECONDS: u64 = 60;

/// TM-01
pub(super) fn clock(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let clock = observed.readings.clock.get()?;
    let off = drift(clock);
    let zone = if off.zone_known { "" } else { " in some time zone: its own was not read" };
    let set = clock.settings.mode.as_ref().map(|mode| format!(", set by {mode}")).unwrap_or_default();
    let read = format!("{} s off{zone}{set}", off.seconds);
    if !observed.clock_trusted {
        return Ok(Verdict::unknown("this laptop's own clock is wrong").having_read(read));
    }
    if off.seconds >= MOST_SECONDS {
        return Ok(Verdict::fail(read));
    }
    if !asks_for_time(clock) {
        return Ok(Verdict::pass(read));
    }
    let servers = match observed.readings.time_servers.get() {
        Ok(servers) => &servers.0,
        Err(unread) => {
            let why = unread.reason.unwrap_or_default();
            return Ok(Verdict::manual(format!("its time servers: {why}")).having_read(read));
        }
    };
    hosts(servers, "no time server", "is the time server inside the site?", Some(read))
}

fn asks_for_time(clock: &ClockReading) -> bool {
    clock.settings.mode.as_ref().is_some_and(|mode| mode.as_str().eq_ignore_ascii_case("NTP"))
}

/// LG-01
pub(super) fn log(_: &Observed<'_>) -> Result<Verdict, Verdict> {
    Ok(Verdict::manual("where it is read is not known"))
}

/// LG-02
pub(super) fn notified(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let told = &observed.readings.notified.get()?.0;
    hosts(told, "nobody", "is that machine written down?", None)
}

/// None is good, a public address is not, and of all others a person has to know.
fn hosts(hosts: &[NamedHost], none: &str, ask: &str, before: Option<String>) -> Result<Verdict, Verdict> {
    let named = super::listed(hosts.iter().map(|host| match host {
        NamedHost::Address(address) => address.to_string(),
        NamedHost::Name(name) => name.to_string(),
    }));
    let said = if hosts.is_empty() { none.to_owned() } else { named };
    let read = before.map_or_else(|| said.clone(), |before| format!("{before}; {said}"));
    if hosts.is_empty() {
        return Ok(Verdict::pass(read));
    }
    let outside = |host: &NamedHost| matches!(host, NamedHost::Address(address) if !is_inside(*address));
    if hosts.iter().any(outside) {
        return Ok(Verdict::fail(read));
    }
    Ok(Verdict::manual(ask).having_read(read))
}

/// CF-01
pub(super) fn backup(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let Some(kept) = &observed.backup else {
        return Ok(Verdict::manual("this laptop keeps none; is one kept elsewhere?"));
    };
    let read = format!("one of {}, exported by {}", kept.taken.strftime("%F"), kept.revision);
    if kept.revision == observed.device.revision {
        return Ok(Verdict::pass(read));
    }
    Ok(Verdict::manual("it is from before the last update; is a newer one kept elsewhere?").having_read(read))
}

/// UP-01
pub(super) fn updates_itself(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let known = observed.readings.system.found().and_then(|system| system.online_upgrade_task);
    Ok(match known {
        Some(false) => Verdict::not_offered("it says that it has no online upgrade"),
        Some(true) => {
            Verdict::manual("where the switch is read is not known").having_read("it has online upgrade")
        }
        None => Verdict::manual("it does not say whether it has online upgrade"),
    })
}

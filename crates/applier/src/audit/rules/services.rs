//! What it offers to others, and what it does by itself.

use super::{channel, listed, on};
use crate::audit::observed::{Observed, Reading};
use crate::audit::verdict::Verdict;

/// SV-01
pub(super) fn upnp(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let upnp = observed.readings.upnp.get()?;
    let mode = upnp.map_mode.as_ref().map(|mode| format!(", mapping {mode}")).unwrap_or_default();
    Ok(Verdict::passes_if(!upnp.enabled, format!("{}{mode}", on(upnp.enabled))))
}

/// SV-02
pub(super) fn ddns(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let services = observed.readings.ddns.get()?;
    if services.is_empty() {
        return Ok(Verdict::pass("no service is set up"));
    }
    let read = listed(services.iter().map(|service| {
        let name = service.provider.as_ref().map_or("a service", |provider| provider.as_str());
        format!("{name} {}", service.enabled.map_or("says neither on nor off", on))
    }));
    if services.iter().any(|service| service.enabled == Some(true)) {
        return Ok(Verdict::fail(read));
    }
    if services.iter().any(|service| service.enabled.is_none()) {
        return Ok(Verdict::unknown("a service says neither on nor off").having_read(read));
    }
    Ok(Verdict::pass(read))
}

/// SV-03: the one check where "not offered" is as it should be.
pub(super) fn shells(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    fn state<T>(reading: &Reading<T>, enabled: fn(&T) -> bool) -> Result<Option<bool>, Verdict> {
        match reading {
            Reading::NotOffered => Ok(None),
            reading => reading.get().map(|shell| Some(enabled(shell))),
        }
    }
    let said = |state: &Result<Option<bool>, Verdict>| match state {
        Ok(Some(enabled)) => on(*enabled),
        Ok(None) => "not offered",
        Err(_) => "not read",
    };
    let ssh = state(&observed.readings.ssh, |ssh| ssh.enabled);
    let telnet = state(&observed.readings.telnet, |telnet| telnet.enabled);
    let read = format!("SSH {}, Telnet {}", said(&ssh), said(&telnet));
    if matches!(ssh, Ok(Some(true))) || matches!(telnet, Ok(Some(true))) {
        return Ok(Verdict::fail(read));
    }
    ssh.and(telnet).map(|_| Verdict::pass(read.clone())).map_err(|unread| unread.having_read(read))
}

/// SV-04
pub(super) fn snmp(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    if observed.readings.network.found().is_some_and(|network| network.snmp == Some(false)) {
        return Ok(Verdict::not_offered("it says that it has no SNMP"));
    }
    let snmp = observed.readings.snmp.get()?;
    let mut read = Vec::new();
    for (version, enabled) in [("version 1", snmp.v1), ("version 2c", snmp.v2c)] {
        read.extend(enabled.map(|enabled| format!("{version} {}", on(enabled))));
    }
    read.extend(snmp.notifies.map(|notifies| format!("traps {}", on(notifies))));
    let default = snmp.receivers.iter().any(|receiver| receiver.default_community);
    if default {
        read.push("a community that everybody tries".into());
    }
    let read = if read.is_empty() { "nothing".into() } else { read.join(", ") };
    // traps of version 1 are sent where version 1 is on
    if snmp.v1 == Some(true) || snmp.v2c == Some(true) || snmp.notifies == Some(true) {
        return Ok(Verdict::fail(read));
    }
    match (snmp.v1, snmp.v2c) {
        (Some(false), Some(false)) => Ok(Verdict::pass(read)),
        _ => Ok(Verdict::unknown("it does not say of both versions whether they are on").having_read(read)),
    }
}

/// SV-05
pub(super) fn onvif(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let integration = observed.readings.integration.get()?;
    let login = integration.onvif_login.as_ref().map(|login| format!(", login {login}")).unwrap_or_default();
    match integration.onvif {
        Some(enabled) => Ok(Verdict::passes_if(!enabled, format!("{}{login}", on(enabled)))),
        None => Ok(Verdict::unknown("it says neither on nor off")),
    }
}

/// SV-06
pub(super) fn cloud(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let cloud = observed.readings.cloud.get()?;
    let registered = match cloud.registered {
        Some(true) => ", registered",
        Some(false) => ", not registered",
        None => "",
    };
    let bound = cloud.bind_status.as_ref().map(|bound| format!(", binding: {bound}")).unwrap_or_default();
    Ok(Verdict::passes_if(!cloud.enabled, format!("{}{registered}{bound}", on(cloud.enabled))))
}

/// SV-07
pub(super) fn platform(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let platform = observed.readings.platform.get()?;
    let registered = if platform.registered == Some(true) { ", registered" } else { "" };
    Ok(Verdict::passes_if(!platform.enabled, format!("{}{registered}", on(platform.enabled))))
}

/// SV-08
pub(super) fn uploads(_: &Observed<'_>) -> Result<Verdict, Verdict> {
    Ok(Verdict::manual("how recorders tell it is not on record, so it is not read"))
}

/// SV-09
pub(super) fn other_links(_: &Observed<'_>) -> Result<Verdict, Verdict> {
    Ok(Verdict::manual("how recorders tell it is not on record, so it is not read"))
}

/// SV-10
pub(super) fn sdk(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let plain = channel::access(observed, "DEV_MANAGE")?;
    let tls = channel::access(observed, "SDK_OVER_TLS").ok().and_then(|tls| tls.enabled);
    let beside = tls.map(|enabled| format!(", over TLS {}", on(enabled))).unwrap_or_default();
    match plain.enabled {
        Some(enabled) => Ok(Verdict::passes_if(!enabled, format!("{}{beside}", on(enabled)))),
        None => Ok(Verdict::unknown("it does not say whether DEV_MANAGE is on")
            .having_read(format!("DEV_MANAGE at port {}{beside}", plain.port.unwrap_or_default()))),
    }
}

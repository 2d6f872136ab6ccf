//! Who gets to it, and where it gets to.

use std::net::IpAddr;

use super::{is_inside, listed};
use crate::audit::observed::Observed;
use crate::audit::verdict::Verdict;

/// NW-01. That this laptop is let in needs no list: it was answered.
pub(super) fn ip_filter(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let filter = observed.readings.ip_filter.get()?;
    let count = filter.addresses.len();
    let Some(kind) = &filter.permission else {
        return Ok(if filter.enabled {
            Verdict::unknown("it does not say which kind of list it is").having_read("on")
        } else {
            Verdict::fail("off")
        });
    };
    let entries = if count == 1 { "entry" } else { "entries" };
    let allows = kind.as_str().eq_ignore_ascii_case("allow");
    let state = super::on(filter.enabled);
    Ok(Verdict::passes_if(
        filter.enabled && allows && count > 0,
        format!("{state}, {kind}, {count} {entries}"),
    ))
}

/// NW-02
pub(super) fn mac_filter(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let known = observed.readings.network.found().and_then(|network| network.mac_filter);
    Ok(match known {
        Some(false) => Verdict::not_offered("it says that it has none"),
        Some(true) => Verdict::manual("where it is read is not known").having_read("it has one"),
        None => Verdict::manual("it does not say whether it has one, and where one is read is not known"),
    })
}

/// NW-03
pub(super) fn ways_out(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let interfaces = observed.readings.interfaces.get()?;
    if interfaces.is_empty() {
        return Ok(Verdict::unknown("the list of interfaces is empty, and it was reached over one"));
    }
    let gateways: Vec<IpAddr> = interfaces.iter().flat_map(|i| i.gateways.iter().copied()).collect();
    let dns: Vec<IpAddr> = interfaces.iter().flat_map(|i| i.dns.iter().copied()).collect();
    let named = |what: &str, of: &[IpAddr]| match of {
        [] => format!("no {what}"),
        of => format!("{what} {}", listed(of)),
    };
    let read = format!("{}, {}", named("gateway", &gateways), named("name server", &dns));
    Ok(Verdict::passes_if(gateways.is_empty() && dns.iter().all(|dns| is_inside(*dns)), read))
}

/// NW-04
pub(super) fn switch(_: &Observed<'_>) -> Result<Verdict, Verdict> {
    Ok(Verdict::manual("where it is read is not known; look at the switch as well"))
}

//! What follows from what was read: one function for each check. Each takes every fact and touches nothing.
#![allow(clippy::unnecessary_wraps, reason = "rules have one form")]

mod accounts;
mod channel;
mod installed;
mod network;
mod services;
mod upkeep;

use std::net::IpAddr;

use super::catalogue::CheckId;
use super::observed::Observed;
use super::verdict::Verdict;

/// The verdict of a check.
pub(super) fn judge(id: CheckId, observed: &Observed<'_>) -> Verdict {
    let rule: fn(&Observed<'_>) -> Result<Verdict, Verdict> = match id {
        CheckId::Fw01 => installed::newest,
        CheckId::Fw02 => installed::weaknesses,
        CheckId::Ac01 => accounts::lock,
        CheckId::Ac02 => accounts::anonymous,
        CheckId::Ac03 => accounts::administrators,
        CheckId::Ac04 => accounts::password,
        CheckId::Ac05 => accounts::logged_in,
        CheckId::Tl01 => channel::https,
        CheckId::Tl02 => channel::http,
        CheckId::Tl03 => channel::certificate,
        CheckId::Tl04 => channel::old_versions,
        CheckId::Au01 => channel::web_login,
        CheckId::Au02 => channel::rtsp_login,
        CheckId::Sv01 => services::upnp,
        CheckId::Sv02 => services::ddns,
        CheckId::Sv03 => services::shells,
        CheckId::Sv04 => services::snmp,
        CheckId::Sv05 => services::onvif,
        CheckId::Sv06 => services::cloud,
        CheckId::Sv07 => services::platform,
        CheckId::Sv08 => services::uploads,
        CheckId::Sv09 => services::other_links,
        CheckId::Sv10 => services::sdk,
        CheckId::Nw01 => network::ip_filter,
        CheckId::Nw02 => network::mac_filter,
        CheckId::Nw03 => network::ways_out,
        CheckId::Nw04 => network::switch,
        CheckId::Tm01 => upkeep::clock,
        CheckId::Lg01 => upkeep::log,
        CheckId::Lg02 => upkeep::notified,
        CheckId::Cf01 => upkeep::backup,
        CheckId::Up01 => upkeep::updates_itself,
    };
    // `?` on what was not read ends a rule with what follows from that
    rule(observed).unwrap_or_else(|verdict| verdict)
}

/// In words.
fn on(flag: bool) -> &'static str {
    if flag { "on" } else { "off" }
}

/// Whether an address is of a kind that sites use inside (RFC 1918, 4193, 3927, 4291).
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

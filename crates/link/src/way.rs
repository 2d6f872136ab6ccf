use std::cmp::Reverse;
use std::net::IpAddr;

use serde::Serialize;

use crate::snapshot::{Route, Snapshot};
use crate::target::Target;

/// The interface that leads to a target without a gateway: the one to bind a socket to
/// (`SO_BINDTODEVICE`), so that no routing rule can send it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The interface's name.
    pub interface: String,
    /// Its number: the scope of an IPv6 link-local address.
    #[serde(skip)]
    pub index: u32,
    /// Whether anybody is at the other end.
    pub carrier: bool,
}

/// The way to a target, `None` where it is not on a link of this laptop.
///
/// Several interfaces may have the target's subnet, in several tables. The longest prefix wins, then the
/// interface with a carrier, then the lowest metric; what else could carry the traffic is
/// a reason in [`crate::judge()`], and a bound socket does not use it.
pub fn way(snapshot: &Snapshot, target: &Target) -> Option<Way> {
    let named = target.interface().map(|name| snapshot.named(name).map(|interface| interface.index));
    if is_ipv6_link_local(target.ip()) {
        return on(snapshot, named??);
    }
    let routes = snapshot.routes.iter().filter(|route| route.destination.contains(&target.ip()));
    let direct = routes.flat_map(|route| on_link(route).map(move |index| (route, index)));
    let wanted = direct.filter(|(_, index)| named.is_none_or(|named| named == Some(*index)));
    let (_, index) = wanted.min_by_key(|(route, index)| {
        let carrier = snapshot.numbered(*index).is_some_and(|interface| interface.carrier);
        (Reverse(route.destination.prefix_len()), Reverse(carrier), route.metric)
    })?;
    on(snapshot, index)
}

/// The interfaces over which a route reaches its destination itself.
fn on_link(route: &Route) -> impl Iterator<Item = u32> {
    route.hops.iter().filter(|hop| hop.gateway.is_none()).filter_map(|hop| hop.interface)
}

fn on(snapshot: &Snapshot, index: u32) -> Option<Way> {
    let interface = snapshot.numbered(index)?;
    Some(Way { interface: interface.name.clone(), index, carrier: interface.carrier })
}

fn is_ipv6_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::tests::{cabled, interface, route};

    fn to(snapshot: &Snapshot, ip: &str, interface: Option<&str>) -> Option<String> {
        way(snapshot, &Target::new(ip.parse().unwrap(), interface)).map(|way| way.interface)
    }

    #[test]
    fn the_longest_prefix_leads_and_a_gateway_never_does() {
        let mut snapshot = cabled();
        assert_eq!(to(&snapshot, "192.168.1.64", None).as_deref(), Some("eth0"));
        assert_eq!(to(&snapshot, "192.168.2.64", None), None);
        snapshot.interfaces.push(interface(3, "eth1", &["192.168.1.9/25"]));
        snapshot.routes.push(route("192.168.1.0/25", 3, None));
        assert_eq!(to(&snapshot, "192.168.1.64", None).as_deref(), Some("eth1"));
        assert_eq!(to(&snapshot, "192.168.1.200", None).as_deref(), Some("eth0"));
        assert_eq!(to(&snapshot, "192.168.1.64", Some("eth0")).as_deref(), Some("eth0"));
        assert_eq!(to(&snapshot, "192.168.1.64", Some("eth9")), None);
        snapshot.routes = vec![route("0.0.0.0/0", 3, Some("192.168.1.1"))];
        assert_eq!(to(&snapshot, "192.168.1.64", None), None);
    }

    #[test]
    fn of_two_that_have_the_subnet_the_plugged_one_leads() {
        let mut snapshot = cabled();
        snapshot.interfaces[1].carrier = false;
        assert_eq!(
            to(&snapshot, "192.168.1.64", None).as_deref(),
            Some("eth0"),
            "unplugged, but the only one"
        );
        snapshot.interfaces.push(interface(3, "eth1", &["192.168.1.9/24"]));
        snapshot.routes.push(route("192.168.1.0/24", 3, None));
        assert_eq!(to(&snapshot, "192.168.1.64", None).as_deref(), Some("eth1"));
    }

    #[test]
    fn a_link_local_address_goes_where_its_scope_says() {
        let snapshot = cabled();
        assert_eq!(to(&snapshot, "fe80::1", Some("eth0")).as_deref(), Some("eth0"));
        assert_eq!(to(&snapshot, "fe80::1", Some("eth9")), None);
        assert_eq!(to(&snapshot, "fe80::1", None), None);
    }
}

//! Whether this laptop is alone with a recorder. Pure: a snapshot goes in, every reason comes out.
//!
//! What is held here (threats to the air gap, each a [`Reason`]):
//!
//! 1. The "recorder" is somewhere else: its address is routable, or reached through a gateway or a tunnel.
//! 2. The laptop reaches another network: a route to anything but private networks on a link, in any table
//!    (a rule may prefer any of them), or another plugged interface with an address that is more than
//!    link-local. Docker, WireGuard, bridges and VLANs fall under the same rule as a second cable.
//! 3. The laptop joins networks: forwarding, or a bridge with two plugged ports.
//! 4. A radio that is on can join a network in the middle of a push.
//!
//! Loopback is not isolated, it is no link at all: [`Link::Loopback`].

mod reason;
#[cfg(test)]
pub(crate) mod tests;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

pub use self::reason::Reason;
use crate::snapshot::{Host, Interface, Kind, Snapshot};
use crate::target::Target;
use crate::way::{Way, way};

/// Hosts that are listed; a statement stays small on a crowded link.
pub const MOST_HEARD: usize = 64;

/// What was found out about the link to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Isolation {
    /// The address.
    pub target: Target,
    /// How it is reached.
    pub link: Link,
    /// Why this laptop is not alone with it, every reason; empty on loopback.
    pub reasons: Vec<Reason>,
    /// Who else was heard on that link, at most 64: for the record, not a refusal.
    pub heard: Vec<Host>,
}

/// How an address is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Link {
    /// This machine itself. Needs no override, and is never called isolated.
    Loopback,
    /// An interface of this laptop, directly.
    Direct(Way),
    /// No interface leads there directly.
    None,
}

impl Isolation {
    /// Whether the laptop is alone with the recorder on a link. Loopback is not.
    pub fn is_isolated(&self) -> bool {
        matches!(self.link, Link::Direct(_)) && self.reasons.is_empty()
    }

    /// Whether a push may go on without an override: isolated, or loopback.
    pub fn is_permitted(&self) -> bool {
        self.link == Link::Loopback || self.is_isolated()
    }

    /// The word for a record: `isolated`, `loopback` or `networked`.
    pub fn word(&self) -> &'static str {
        match self.link {
            Link::Loopback => "loopback",
            _ if self.is_isolated() => "isolated",
            _ => "networked",
        }
    }
}

/// Every reason why this laptop is not alone with the target.
pub fn judge(snapshot: &Snapshot, target: &Target) -> Isolation {
    if target.ip().is_loopback() {
        return Isolation {
            target: target.clone(),
            link: Link::Loopback,
            reasons: Vec::new(),
            heard: Vec::new(),
        };
    }
    let way = way(snapshot, target);
    let mut reasons = about_target(snapshot, target, way.as_ref());
    reasons.extend(about_routes(snapshot));
    let cable = way.as_ref().map(|way| way.index).or_else(|| only_connected(snapshot));
    for interface in &snapshot.interfaces {
        reasons.extend(about_interface(snapshot, interface, cable == Some(interface.index)));
    }
    reasons.extend(snapshot.forwarding.iter().cloned().map(Reason::Forwarding));
    let here = |host: &&Host| way.as_ref().is_some_and(|way| way.index == host.interface);
    let others = snapshot.hosts.iter().filter(here).filter(|host| host.ip != target.ip());
    let heard = others.take(MOST_HEARD).cloned().collect();
    let link = way.map_or(Link::None, Link::Direct);
    Isolation { target: target.clone(), link, reasons, heard }
}

fn about_target(snapshot: &Snapshot, target: &Target, way: Option<&Way>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !is_private(IpNet::from(target.ip())) {
        reasons.push(Reason::AddressNotPrivate);
    }
    if let Some(own) = snapshot.interfaces.iter().find(|interface| interface.owns(target.ip())) {
        reasons.push(Reason::OwnAddress { interface: own.name.clone() });
    }
    match way.and_then(|way| snapshot.numbered(way.index)) {
        None => reasons.push(Reason::NotOnLink),
        Some(Interface { name, kind: Kind::Tunnel, .. }) => {
            reasons.push(Reason::Tunnel { interface: name.clone() });
        }
        Some(_) => {}
    }
    reasons
}

/// Routes through another machine, and routes to what is not private: both lead out of the link.
fn about_routes(snapshot: &Snapshot) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for route in &snapshot.routes {
        for hop in &route.hops {
            // a hop without an interface is a kernel object this program does not know: not trusted
            if hop.gateway.is_none() && hop.interface.is_some() && is_private(route.destination) {
                continue;
            }
            let named = hop.interface.and_then(|index| snapshot.numbered(index));
            reasons.push(Reason::Route {
                destination: route.destination,
                gateway: hop.gateway,
                interface: named.map(|interface| interface.name.clone()),
                table: route.table,
            });
        }
    }
    reasons
}

/// What is taken for the cable where no interface leads to the target: telling somebody to unplug it would
/// be no help.
fn only_connected(snapshot: &Snapshot) -> Option<u32> {
    let mut connected = snapshot.interfaces.iter().filter(|at| at.carrier && at.kind != Kind::Loopback);
    connected.next().filter(|_| connected.next().is_none()).map(|interface| interface.index)
}

fn about_interface(snapshot: &Snapshot, interface: &Interface, cable: bool) -> Vec<Reason> {
    let name = || interface.name.clone();
    let mut reasons = Vec::new();
    if interface.kind == Kind::Wireless && interface.up {
        reasons.push(Reason::WirelessUp { interface: name() });
    }
    if interface.kind == Kind::Bridge && interface.up {
        let ports = snapshot.interfaces.iter().filter(|port| port.master == Some(interface.index));
        let plugged: Vec<String> = ports.filter(|port| port.carrier).map(|port| port.name.clone()).collect();
        if plugged.len() > 1 {
            reasons.push(Reason::Bridged { bridge: name(), ports: plugged });
        }
    }
    if !cable && interface.carrier && interface.kind != Kind::Loopback {
        let routable = interface.addresses.iter().filter(|address| is_routable(address.addr()));
        reasons.extend(routable.map(|address| Reason::OtherCarrier {
            interface: name(),
            kind: interface.kind,
            address: *address,
        }));
    }
    reasons
}

/// More than link-local: private networks may be large, and may have a way out.
fn is_routable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_loopback() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local() && !ip.is_loopback() && !ip.is_unspecified(),
    }
}

/// Networks that are private (RFC 1918, RFC 4193), link-local, this machine's own or multicast.
///
/// 192.0.0.0/24 is with them: it is not routed in the Internet (RFC 6890), and recorders in recovery sit at
/// 192.0.0.64 (reference: ISAPI §16). 100.64.0.0/10 is not: providers use it.
const PRIVATE: [([u8; 4], u8); 8] = [
    ([10, 0, 0, 0], 8),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
    ([169, 254, 0, 0], 16),
    ([127, 0, 0, 0], 8),
    ([192, 0, 0, 0], 24),
    ([224, 0, 0, 0], 4),
    ([255, 255, 255, 255], 32),
];

/// First 16 bits and length: unique local, link-local, multicast.
const PRIVATE_IPV6: [(u16, u8); 3] = [(0xfc00, 7), (0xfe80, 10), (0xff00, 8)];

/// Whether all of a network is private.
fn is_private(net: IpNet) -> bool {
    let within = |outer: IpNet| outer.contains(&net);
    match net {
        IpNet::V4(_) => {
            PRIVATE.iter().any(|(octets, length)| IpNet::new((*octets).into(), *length).is_ok_and(within))
        }
        IpNet::V6(v6) => {
            let prefix = |(first, length): &(u16, u8)| {
                IpNet::new([*first, 0, 0, 0, 0, 0, 0, 0].into(), *length).is_ok_and(within)
            };
            (v6.addr().is_loopback() && v6.prefix_len() == 128) || PRIVATE_IPV6.iter().any(prefix)
        }
    }
}

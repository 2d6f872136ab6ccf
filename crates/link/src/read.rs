//! The kernel's answers → [`Snapshot`]. The one place where the network of this laptop is looked at.

use std::fs::{read_dir, read_to_string};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::IpNet;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType, RouteVia};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage as Message};

use crate::error::Error;
use crate::mac::Mac;
use crate::netlink::Netlink;
use crate::snapshot::{Family, Forwarding, Hop, Host, Interface, Kind, Route, Snapshot};

impl Snapshot {
    /// Asks the kernel, in the network namespace of the caller.
    pub fn read() -> Result<Self, Error> {
        let netlink = Netlink::open()?;
        let mut interfaces = Vec::new();
        for message in netlink.dump("interfaces", &Message::GetLink(LinkMessage::default()))? {
            if let Message::NewLink(link) = message {
                interfaces.push(interface(&link)?);
            }
        }
        for address in addresses(&netlink)? {
            if let Some(at) = interfaces.iter_mut().find(|at| at.index == address.interface) {
                at.addresses.push(address.net);
            }
        }
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut request = RouteMessage::default();
            request.header.address_family = family;
            for message in netlink.dump("routes", &Message::GetRoute(request))? {
                if let Message::NewRoute(message) = message {
                    routes.extend(route(&message)?);
                }
            }
        }
        let neighbours = netlink.dump("neighbours", &Message::GetNeighbour(NeighbourMessage::default()))?;
        let hosts = neighbours.iter().filter_map(|message| match message {
            Message::NewNeighbour(neighbour) => host(neighbour),
            _ => None,
        });
        let hosts = hosts.collect();
        Ok(Self { forwarding: forwarding(&interfaces)?, interfaces, routes, hosts })
    }
}

fn unreadable(about: &'static str, why: &str) -> Error {
    Error::Unreadable { about, why: why.into() }
}

fn interface(link: &LinkMessage) -> Result<Interface, Error> {
    let (mut name, mut mac, mut master, mut made) = (None, None, None, None);
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text.clone()),
            LinkAttribute::Address(octets) => {
                mac = <[u8; 6]>::try_from(octets.as_slice()).ok().map(Mac::from);
            }
            LinkAttribute::Controller(index) => master = Some(*index),
            LinkAttribute::LinkInfo(infos) => {
                made = infos.iter().find_map(|info| match info {
                    LinkInfo::Kind(kind) => Some(kind),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    let name = name.ok_or_else(|| unreadable("interfaces", "one has no name"))?;
    let header = &link.header;
    Ok(Interface {
        index: header.index,
        kind: kind(&name, header.link_layer_type, made),
        name,
        up: header.flags.contains(LinkFlags::Up),
        carrier: header.flags.contains(LinkFlags::LowerUp),
        master,
        mac: mac.filter(|_| header.link_layer_type == LinkLayerType::Ether),
        addresses: Vec::new(),
    })
}

fn kind(name: &str, layer: LinkLayerType, made: Option<&InfoKind>) -> Kind {
    if layer == LinkLayerType::Loopback {
        return Kind::Loopback;
    }
    // sysfs shows the namespace that mounted it, so it may be silent about this one; names that say it count
    // too: systemd calls radios wl… and ww…, the kernel wlan0 and wwan0
    let radio = |entry| Path::new("/sys/class/net").join(name).join(entry).exists();
    if name.starts_with("wl") || name.starts_with("ww") || radio("phy80211") || radio("wireless") {
        return Kind::Wireless;
    }
    match (made, layer) {
        (Some(InfoKind::Wwan | InfoKind::VirtWifi), _) => Kind::Wireless,
        (Some(InfoKind::Bridge), _) => Kind::Bridge,
        // tap devices are Ethernet, and lead to whatever program holds them
        (
            Some(
                InfoKind::Tun
                | InfoKind::Vxlan
                | InfoKind::GreTap
                | InfoKind::GreTap6
                | InfoKind::Geneve
                | InfoKind::BareUdp,
            ),
            _,
        ) => Kind::Tunnel,
        (None | Some(InfoKind::Veth), LinkLayerType::Ether) => Kind::Ethernet,
        (_, LinkLayerType::Ether) => Kind::Virtual,
        // no link layer, or that of another protocol: WireGuard, PPP, IP in IP
        _ => Kind::Tunnel,
    }
}

/// One address of one interface.
pub(crate) struct Assigned {
    pub(crate) interface: u32,
    pub(crate) net: IpNet,
    /// IPv4 only.
    pub(crate) label: Option<String>,
    /// Whether it stays until somebody takes it away.
    pub(crate) permanent: bool,
    /// The message that names it, for taking it away.
    pub(crate) message: AddressMessage,
}

/// Every address of every interface.
pub(crate) fn addresses(netlink: &Netlink) -> Result<Vec<Assigned>, Error> {
    let messages = netlink.dump("addresses", &Message::GetAddress(AddressMessage::default()))?;
    let assigned = messages.into_iter().filter_map(|message| match message {
        Message::NewAddress(message) => Some(assigned(message)),
        _ => None,
    });
    assigned.collect()
}

fn assigned(message: AddressMessage) -> Result<Assigned, Error> {
    let (mut local, mut remote, mut label, mut permanent) = (None, None, None, true);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => remote = Some(*ip),
            AddressAttribute::Label(text) => label = Some(text.clone()),
            AddressAttribute::CacheInfo(info) => permanent = info.ifa_valid == u32::MAX,
            _ => {}
        }
    }
    // IFA_LOCAL is this end's where both ends are given (if_addr.h); IPv6 often gives only IFA_ADDRESS
    let ip = local.or(remote).ok_or_else(|| unreadable("addresses", "one is empty"))?;
    let net = IpNet::new(ip, message.header.prefix_len)
        .map_err(|_| unreadable("addresses", "a prefix is longer than its address"))?;
    Ok(Assigned { interface: message.header.index, net, label, permanent, message })
}

fn route(message: &RouteMessage) -> Result<Option<Route>, Error> {
    let header = &message.header;
    if header.kind != RouteType::Unicast {
        return Ok(None);
    }
    let (mut destination, mut interface, mut gateway) = (None, None, None);
    let (mut table, mut metric, mut hops) = (u32::from(header.table), 0, Vec::new());
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => destination = Some(ip(address)?),
            RouteAttribute::Oif(index) => interface = Some(*index),
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Priority(number) => metric = *number,
            RouteAttribute::MultiPath(several) => {
                for one in several {
                    hops.push(Hop { interface: Some(one.interface_index), gateway: via(&one.attributes)? });
                }
            }
            _ => {}
        }
    }
    gateway = gateway.or(via(&message.attributes)?);
    if hops.is_empty() {
        hops.push(Hop { interface, gateway });
    }
    // no destination is everything
    let destination = destination.unwrap_or(match header.address_family {
        AddressFamily::Inet => Ipv4Addr::UNSPECIFIED.into(),
        _ => Ipv6Addr::UNSPECIFIED.into(),
    });
    let destination = IpNet::new(destination, header.destination_prefix_length)
        .map_err(|_| unreadable("routes", "a prefix is longer than its address"))?;
    Ok(Some(Route { destination, table, metric, hops }))
}

/// The gateway, whose family may be another than that of the route (RFC 8950).
fn via(attributes: &[RouteAttribute]) -> Result<Option<IpAddr>, Error> {
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(address) => return ip(address).map(Some),
            RouteAttribute::Via(RouteVia::Inet(address)) => return Ok(Some((*address).into())),
            RouteAttribute::Via(RouteVia::Inet6(address)) => return Ok(Some((*address).into())),
            RouteAttribute::Via(_) => return Err(unreadable("routes", "a gateway is no IP address")),
            _ => {}
        }
    }
    Ok(None)
}

fn ip(address: &RouteAddress) -> Result<IpAddr, Error> {
    match address {
        RouteAddress::Inet(ip) => Ok((*ip).into()),
        RouteAddress::Inet6(ip) => Ok((*ip).into()),
        _ => Err(unreadable("routes", "an address is no IP address")),
    }
}

/// A neighbour that has answered; tries without an answer, multicast and proxies are none.
fn host(neighbour: &NeighbourMessage) -> Option<Host> {
    use NeighbourState::{Delay, Permanent, Probe, Reachable, Stale};
    if !matches!(neighbour.header.state, Reachable | Stale | Delay | Probe | Permanent) {
        return None;
    }
    let (mut ip, mut mac) = (None, None);
    for attribute in &neighbour.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => ip = Some((*address).into()),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => ip = Some((*address).into()),
            NeighbourAttribute::LinkLayerAddress(octets) => {
                mac = <[u8; 6]>::try_from(octets.as_slice()).ok().map(Mac::from);
            }
            _ => {}
        }
    }
    Some(Host { interface: neighbour.header.ifindex, ip: ip?, mac: mac? })
}

/// The switches in `/proc/sys/net`, which show the namespace of the reader. Where the one for all is on,
/// the others follow it and say nothing more. IPv4 always has one for all: where it is missing, nothing is known.
fn forwarding(interfaces: &[Interface]) -> Result<Vec<Forwarding>, Error> {
    let mut found = Vec::new();
    for (family, directory) in
        [(Family::Ipv4, "/proc/sys/net/ipv4/conf"), (Family::Ipv6, "/proc/sys/net/ipv6/conf")]
    {
        let directory = Path::new(directory);
        if family == Family::Ipv6 && read_dir(directory).is_err() {
            continue; // a kernel without IPv6 forwards none
        }
        let all = directory.join("all/forwarding");
        if family == Family::Ipv4 && !all.exists() {
            return Err(Error::NoSwitches { path: all });
        }
        if is_on(&all)? {
            found.push(Forwarding { family, interface: None });
            continue;
        }
        for interface in interfaces.iter().filter(|interface| interface.kind != Kind::Loopback) {
            let path = directory.join(&interface.name).join("forwarding");
            if is_on(&path)? {
                found.push(Forwarding { family, interface: Some(interface.name.clone()) });
            }
        }
    }
    Ok(found)
}

fn is_on(path: &Path) -> Result<bool, Error> {
    match read_to_string(path) {
        Ok(text) => Ok(text.trim() != "0"),
        // an interface without this family has no entry; one that has just gone has none either
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::system("forwarding")(error)),
    }
}

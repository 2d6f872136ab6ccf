use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::mac::Mac;

/// What the kernel said about this laptop's network at one moment. [`Snapshot::read`] makes one; everything
/// that decides takes it as an argument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every interface, up or not.
    pub interfaces: Vec<Interface>,
    /// Every route that forwards to somebody, of every table but the local one, both families. Routes
    /// that refuse (`unreachable`, `blackhole`, `prohibit`) lead nowhere and are left out.
    pub routes: Vec<Route>,
    /// Where this laptop passes on what it receives.
    pub forwarding: Vec<Forwarding>,
    /// Neighbours that have answered.
    pub hosts: Vec<Host>,
}

/// One network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name, `eth0`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Switched on (`IFF_UP`).
    pub up: bool,
    /// Somebody is at the other end (`IFF_LOWER_UP`): a cable is in, a radio is associated.
    pub carrier: bool,
    /// The bridge or bond that it is a port of.
    pub master: Option<u32>,
    /// Its hardware address, where it has one.
    pub mac: Option<Mac>,
    /// Its addresses, with their prefix lengths.
    pub addresses: Vec<IpNet>,
}

/// What an interface is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `lo`.
    Loopback,
    /// A socket for a cable, or something that acts like one.
    Ethernet,
    /// A radio: Wi-Fi or mobile.
    Wireless,
    /// A bridge: it joins its ports into one network.
    Bridge,
    /// A way through another network: tun, WireGuard, PPP and their like.
    Tunnel,
    /// Anything else that software makes: VLAN, bond, dummy.
    Virtual,
}

/// A route, whatever table it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub destination: IpNet,
    /// The table: 254 is `main`.
    pub table: u32,
    /// Lower is preferred; IPv4 calls "none" 0.
    pub metric: u32,
    /// The ways to get there: one, or several where load is spread.
    pub hops: Vec<Hop>,
}

/// One way of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The interface; `None` where the kernel did not say.
    pub interface: Option<u32>,
    /// Whether it leads through another machine.
    pub gateway: Option<IpAddr>,
}

/// Forwarding that is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Forwarding {
    /// For which family.
    pub family: Family,
    /// On this interface; `None` is the switch for all of them.
    pub interface: Option<String>,
}

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// A neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Where it was heard.
    #[serde(skip)]
    pub interface: u32,
    /// Its address.
    pub ip: IpAddr,
    /// Its hardware address.
    pub mac: Mac,
}

impl Snapshot {
    /// The interface of this name.
    pub fn named(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The interface with this number.
    pub fn numbered(&self, index: u32) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.index == index)
    }
}

impl Interface {
    /// Whether this address is one of its own.
    pub fn owns(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|address| address.addr() == ip)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::Ethernet => "Ethernet",
            Self::Wireless => "wireless",
            Self::Bridge => "bridge",
            Self::Tunnel => "tunnel",
            Self::Virtual => "virtual",
        })
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

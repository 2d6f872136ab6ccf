use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::snapshot::{Forwarding, Kind};

/// One reason why a laptop is not alone with a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// The target is neither private nor link-local.
    AddressNotPrivate,
    /// The target is this laptop.
    OwnAddress {
        /// The interface that has it.
        interface: String,
    },
    /// No interface reaches the target without a gateway.
    NotOnLink,
    /// The target is reached through a tunnel.
    Tunnel {
        /// The tunnel.
        interface: String,
    },
    /// A way to other networks.
    Route {
        /// Where it leads; `0.0.0.0/0` or `::/0` is the default route.
        destination: IpNet,
        /// Through which machine.
        gateway: Option<IpAddr>,
        /// Over which interface, where the kernel says so.
        interface: Option<String>,
        /// In which table; 254 is `main`.
        table: u32,
    },
    /// Another interface with somebody at its other end.
    OtherCarrier {
        /// The interface.
        interface: String,
        /// What it is.
        kind: Kind,
        /// Its address.
        address: IpNet,
    },
    /// A radio is on.
    WirelessUp {
        /// The interface.
        interface: String,
    },
    /// A bridge joins what is plugged into it.
    Bridged {
        /// The bridge.
        bridge: String,
        /// Its plugged ports.
        ports: Vec<String>,
    },
    /// This laptop passes on what it receives.
    Forwarding(Forwarding),
}

/// `main`, the table that everything uses unless told otherwise.
const MAIN: u32 = 254;

impl Reason {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::AddressNotPrivate => "a recorder behind an air gap has a private address".into(),
            Self::OwnAddress { .. } => "give the address of the recorder, not that of the laptop".into(),
            Self::NotOnLink => "applier find looks for recorders on the cable, applier link up gives this laptop an address in their subnet".into(),
            Self::Tunnel { interface } | Self::OtherCarrier { interface, .. } => {
                format!("unplug it, or: ip link set {interface} down")
            }
            Self::Route { destination, table, interface, .. } => {
                let v6 = if matches!(destination, IpNet::V6(_)) { "-6 " } else { "" };
                let device = interface.as_ref().map(|name| format!(" dev {name}")).unwrap_or_default();
                let table = if *table == MAIN { String::new() } else { format!(" table {table}") };
                format!("take it away: ip {v6}route del {destination}{device}{table}")
            }
            Self::WirelessUp { interface } => {
                format!("switch the radio off: rfkill block all, or ip link set {interface} down")
            }
            Self::Bridged { ports, .. } => {
                let port = ports.last().map_or("PORT", String::as_str);
                format!("take the others out: ip link set {port} nomaster")
            }
            Self::Forwarding(Forwarding { family, interface }) => {
                let family = family.to_string().to_lowercase();
                // sysctl takes a slash for the dot that a name may hold
                let scope = interface.as_deref().unwrap_or("all").replace('.', "/");
                format!("switch it off: sysctl -w net.{family}.conf.{scope}.forwarding=0")
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressNotPrivate => f.write_str("address is neither private nor link-local"),
            Self::OwnAddress { interface } => write!(f, "address is this laptop's own, on {interface}"),
            Self::NotOnLink => f.write_str("address is on no link of this laptop: a gateway would be used"),
            Self::Tunnel { interface } => write!(f, "address is reached through the tunnel {interface}"),
            Self::Route { destination, gateway, interface, table } => {
                match destination.prefix_len() {
                    0 if matches!(destination, IpNet::V4(_)) => f.write_str("IPv4 default route")?,
                    0 => f.write_str("IPv6 default route")?,
                    _ => write!(f, "route to {destination}")?,
                }
                gateway.map_or(Ok(()), |gateway| write!(f, " via {gateway}"))?;
                interface.as_ref().map_or(Ok(()), |interface| write!(f, " on {interface}"))?;
                if *table == MAIN { Ok(()) } else { write!(f, " in table {table}") }
            }
            Self::OtherCarrier { interface, kind, address } => {
                write!(f, "{kind} interface {interface} is connected and has {address}")
            }
            Self::WirelessUp { interface } => write!(f, "wireless interface {interface} is on"),
            Self::Bridged { bridge, ports } => write!(f, "bridge {bridge} joins {}", ports.join(", ")),
            Self::Forwarding(Forwarding { family, interface: Some(interface) }) => {
                write!(f, "{family} forwarding on {interface} is on")
            }
            Self::Forwarding(Forwarding { family, .. }) => write!(f, "{family} forwarding is on"),
        }
    }
}

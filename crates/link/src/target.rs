use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

/// The address that a command is about, and the interface where the person named one: an IPv6 link-local
/// address means nothing without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    ip: IpAddr,
    interface: Option<String>,
}

impl Target {
    /// The target. IPv4 written as IPv6 (`::ffff:192.168.1.64`) is IPv4.
    pub fn new(ip: IpAddr, interface: Option<&str>) -> Self {
        Self { ip: ip.to_canonical(), interface: interface.map(str::to_owned) }
    }

    /// The address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The interface that was named with it.
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{}%{interface}", self.ip),
            None => self.ip.fmt(f),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

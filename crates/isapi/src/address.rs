use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a recorder is: an IP literal with an optional port, `192.168.1.64`, `127.0.0.1:8080`,
/// `[fe80::1%eth0]`. Never a name: resolving one would ask a network that must not be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    ip: IpAddr,
    zone: Option<String>,
    port: Option<u16>,
}

/// The text is not an address of a recorder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("address {text:?} {why}")]
pub struct InvalidAddress {
    /// The text, cut to 80 characters.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Address {
    /// The address; an IPv4-mapped IPv6 address is given as IPv4.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The interface that a link-local IPv6 address belongs to.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// The port, where one was given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether both lead to one device, and so to one account and one certificate, whichever port they name.
    /// On loopback they may not: there every port can be a way to another one.
    pub fn is_same_device(&self, other: &Self) -> bool {
        (self.ip, &self.zone) == (other.ip, &other.zone)
            && (self.port == other.port || !self.ip.is_loopback())
    }

    /// Where the socket goes, on the given port or this default. The zone is left out: it means nothing
    /// to the other side (RFC 6874 §4), the socket is bound to the interface instead.
    pub(crate) fn socket(&self, default_port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.unwrap_or(default_port))
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let fault = |why| InvalidAddress { text: text.chars().take(80).collect(), why };
        let (host, zone, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inside, after) =
                    rest.split_once(']').ok_or_else(|| fault("lacks the closing bracket"))?;
                let (host, zone) = match inside.split_once('%') {
                    Some((host, zone)) => (host, Some(zone)),
                    None => (inside, None),
                };
                let ip: Ipv6Addr = host.parse().map_err(|_| fault("is not an IPv6 literal in brackets"))?;
                let port = match after.strip_prefix(':') {
                    None if after.is_empty() => None,
                    None => return Err(fault("goes on after the bracket with something else than a port")),
                    port => port,
                };
                (IpAddr::V6(ip), zone, port)
            }
            None if text.matches(':').count() > 1 => {
                return Err(fault("is IPv6 without brackets: write [fe80::1%eth0] or [fe80::1%eth0]:80"));
            }
            None => {
                let (host, port) = match text.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (text, None),
                };
                let ip = host.parse().map_err(|_| fault("is not an IP address; names are not looked up"))?;
                (IpAddr::V4(ip), None, port)
            }
        };
        let ip = host.to_canonical();
        let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        if ip.is_unspecified() || ip.is_multicast() || broadcast {
            return Err(fault("is not the address of one device"));
        }
        let link_local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        match zone {
            None if link_local => return Err(fault("needs its interface: write [fe80::1%eth0]")),
            Some(_) if !link_local => {
                return Err(fault("names an interface, which only a link-local address takes"));
            }
            Some(zone) if !is_interface_name(zone) => return Err(fault("names no valid interface")),
            _ => {}
        }
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return Err(fault("has a port that is not 1 to 65535")),
        };
        Ok(Self { ip, zone: zone.map(str::to_owned), port })
    }
}

/// Linux: 1 to 15 bytes, neither blank nor `/` (`dev_valid_name`); narrowed to what is in use.
pub(crate) fn is_interface_name(zone: &str) -> bool {
    (1..=15).contains(&zone.len())
        && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
        && zone.bytes().any(|b| b.is_ascii_alphabetic())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ip, &self.zone) {
            (IpAddr::V4(ip), _) => write!(f, "{ip}")?,
            (IpAddr::V6(ip), None) => write!(f, "[{ip}]")?,
            (IpAddr::V6(ip), Some(zone)) => write!(f, "[{ip}%{zone}]")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_forms_and_writes_them_back() {
        for (text, socket) in [
            ("192.168.1.64", "192.168.1.64:80"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:81", "[::1]:81"),
            ("[fe80::1%eth0]", "[fe80::1]:80"),
            ("[fe80::1%enp0s31f6]:8000", "[fe80::1]:8000"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(address.socket(80).to_string(), socket);
        }
        assert_eq!("[::ffff:127.0.0.1]".parse::<Address>().unwrap().to_string(), "127.0.0.1");
    }

    #[test]
    fn a_port_makes_no_other_device_unless_on_loopback() {
        let same =
            |one: &str, other: &str| one.parse::<Address>().unwrap().is_same_device(&other.parse().unwrap());
        assert!(same("192.168.1.64", "192.168.1.64:80") && same("192.168.1.64:443", "192.168.1.64:8443"));
        assert!(same("[fe80::1%eth0]", "[fe80::1%eth0]:80") && same("127.0.0.1:80", "127.0.0.1:80"));
        assert!(!same("192.168.1.64", "192.168.1.65") && !same("[fe80::1%eth0]", "[fe80::1%eth1]"));
        assert!(!same("127.0.0.1:8080", "127.0.0.1:8081"));
    }

    #[test]
    fn refuses_names_and_anything_that_is_not_one_device() {
        for text in [
            "",
            "localhost",
            "nvr.local",
            "192.168.1",
            "192.168.1.64:",
            "192.168.1.64:0",
            "192.168.1.64:65536",
            "192.168.1.64/24",
            "::1",
            "fe80::1%eth0",
            "[fe80::1]",
            "[fe80::1%]",
            "[fe80::1%2]",
            "[fe80::1%et h]",
            "[2001:db8::1%eth0]",
            "[::1",
            "[::1]x",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "[ff02::1]",
            "user@192.168.1.64",
            "192.168.1.64#",
            "010.0.0.1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}

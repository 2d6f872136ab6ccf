use std::net::IpAddr;

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// One interface of `/ISAPI/System/Network/interfaces`, of a recorder or a camera (reference: ISAPI
/// §15.1). An address that is not set is written as `0.0.0.0` or `::` there, and is `None` here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// `static`, `dynamic` or `apipa`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressing: Option<Text>,
    /// Its IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<IpAddr>,
    /// The mask that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_mask: Option<IpAddr>,
    /// Its IPv6 address; only cameras were seen to tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<IpAddr>,
    /// `ra` and others, of IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_addressing: Option<Text>,
    /// Where it sends what is not for its own network. In an isolated one: nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<IpAddr>,
    /// Whom it asks for names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<IpAddr>,
    /// Its hardware address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Text>,
}

impl Document for Vec<NetworkInterface> {
    const PATH: &'static str = "/ISAPI/System/Network/interfaces";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let list = Element::list(body, "NetworkInterfaceList", "NetworkInterface")?;
        list.iter().map(NetworkInterface::of).collect()
    }
}

impl NetworkInterface {
    fn of(interface: &Element) -> Result<Self, Malformed> {
        let mut found = Self {
            id: interface.shown("id"),
            mac: interface.child("Link").and_then(|link| link.shown("MACAddress")),
            ..Self::default()
        };
        let Some(address) = interface.child("IPAddress") else { return Ok(found) };
        found.addressing = address.shown("addressingType");
        found.ipv4 = address.ip("ipAddress")?;
        found.subnet_mask = address.ip("subnetMask")?;
        found.ipv6 = address.ip("ipv6Address")?;
        found.ipv6_addressing = address.child("Ipv6Mode").and_then(|mode| mode.shown("ipV6AddressingType"));
        found.gateways = both(address, &["DefaultGateway"])?;
        found.dns = both(address, &["PrimaryDNS", "SecondaryDNS"])?;
        Ok(found)
    }
}

/// The addresses of these nodes, of either family.
fn both(address: &Element, nodes: &[&'static str]) -> Result<Vec<IpAddr>, Malformed> {
    let mut found = Vec::new();
    for node in nodes.iter().filter_map(|node| address.child(node)) {
        found.extend(node.ip("ipAddress")?);
        found.extend(node.ip("ipv6Address")?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> NetworkInterface {
        let [found]: [NetworkInterface; 1] = Vec::parse(text.as_bytes()).unwrap().try_into().unwrap();
        found
    }

    /// Reference: ISAPI §15.1
    #[test]
    fn reads_a_recorder() {
        let found = one(
            r#"<NetworkInterfaceList xmlns="http://www.isapi.org/ver20/XMLSchema"><NetworkInterface><id>1</id><IPAddress version="2.0"><ipVersion>v4</ipVersion><addressingType>static</addressingType>
<ipAddress>192.0.2.10</ipAddress><subnetMask>255.255.255.0</subnetMask><DefaultGateway><ipAddress>192.0.2.1</ipAddress></DefaultGateway>
<PrimaryDNS><ipAddress>192.0.2.53</ipAddress></PrimaryDNS><SecondaryDNS><ipAddress>0.0.0.0</ipAddress></SecondaryDNS><DNSEnable>false</DNSEnable></IPAddress>
<Link><MACAddress>e0:44:cf:0b:a7:98</MACAddress><autoNegotiation>true</autoNegotiation><speed>1000</speed></Link></NetworkInterface></NetworkInterfaceList>"#,
        );
        assert_eq!(found.ipv4, Some("192.0.2.10".parse().unwrap()));
        assert_eq!(found.gateways, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(found.dns, ["192.0.2.53".parse::<IpAddr>().unwrap()]);
        assert_eq!(found.mac.unwrap().as_str(), "e0:44:cf:0b:a7:98");
    }

    #[test]
    fn reads_a_camera_and_the_least() {
        let found = one(
            "<NetworkInterface><id>1</id><IPAddress><ipVersion>dual</ipVersion><addressingType>dynamic</addressingType><ipAddress>0.0.0.0</ipAddress><ipv6Address>::</ipv6Address><bitMask>64</bitMask><DefaultGateway><ipAddress>0.0.0.0</ipAddress><ipv6Address>2001:db8::1</ipv6Address></DefaultGateway><Ipv6Mode><ipV6AddressingType>ra</ipV6AddressingType></Ipv6Mode></IPAddress></NetworkInterface>",
        );
        assert_eq!((found.ipv4, found.ipv6), (None, None));
        assert_eq!(found.gateways, ["2001:db8::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(found.ipv6_addressing.unwrap().as_str(), "ra");
        assert_eq!(one("<NetworkInterface/>"), NetworkInterface::default());
        assert!(
            Vec::<NetworkInterface>::parse(
                b"<NetworkInterface><IPAddress><ipAddress>no</ipAddress></IPAddress></NetworkInterface>"
            )
            .is_err()
        );
    }
}

//! Documents that name other machines: whom the recorder tells of events, whom it asks for the time.
//!
//! That recorders have them is captured, how they look is not (reference: ISAPI §13, §15). So nothing but
//! the nodes that name a machine is read, wherever they stand; a document that is no list and names none
//! is malformed, so that one which says something else is never taken for an empty one.

use std::net::IpAddr;

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// A machine that is named. An address that is not set is written as `0.0.0.0` or `::` and is no machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedHost {
    /// By its address.
    Address(IpAddr),
    /// By a name, an address of the web, or what else cannot be read as an address.
    Name(Text),
}

/// `/ISAPI/Event/notification/httpHosts`: whom it tells of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationHosts(pub Vec<NamedHost>);

/// `/ISAPI/System/time/ntpServers`: whom it asks for the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeServers(pub Vec<NamedHost>);

/// The nodes that name a machine in the documents that are captured.
const NODES: [&str; 4] = ["ipAddress", "ipv6Address", "hostName", "url"];

impl Document for NotificationHosts {
    const PATH: &'static str = "/ISAPI/Event/notification/httpHosts";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        hosts(body).map(Self)
    }
}

impl Document for TimeServers {
    const PATH: &'static str = "/ISAPI/System/time/ntpServers";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        hosts(body).map(Self)
    }
}

fn hosts(body: &[u8]) -> Result<Vec<NamedHost>, Malformed> {
    let (named, is_empty_list) = Element::named(body, &NODES)?;
    if named.is_empty() && !is_empty_list {
        return Err(Malformed::Missing("ipAddress"));
    }
    let mut found: Vec<NamedHost> = named.iter().filter_map(host).collect();
    found.dedup();
    Ok(found)
}

fn host(element: &Element) -> Option<NamedHost> {
    let text = element.own_text()?;
    match text.parse::<IpAddr>() {
        Ok(address) => (!address.is_unspecified()).then_some(NamedHost::Address(address)),
        // a path alone, with the address in a node of its own
        Err(_) if text.starts_with('/') => None,
        Err(_) => Some(NamedHost::Name(Text::cleaned(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_found_and_empty_slots_are_none() {
        let text = "<AnyList xmlns='x'><Any><id>1</id><url>/notify</url><ipAddress>192.0.2.9</ipAddress></Any><Any><url/><ipAddress>0.0.0.0</ipAddress></Any><Any><hostName>alarms.example</hostName><ipv6Address>::</ipv6Address></Any></AnyList>";
        let NotificationHosts(found) = NotificationHosts::parse(text.as_bytes()).unwrap();
        let expected = [
            NamedHost::Address("192.0.2.9".parse().unwrap()),
            NamedHost::Name(Text::cleaned("alarms.example")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn only_a_list_may_be_empty() {
        for text in ["<HostList/>", "<HostList version='2.0'></HostList>", "<x><ipAddress/></x>"] {
            assert_eq!(TimeServers::parse(text.as_bytes()), Ok(TimeServers(vec![])), "{text}");
        }
        for text in ["<ResponseStatus><statusCode>4</statusCode></ResponseStatus>", "<html/>", "<L><a/></L>"]
        {
            assert!(TimeServers::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}

//! Where a recorder is that does not answer any more: its cable is asked by SADP for its serial number
//! (`docs/safety.md`, rule 8). A firmware may take up DHCP, or fall back to the address it left the factory with.
//!
//! An answer is a claim of whoever sent it and says where to look, no more. What is found there is held to
//! all that the recorder was held to: the link, the certificate, the one login, the serial number.

use std::net::IpAddr;
use std::time::Duration;

use ::link::{Effort, Found, find};
use firmware::{Serial, Sha256Digest};
use ipnet::Ipv4Net;
use isapi::{Address, Channel, Error, Recorder, Transport};

use crate::isolation::{CheckedLink, look};

/// One question at a time: whoever waits for a recorder asks again. A device that is up answers within a
/// second.
const EFFORT: Effort = Effort { rounds: 1, between: Duration::from_secs(1), after: Duration::from_secs(1) };

/// Answers that are followed; one is true, and anybody can invent more.
const MOST: usize = 4;

/// How to look for a recorder on its cable.
#[derive(Debug, Clone)]
pub struct Search {
    interface: String,
    channel: Channel,
    networked: bool,
    then: &'static str,
}

/// An answer in the recorder's name, from another address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Where it says that it is.
    pub address: Address,
    /// Why it cannot be talked to there, and what to do.
    pub obstacle: Option<String>,
}

impl Search {
    /// On the link that was checked, over which it was talked to with this certificate or without; `None`
    /// for a link that is no cable. `then` is the command that goes on at an address which this laptop does
    /// not reach yet.
    pub fn on(link: &CheckedLink, certificate: Option<Sha256Digest>, then: &'static str) -> Option<Self> {
        let channel = certificate.map_or(Channel::PlainText, |certificate| Channel::Tls { certificate });
        let networked = link.is_networked();
        Some(Self { interface: link.interface()?.to_owned(), channel, networked, then })
    }

    /// Asks once, which takes a second. What keeps it from asking keeps it from seeing anything: no more is
    /// told of that.
    pub async fn look(&self, serial: &Serial, known: &Address) -> Vec<Sighting> {
        let Ok(findings) = find(&self.interface, EFFORT).await else { return Vec::new() };
        let elsewhere = findings.devices.iter().filter_map(|found| other_place(found, serial, known));
        elsewhere.take(MOST).filter_map(|net| self.sighting(net, known)).collect()
    }

    fn sighting(&self, net: Ipv4Net, known: &Address) -> Option<Sighting> {
        let port = known.port().map_or_else(String::new, |port| format!(":{port}"));
        let address: Address = format!("{}{port}", net.addr()).parse().ok()?;
        let isolation = look(&address).ok()?;
        let obstacle = match &isolation.link {
            ::link::Link::Direct(way) if way.interface == self.interface => {
                let reasons: Vec<String> = isolation.reasons.iter().map(ToString::to_string).collect();
                (!isolation.is_permitted() && !self.networked)
                    .then(|| format!("this laptop is not alone with it there: {}", reasons.join("; ")))
            }
            _ => Some(format!(
                "this laptop has no address in its subnet: once this run has ended, applier link up {net} --interface {}, then {} {address}",
                self.interface, self.then
            )),
        };
        Some(Sighting { address, obstacle })
    }

    /// The recorder there, with the same login, over the same interface and certificate. Nothing is sent.
    pub fn there(&self, recorder: &Recorder, address: &Address) -> Result<Recorder, Error> {
        let transport = Transport { interface: Some(self.interface.clone()), channel: self.channel };
        recorder.moved_to(address.clone(), &transport)
    }
}

/// Where it says that it is, if it claims to be this recorder and is not where that was.
fn other_place(found: &Found, serial: &Serial, known: &Address) -> Option<Ipv4Net> {
    found.device.ipv4.filter(|net| found.device.claims(serial) && IpAddr::V4(net.addr()) != known.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::tests::loopback;

    #[test]
    fn on_loopback_there_is_no_cable_to_ask_on() {
        let link = loopback(&"127.0.0.1:8080".parse().unwrap());
        assert!(Search::on(&link, None, "applier resume --address").is_none());
    }

    #[test]
    fn only_who_claims_the_serial_at_another_address_is_followed() {
        let serial: Serial = "DS-7608NI-I20120200101CCRRE00000001WCVU".parse().unwrap();
        let known: Address = "192.168.1.64".parse().unwrap();
        let found = |serial: &str, ip: Option<&str>| Found {
            device: ::link::Device {
                model: None,
                serial: Some(serial.parse().unwrap()),
                mac: None,
                ipv4: ip.map(|ip| ip.parse().unwrap()),
                gateway: None,
                ipv6: None,
                http_port: None,
                revision: None,
                software: None,
                activated: None,
                dhcp: None,
            },
            from: "192.168.1.65".parse().unwrap(),
            how: Vec::new(),
            passed: true,
        };
        let place = |found: &Found| other_place(found, &serial, &known).map(|net| net.to_string());
        let other = "DS-7608NI-I20120200101CCRRE00000002WCVU";
        assert_eq!(
            place(&found(serial.as_str(), Some("192.168.1.65/24"))).as_deref(),
            Some("192.168.1.65/24")
        );
        assert_eq!(place(&found(serial.as_str(), Some("192.168.1.64/24"))), None, "it never left");
        assert_eq!(place(&found(serial.as_str(), None)), None);
        assert_eq!(place(&found(other, Some("192.168.1.65/24"))), None);
    }

    #[test]
    fn a_place_beyond_this_laptop_says_how_to_get_there() {
        let search = Search {
            interface: "eth9".into(),
            channel: Channel::PlainText,
            networked: false,
            then: "applier resume --address",
        };
        // a documentation network (RFC 5737), which no laptop is on
        let known = "192.0.2.64:8080".parse().unwrap();
        let seen = search.sighting("198.51.100.7/24".parse().unwrap(), &known).unwrap();
        assert_eq!(seen.address.to_string(), "198.51.100.7:8080");
        let obstacle = seen.obstacle.unwrap();
        assert!(obstacle.contains("applier link up 198.51.100.7/24 --interface eth9"), "{obstacle}");
        assert!(obstacle.contains("applier resume --address 198.51.100.7:8080"), "{obstacle}");
    }
}

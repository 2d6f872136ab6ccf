use std::net::{Ipv4Addr, Ipv6Addr};

use firmware::{Revision, Serial, Text};
use ipnet::Ipv4Net;
use serde::Serialize;

use super::document::{Document, Malformed};
use crate::mac::Mac;

/// What a device, or somebody in its name, says over SADP. All of it is a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    /// The model, `DS-7608NI-I2`.
    pub model: Option<Text>,
    /// The serial number.
    pub serial: Option<Serial>,
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// Its IPv4 address with the prefix length of its subnet mask.
    pub ipv4: Option<Ipv4Net>,
    /// Its IPv4 gateway.
    pub gateway: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// The port of its web server, and so of ISAPI.
    pub http_port: Option<u16>,
    /// Version and build of its firmware; SADP writes them without a blank, `V5.6.2build 190701`.
    pub revision: Option<Revision>,
    /// The same as it was written, for what is not understood.
    pub software: Option<Text>,
    /// Whether it has a password yet.
    pub activated: Option<bool>,
    /// Whether it takes its address from a DHCP server.
    pub dhcp: Option<bool>,
}

impl Device {
    pub(super) fn read(document: &Document) -> Result<Self, Malformed> {
        let shown = |field| document.text(field).map(Text::cleaned);
        let software = shown("SoftwareVersion");
        let device = Self {
            model: shown("DeviceDescription"),
            serial: document.value("DeviceSN")?,
            mac: document.value("MAC")?,
            ipv4: ipv4(document)?,
            gateway: document.value("IPv4Gateway")?.filter(|ip: &Ipv4Addr| !ip.is_unspecified()),
            ipv6: document.value("IPv6Address")?.filter(|ip: &Ipv6Addr| !ip.is_unspecified()),
            http_port: document.value("HttpPort")?,
            revision: software.as_ref().and_then(|text| text.as_str().parse().ok()),
            software,
            activated: document.flag("Activated")?,
            dhcp: document.flag("DHCP")?,
        };
        if device.serial.is_none() && device.mac.is_none() { Err(Malformed::Nameless) } else { Ok(device) }
    }

    /// Whether it says that it has this serial number: where to look after a reboot, and no proof.
    pub fn claims(&self, serial: &Serial) -> bool {
        self.serial.as_ref() == Some(serial)
    }

    /// Whether two answers are about one device: the same serial or hardware address, at the same address.
    /// What differs stands twice, so that a forged answer cannot hide the true one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.mac == other.mac && self.serial == other.serial && self.ipv4 == other.ipv4
    }
}

/// "Unset" is `0.0.0.0` (reference: ISAPI §15). A mask that is missing makes a subnet of one.
fn ipv4(document: &Document) -> Result<Option<Ipv4Net>, Malformed> {
    let Some(ip) = document.value::<Ipv4Addr>("IPv4Address")?.filter(|ip| !ip.is_unspecified()) else {
        return Ok(None);
    };
    let mask = document.value("IPv4SubnetMask")?.unwrap_or(Ipv4Addr::BROADCAST);
    let unreadable = |_| Malformed::Value { field: "IPv4SubnetMask", why: "it has gaps".into() };
    Ipv4Net::with_netmask(ip, mask).map(Some).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::super::{Datagram, read_datagram};
    use super::*;

    fn answer(bytes: &[u8]) -> Device {
        match read_datagram(bytes).unwrap() {
            Datagram::Answer(device) => device,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_a_real_answer() {
        let device = answer(include_bytes!("../../../../tests/fuzz/corpus/sadp/answer-ds-2cd2385g1-i.xml"));
        assert_eq!(device.model.as_ref().unwrap().as_str(), "DS-2CD2385G1-I");
        assert!(device.claims(&"ds2cd2385g1i20200414aawre00000001".parse().unwrap()));
        assert_eq!(device.mac.unwrap().to_string(), "58:50:ed:00:00:01");
        assert_eq!(device.ipv4, "192.168.124.40/24".parse().ok());
        assert_eq!((device.gateway, device.ipv6), ("192.168.124.1".parse().ok(), None));
        assert_eq!(device.revision.unwrap().to_string(), "V5.6.2 build 190701");
        assert_eq!((device.http_port, device.activated, device.dhcp), (Some(80), Some(true), Some(true)));
    }

    #[test]
    fn hostile_words_are_made_safe() {
        let device = answer(b"<ProbeMatch><MAC>58-50-ed-00-00-01</MAC><DeviceDescription>\x1b[2Jx</DeviceDescription><SoftwareVersion>=cmd|x</SoftwareVersion></ProbeMatch>");
        assert_eq!(device.model.unwrap().as_str(), "?[2Jx");
        assert_eq!((device.software.unwrap().as_str(), device.revision), ("'=cmd|x", None));
    }

    #[test]
    fn a_field_that_cannot_be_read_rejects_the_answer() {
        for field in [
            "", // neither serial nor hardware address
            "<MAC>no</MAC>",
            "<DeviceSN>\u{202e}</DeviceSN>",
            "<DeviceSN>A1</DeviceSN><IPv4Address>1.2.3</IPv4Address>",
            "<DeviceSN>A1</DeviceSN><IPv4Address>1.2.3.4</IPv4Address><IPv4SubnetMask>255.0.255.0</IPv4SubnetMask>",
            "<DeviceSN>A1</DeviceSN><HttpPort>65536</HttpPort>",
            "<DeviceSN>A1</DeviceSN><Activated>perhaps</Activated>",
        ] {
            let text = format!("<ProbeMatch>{field}</ProbeMatch>");
            assert!(read_datagram(text.as_bytes()).is_err(), "{field}");
        }
        let unset = "<Hello><DeviceSN>A1</DeviceSN><IPv4Address>0.0.0.0</IPv4Address><HttpPort/></Hello>";
        let Ok(Datagram::Hello(device)) = read_datagram(unset.as_bytes()) else { panic!() };
        assert_eq!((device.ipv4, device.http_port), (None, None));
    }
}

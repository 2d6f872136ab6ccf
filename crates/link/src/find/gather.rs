use std::net::{IpAddr, Ipv4Addr};

use firmware::Text;
use ipnet::IpNet;

use super::hint::{Circumstances, hints};
use super::{Findings, Found, Heard, How, Rejected};
use crate::arp::Arp;
use crate::mac::Mac;
use crate::sadp::{Datagram, Device, read_datagram};
use crate::snapshot::{Host, Interface};

/// A /24 is full with 254. Anybody on the link can invent more.
const MOST: usize = 256;
const MOST_REJECTED: usize = 16;
/// Datagrams that are read at all: three rounds of answers of 256 devices, by two ways, seen twice.
const MOST_DATAGRAMS: usize = 4096;

/// Where a datagram was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ear {
    /// By a socket: this laptop let it through.
    Socket,
    /// Off the wire, before any filter.
    Wire,
}

/// What has come in so far.
pub(super) struct Gathered {
    interface: String,
    carrier: bool,
    own_mac: Option<Mac>,
    own: Vec<IpNet>,
    datagrams: usize,
    devices: Vec<Found>,
    hosts: Vec<Heard>,
    rejected: Vec<Rejected>,
}

impl Gathered {
    pub(super) fn new(interface: &Interface) -> Self {
        Self {
            interface: interface.name.clone(),
            carrier: interface.carrier,
            own_mac: interface.mac,
            own: interface.addresses.clone(),
            datagrams: 0,
            devices: Vec::new(),
            hosts: Vec::new(),
            rejected: Vec::new(),
        }
    }

    pub(super) fn datagram(&mut self, from: Ipv4Addr, bytes: &[u8], ear: Ear) {
        self.datagrams += 1;
        if self.datagrams > MOST_DATAGRAMS {
            return;
        }
        match read_datagram(bytes) {
            Ok(Datagram::Answer(device)) => self.device(device, from, How::Answer, ear),
            Ok(Datagram::Hello(device)) => self.device(device, from, How::Hello, ear),
            Ok(Datagram::Other) => {}
            Err(why) => {
                let rejected = Rejected { from, why: Text::cleaned(&why.to_string()) };
                if self.rejected.len() < MOST_REJECTED && !self.rejected.contains(&rejected) {
                    self.rejected.push(rejected);
                }
            }
        }
    }

    fn device(&mut self, device: Device, from: Ipv4Addr, how: How, ear: Ear) {
        let passed = ear == Ear::Socket;
        let full = self.devices.len() >= MOST;
        let known = self.devices.iter_mut().find(|found| found.from == from && found.device.is_same(&device));
        if let Some(found) = known {
            found.passed |= passed;
            if !found.how.contains(&how) {
                found.how.push(how);
            }
        } else if !full {
            self.devices.push(Found { device, from, how: vec![how], passed });
        }
    }

    pub(super) fn arp(&mut self, arp: Arp) {
        // a probe has no address yet
        if Some(arp.sender) != self.own_mac && !arp.sender_ip.is_unspecified() {
            self.host(Heard { ip: arp.sender_ip, mac: arp.sender, how: How::Arp });
        }
    }

    pub(super) fn neighbour(&mut self, host: &Host) {
        if let IpAddr::V4(ip) = host.ip {
            self.host(Heard { ip, mac: host.mac, how: How::NeighbourTable });
        }
    }

    fn host(&mut self, heard: Heard) {
        let known = self.hosts.iter().any(|host| (host.ip, host.mac) == (heard.ip, heard.mac));
        if !known && self.hosts.len() < MOST {
            self.hosts.push(heard);
        }
    }

    pub(super) fn findings(self, circumstances: &Circumstances) -> Findings {
        let hints = hints(circumstances, self.carrier, &self.own, &self.devices, &self.hosts);
        let Self { interface, devices, hosts, rejected, .. } = self;
        Findings { interface, devices, hosts, rejected, hints }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::Hint;
    use crate::judge::tests::interface;

    const CIRCUMSTANCES: Circumstances = Circumstances { raw: true, port: true };
    const RECORDER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 64);

    fn answer(serial: &str, ip: &str) -> String {
        format!(
            "<ProbeMatch><DeviceSN>{serial}</DeviceSN><MAC>58-50-ed-00-00-01</MAC><IPv4Address>{ip}</IPv4Address>\
             <IPv4SubnetMask>255.255.255.0</IPv4SubnetMask></ProbeMatch>"
        )
    }

    fn gathered() -> Gathered {
        Gathered::new(&interface(2, "eth0", &["192.168.1.10/24"]))
    }

    #[test]
    fn one_device_stands_once_however_it_is_heard() {
        let mut gathered = gathered();
        let (answer, forged) = (answer("A1", "192.168.1.64"), answer("A1", "192.168.1.65"));
        gathered.datagram(RECORDER, answer.as_bytes(), Ear::Wire);
        gathered.datagram(RECORDER, answer.replace("ProbeMatch", "Hello").as_bytes(), Ear::Socket);
        gathered.datagram(RECORDER, answer.as_bytes(), Ear::Socket);
        gathered.datagram([192, 168, 1, 65].into(), forged.as_bytes(), Ear::Socket);
        let findings = gathered.findings(&CIRCUMSTANCES);
        let [one, other] = findings.devices.as_slice() else { panic!("{findings:?}") };
        assert_eq!((one.how.as_slice(), one.passed), (&[How::Answer, How::Hello][..], true));
        assert_eq!(other.device.ipv4.unwrap().to_string(), "192.168.1.65/24", "a forged one hides nothing");
    }

    #[test]
    fn floods_are_cut() {
        let mut gathered = gathered();
        for n in 0..2 * MOST_DATAGRAMS {
            gathered.datagram(RECORDER, answer(&format!("A{n}"), "192.168.1.64").as_bytes(), Ear::Socket);
            gathered.datagram(RECORDER, format!("<a{n}>").as_bytes(), Ear::Socket);
            let [_, _, c, d] = u32::try_from(n).unwrap().to_be_bytes();
            gathered.arp(
                Arp::read(&{
                    let sender =
                        Arp { sender_ip: [10, 0, c, d].into(), ..Arp::probe([2; 6].into(), RECORDER) };
                    sender.request_frame()
                })
                .unwrap(),
            );
        }
        let findings = gathered.findings(&CIRCUMSTANCES);
        assert_eq!(findings.devices.len(), MOST);
        assert!(findings.rejected.len() <= MOST_REJECTED && findings.hosts.len() == MOST);
    }

    #[test]
    fn rejected_datagrams_are_told_once_and_safely() {
        let mut gathered = gathered();
        for _ in 0..2 {
            gathered.datagram(RECORDER, b"<ProbeMatch><MAC>x</MAC></ProbeMatch>", Ear::Socket);
        }
        gathered.datagram(RECORDER, b"<Probe><Types>inquiry</Types></Probe>", Ear::Socket);
        let findings = gathered.findings(&CIRCUMSTANCES);
        let [rejected] = findings.rejected.as_slice() else { panic!("{findings:?}") };
        assert_eq!(
            rejected.why.as_str(),
            "<MAC> cannot be read: hardware address is not six octets in hexadecimal"
        );
    }

    #[test]
    fn own_frames_and_probes_are_nobody() {
        let mut own = interface(2, "eth0", &[]);
        own.mac = Some([2; 6].into());
        let mut gathered = Gathered::new(&own);
        gathered.arp(Arp { sender_ip: RECORDER, ..Arp::probe([2; 6].into(), RECORDER) });
        gathered.arp(Arp::probe([4; 6].into(), RECORDER));
        let findings = gathered.findings(&CIRCUMSTANCES);
        assert_eq!(
            (findings.hosts.as_slice(), findings.hints.as_slice()),
            (&[][..], &[Hint::NothingHeard][..])
        );
    }
}

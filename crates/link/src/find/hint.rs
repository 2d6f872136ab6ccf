use std::fmt;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use serde::Serialize;

use super::{Found, Heard};

/// Where recorders are before anybody has given them an address, or in recovery, and the recorder's end of
/// its camera ports (reference: ISAPI §14, §16; third party and inferred).
pub(super) const USUAL: [Ipv4Addr; 4] = [
    Ipv4Addr::new(192, 168, 1, 64),
    Ipv4Addr::new(192, 0, 0, 64),
    Ipv4Addr::new(192, 0, 0, 2),
    Ipv4Addr::new(192, 168, 254, 1),
];

/// What a person should know about a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "hint", rename_all = "kebab-case")]
pub enum Hint {
    /// There is nobody at the other end.
    NoCarrier,
    /// It looks as if the cable were in a port for cameras.
    CameraPort {
        /// Who was heard there.
        address: Ipv4Addr,
    },
    /// A device is in a subnet that this laptop is not in.
    OtherSubnet {
        /// Its address there.
        address: Ipv4Net,
    },
    /// A device has the address it left the factory with, or that of recovery.
    UsualAddress {
        /// The address.
        address: Ipv4Addr,
    },
    /// Answers were on the wire and did not reach the socket.
    Dropped {
        /// Of how many devices.
        devices: usize,
    },
    /// A host is there and does not speak SADP.
    Silent {
        /// The host.
        address: Ipv4Addr,
    },
    /// Nobody said anything.
    NothingHeard,
    /// Nobody was found, and this laptop may have dropped the answers.
    PerhapsDropped,
    /// Another program has the port of SADP for itself.
    PortTaken,
    /// Frames could not be read.
    NeedsPrivilege,
}

/// What the search was able to do.
pub(super) struct Circumstances {
    /// Frames were read, not only sockets.
    pub(super) raw: bool,
    /// The port of SADP was free.
    pub(super) port: bool,
}

/// What to say about a search, most important first.
pub(super) fn hints(
    circumstances: &Circumstances,
    carrier: bool,
    own: &[IpNet],
    devices: &[Found],
    hosts: &[Heard],
) -> Vec<Hint> {
    if !carrier {
        return vec![Hint::NoCarrier];
    }
    let mut hints = Vec::new();
    let mut say = |hint| {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    };
    let addresses = devices.iter().map(|found| found.device.ipv4.map_or(found.from, |net| net.addr()));
    let addresses: Vec<Ipv4Addr> = addresses.chain(hosts.iter().map(|host| host.ip)).collect();
    if let Some(address) = addresses.iter().copied().find(|ip| ip.octets()[..3] == [192, 168, 254]) {
        say(Hint::CameraPort { address });
    }
    for address in devices.iter().filter_map(|found| found.device.ipv4) {
        let reached = own.iter().any(|own| matches!(own, IpNet::V4(own) if own.contains(&address.addr())));
        if !reached {
            say(Hint::OtherSubnet { address });
        }
    }
    for address in addresses.iter().copied().filter(|ip| USUAL[..3].contains(ip)) {
        say(Hint::UsualAddress { address });
    }
    let dropped = devices.iter().filter(|found| !found.passed).count();
    if dropped > 0 {
        say(Hint::Dropped { devices: dropped });
    }
    let speaks =
        |ip| devices.iter().any(|f| f.from == ip || f.device.ipv4.is_some_and(|net| net.addr() == ip));
    // a link with many hosts is no cable to one recorder: the list says it all
    for host in hosts.iter().filter(|host| !speaks(host.ip)).take(4) {
        say(Hint::Silent { address: host.ip });
    }
    match (addresses.is_empty(), circumstances.raw) {
        (true, true) => say(Hint::NothingHeard),
        (_, false) if devices.is_empty() => say(Hint::PerhapsDropped),
        _ => {}
    }
    if !circumstances.port {
        say(Hint::PortTaken);
    }
    if !circumstances.raw {
        say(Hint::NeedsPrivilege);
    }
    hints
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCarrier => f.write_str(
                "cable: nobody at the other end; is it plugged in on both sides, and is the recorder on?",
            ),
            Self::CameraPort { address } => write!(
                f,
                "cable: {address} is usual between a recorder and its cameras; this may be one of its PoE ports, the port named LAN is the one for a laptop"
            ),
            Self::OtherSubnet { address } => write!(
                f,
                "address {address}: in another subnet than this laptop; applier link up gives the laptop an address there"
            ),
            Self::UsualAddress { address } => write!(
                f,
                "address {address}: the one of a recorder that was never set up, was reset, or waits in recovery"
            ),
            Self::Dropped { devices } => write!(
                f,
                "answers of {devices} devices: dropped by this laptop, and read off the wire; its firewall (ufw, nftables) or reverse path filter (sysctl net.ipv4.conf.all.rp_filter) takes no UDP port 37020 from that subnet"
            ),
            Self::Silent { address } => write!(
                f,
                "host {address}: on the cable, silent over SADP; SADP may be off there, or it is no recorder. If its web page does not answer either, its IP filter may leave this laptop out: it drops without a word"
            ),
            Self::NothingHeard => f.write_str(
                "cable: connected, and nobody said anything; a recorder takes minutes to start, and one with SADP off is quiet until it is spoken to by address",
            ),
            Self::PerhapsDropped => f.write_str(
                "answers: none came through; a firewall (ufw, nftables) may drop UDP port 37020, and the reverse path filter drops what comes from a subnet that this laptop is not in",
            ),
            Self::PortTaken => f.write_str(
                "UDP port 37020: held by another program alone, so only direct answers were heard",
            ),
            Self::NeedsPrivilege => f.write_str(
                "frames: not read, that needs sudo; ARP was not heard, the usual addresses were not asked for, and answers that this laptop drops were missed",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::How;
    use crate::sadp::{Datagram, read_datagram};

    const ABLE: Circumstances = Circumstances { raw: true, port: true };

    fn found(ip: &str, passed: bool) -> Found {
        let text = format!(
            "<Hello><DeviceSN>A1</DeviceSN><IPv4Address>{ip}</IPv4Address><IPv4SubnetMask>255.255.255.0</IPv4SubnetMask></Hello>"
        );
        let Ok(Datagram::Hello(device)) = read_datagram(text.as_bytes()) else { panic!() };
        Found { device, from: ip.parse().unwrap(), how: vec![How::Hello], passed }
    }

    fn heard(ip: &str) -> Heard {
        Heard { ip: ip.parse().unwrap(), mac: [2; 6].into(), how: How::Arp }
    }

    fn own(net: &str) -> [IpNet; 1] {
        [net.parse().unwrap()]
    }

    #[test]
    fn a_recorder_within_reach_needs_no_words() {
        let device = found("10.1.2.3", true);
        assert_eq!(hints(&ABLE, true, &own("10.1.2.9/24"), &[device], &[heard("10.1.2.3")]), []);
    }

    #[test]
    fn what_stands_between_is_said() {
        let dropped = found("192.168.1.64", false);
        assert_eq!(
            hints(&ABLE, true, &own("10.1.2.9/24"), &[dropped], &[heard("192.168.1.64"), heard("10.1.2.7")]),
            [
                Hint::OtherSubnet { address: "192.168.1.64/24".parse().unwrap() },
                Hint::UsualAddress { address: [192, 168, 1, 64].into() },
                Hint::Dropped { devices: 1 },
                Hint::Silent { address: [10, 1, 2, 7].into() },
            ]
        );
        let camera_side = hints(&ABLE, true, &[], &[], &[heard("192.168.254.1")]);
        assert_eq!(camera_side[0], Hint::CameraPort { address: [192, 168, 254, 1].into() });
    }

    #[test]
    fn silence_is_explained_by_what_could_be_done() {
        let unable = Circumstances { raw: false, port: false };
        assert_eq!(hints(&ABLE, false, &[], &[], &[]), [Hint::NoCarrier]);
        assert_eq!(hints(&ABLE, true, &[], &[], &[]), [Hint::NothingHeard]);
        assert_eq!(
            hints(&unable, true, &[], &[], &[]),
            [Hint::PerhapsDropped, Hint::PortTaken, Hint::NeedsPrivilege]
        );
    }
}

//! ARP over Ethernet (RFC 826), as far as asking who has an address and hearing who says so.

use std::net::Ipv4Addr;

use crate::mac::Mac;

/// EtherType of ARP.
pub(crate) const ETHERTYPE: u16 = 0x0806;
/// Hardware type Ethernet, protocol type IPv4, their address lengths.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: u16 = 1;
/// Ethernet header and ARP packet; the driver pads the frame to its 60 bytes.
const LENGTH: usize = 14 + 28;

/// One ARP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arp {
    /// Asks who has [`Arp::target`], rather than answers.
    pub(crate) request: bool,
    pub(crate) sender: Mac,
    /// Unspecified in a probe: whoever asks does not have an address yet (RFC 5227 §1.1).
    pub(crate) sender_ip: Ipv4Addr,
    pub(crate) target: Ipv4Addr,
}

impl Arp {
    /// The probe of RFC 5227 §2.1.1: asks for an address without claiming one, so that no cache of others
    /// learns anything from it.
    pub(crate) fn probe(sender: Mac, target: Ipv4Addr) -> Self {
        Self { request: true, sender, sender_ip: Ipv4Addr::UNSPECIFIED, target }
    }

    /// Whether this packet means that somebody else has the address, or is about to take it
    /// (RFC 5227 §2.1.1).
    pub(crate) fn conflicts(&self, address: Ipv4Addr, own: Mac) -> bool {
        let claims = self.sender_ip == address;
        let probes = self.request && self.sender_ip.is_unspecified() && self.target == address;
        self.sender != own && (claims || probes)
    }

    /// The frame of a request to everybody.
    pub(crate) fn request_frame(&self) -> [u8; LENGTH] {
        let mut frame = [0; LENGTH];
        let mut rest = frame.as_mut_slice();
        for part in [
            &Mac::BROADCAST.octets()[..],
            &self.sender.octets(),
            &ETHERTYPE.to_be_bytes(),
            &ETHERNET_IPV4,
            &REQUEST.to_be_bytes(),
            &self.sender.octets(),
            &self.sender_ip.octets(),
            &[0; 6],
            &self.target.octets(),
        ] {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
        frame
    }

    /// Reads a frame; `None` if it is not ARP for IPv4 over Ethernet, or too short, or has a sender that
    /// cannot be one.
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        let packet = frame.get(14..LENGTH)?;
        if frame.get(12..14)? != ETHERTYPE.to_be_bytes() || packet.get(..6)? != ETHERNET_IPV4 {
            return None;
        }
        let four = |at: usize| packet.get(at..at + 4)?.try_into().ok().map(<[u8; 4]>::into);
        let operation = u16::from_be_bytes(packet.get(6..8)?.try_into().ok()?);
        let sender: [u8; 6] = packet.get(8..14)?.try_into().ok()?;
        // the lowest bit of the first octet marks groups, which send nothing
        if sender[0] & 1 == 1 || sender == [0; 6] {
            return None;
        }
        let (sender_ip, target) = (four(14)?, four(24)?);
        Some(Self { request: operation == REQUEST, sender: sender.into(), sender_ip, target })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];

    /// Written by hand from RFC 826 and RFC 5227 §2.1.1, byte by byte.
    const PROBE: &str = "ffffffffffff020000000001080600010800060400010200000000010000000000000000\
                         0000c0a80140";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn a_probe_is_the_one_of_the_standard() {
        let probe = Arp::probe(OWN.into(), [192, 168, 1, 64].into());
        assert_eq!(probe.request_frame().as_slice(), bytes(PROBE));
        assert_eq!(Arp::read(&bytes(PROBE)), Some(probe));
    }

    #[test]
    fn who_conflicts() {
        let (own, other) = (Mac::from(OWN), Mac::from([2, 0, 0, 0, 0, 2]));
        let wanted = Ipv4Addr::new(192, 168, 1, 9);
        let claim = Arp { request: false, sender: other, sender_ip: wanted, target: wanted };
        assert!(claim.conflicts(wanted, own));
        assert!(!claim.conflicts(wanted, other), "one's own echo");
        assert!(!claim.conflicts([192, 168, 1, 8].into(), own));
        assert!(Arp::probe(other, wanted).conflicts(wanted, own), "two choose at once");
        let asks = Arp { request: true, sender_ip: [192, 168, 1, 64].into(), ..claim };
        assert!(!asks.conflicts(wanted, own), "looking for it is not having it");
    }

    #[test]
    fn rejects_what_is_not_arp() {
        let probe = bytes(PROBE);
        assert_eq!(Arp::read(&probe[..41]), None);
        for at in [12, 14, 16, 18, 19] {
            let mut other = probe.clone();
            other[at] ^= 0x10;
            assert_eq!(Arp::read(&other), None, "byte {at}");
        }
        let mut group = probe;
        group[22] |= 1;
        assert_eq!(Arp::read(&group), None);
    }

    proptest! {
        #[test]
        fn never_panics(frame in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Arp::read(&frame);
        }
    }
}

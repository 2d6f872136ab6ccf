//! Ethernet, IPv4 and UDP headers around an answer, for frames that are read before this laptop's own
//! firewall and its reverse path filter see them (RFC 791, RFC 768).

use std::net::Ipv4Addr;

/// EtherType of IPv4.
pub(crate) const ETHERTYPE: u16 = 0x0800;
const UDP: u8 = 17;

/// The sender and the content of a UDP datagram to this port; `None` for anything else. Pieces of datagrams
/// are left to the socket, which puts them together; checksums are not looked at, the content is hostile
/// with or without.
pub(crate) fn udp(frame: &[u8], port: u16) -> Option<(Ipv4Addr, &[u8])> {
    let packet = frame.get(14..)?;
    if frame.get(12..14)? != ETHERTYPE.to_be_bytes() || packet.first()? >> 4 != 4 || *packet.get(9)? != UDP {
        return None;
    }
    let two = |bytes: &[u8], at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    // "more fragments", or an offset
    if two(packet, 6)? & 0x3fff != 0 {
        return None;
    }
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let total = usize::from(two(packet, 2)?);
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    if header < 20 {
        return None;
    }
    // short frames are padded: the length that counts is the one that is written
    let datagram = packet.get(header..total)?;
    let length = usize::from(two(datagram, 4)?);
    if two(datagram, 2)? != port {
        return None;
    }
    Some((source.into(), datagram.get(8..length)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(content: &[u8], port: u16) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap() + 8;
        let mut frame = vec![0; 12];
        frame.extend(ETHERTYPE.to_be_bytes());
        frame.extend([0x45, 0]);
        frame.extend((length + 20).to_be_bytes());
        frame.extend([0, 1, 0x40, 0, 1, UDP, 0, 0, 192, 168, 1, 64, 239, 255, 255, 250]);
        frame.extend(port.to_be_bytes());
        frame.extend(port.to_be_bytes());
        frame.extend(length.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(content);
        frame.extend([0; 10]); // padding
        frame
    }

    #[test]
    fn content_ends_where_the_header_says() {
        let whole = frame(b"<a/>", 37020);
        assert_eq!(udp(&whole, 37020), Some((Ipv4Addr::new(192, 168, 1, 64), &b"<a/>"[..])));
        assert_eq!(udp(&whole, 37021), None);
    }

    #[test]
    fn rejects_pieces_lies_and_other_protocols() {
        let whole = frame(b"<a/>", 37020);
        assert_eq!(udp(&whole[..whole.len() - 11], 37020), None, "cut off");
        for (at, byte) in
            [(12, 0x86), (14, 0x65), (14, 0x44), (16, 0xff), (20, 0x20), (21, 1), (23, 6), (38, 0xff)]
        {
            let mut other = whole.clone();
            other[at] = byte;
            assert_eq!(udp(&other, 37020), None, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(at in 0_usize..46, byte in any::<u8>(), cut in 0_usize..60) {
            let mut any = frame(b"<a/>", 37020);
            any[at] = byte;
            any.truncate(cut);
            let _ = udp(&any, 37020);
        }
    }
}

//! SADP, the search protocol of Hikvision devices (reference: ISAPI §16): XML in UDP, port 37020, group
//! 239.255.255.250. `inquiry` is its only read and the only type that this crate can send; every other type
//! changes the device and takes a password.
//!
//! Nothing in it is authenticated: anybody on the link can answer, in any name. So it says where to look,
//! and never what is there; that is for ISAPI after a login.

mod device;
mod document;

use std::net::Ipv4Addr;

use rand::RngExt as _;

pub use self::device::Device;
use self::document::Document;
pub use self::document::Malformed;

/// The port, at both ends.
pub(crate) const PORT: u16 = 37020;
/// The group that inquiries and answers go to.
pub(crate) const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// Bytes of an answer. Real ones have about 1400.
pub(crate) const LARGEST: usize = 8 * 1024;

/// What came in on the port of SADP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datagram {
    /// A device answers an inquiry, ours or that of another program.
    Answer(Device),
    /// A device says by itself that it is there.
    Hello(Device),
    /// The inquiry of somebody, or another message that names no device.
    Other,
}

/// Reads one datagram; whatever the bytes are, it returns.
pub fn read_datagram(bytes: &[u8]) -> Result<Datagram, Malformed> {
    let document = Document::read(bytes)?;
    match document.root() {
        "ProbeMatch" => Device::read(&document).map(Datagram::Answer),
        "Hello" => Device::read(&document).map(Datagram::Hello),
        _ => Ok(Datagram::Other),
    }
}

/// An inquiry with an id of its own, upper case as the vendor's tool writes it.
pub(crate) fn inquiry() -> String {
    let mut id: [u8; 16] = rand::rng().random();
    // version 4, variant 1 (RFC 9562 §5.4)
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    let id = hex::encode_upper(id);
    let uuid = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>{uuid}</Uuid><Types>inquiry</Types></Probe>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inquiry_is_what_devices_know_and_asks_for_nothing_else() {
        let (one, other) = (inquiry(), inquiry());
        assert_ne!(one, other, "the id is fresh");
        let (before, rest) = one.split_once("<Uuid>").unwrap();
        let (id, after) = rest.split_once("</Uuid>").unwrap();
        assert_eq!(before, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe>");
        assert_eq!(after, "<Types>inquiry</Types></Probe>");
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!((lengths.as_slice(), &id[14..15]), (&[8, 4, 4, 4, 12][..], "4"));
        assert_eq!(id, id.to_uppercase());
        assert_eq!(read_datagram(one.as_bytes()), Ok(Datagram::Other), "it comes back by the group");
    }
}

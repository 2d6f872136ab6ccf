//! Questions to the kernel over `NETLINK_ROUTE` (rtnetlink(7)); the socket by `rustix`, the messages by
//! `netlink-packet-route`. Synchronous: the kernel answers from memory, within microseconds.

use std::io;
use std::os::fd::OwnedFd;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, sendto, socket_with,
};

use crate::error::Error;

/// The kernel writes dumps in pieces of at most 32 KiB.
const PIECE: usize = 64 * 1024;
/// Messages of one dump: a laptop has dozens. A router with a full table is no laptop.
const MOST: usize = 100_000;
/// A dump that the kernel interrupts, because something changed under it, is asked for again.
const ATTEMPTS: usize = 8;

pub(crate) struct Netlink(OwnedFd);

impl Netlink {
    pub(crate) fn open() -> Result<Self, Error> {
        bound(0, SocketFlags::CLOEXEC).map(Self)
    }

    /// Everything of one kind.
    pub(crate) fn dump(
        &self,
        about: &'static str,
        request: &RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, Error> {
        for _ in 0..ATTEMPTS {
            self.send(about, request.clone(), NLM_F_REQUEST | NLM_F_DUMP)?;
            if let Some(messages) = self.messages(about)? {
                return Ok(messages);
            }
        }
        Err(Error::Unreadable { about, why: format!("it changed during each of {ATTEMPTS} readings") })
    }

    /// Has the kernel do something, and waits for its word that it is done.
    pub(crate) fn order(
        &self,
        doing: &'static str,
        request: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(), Error> {
        self.send(doing, request, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        self.messages(doing).map(drop)
    }

    fn send(&self, doing: &'static str, request: RouteNetlinkMessage, flags: u16) -> Result<(), Error> {
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&self.0, &bytes, SendFlags::empty(), &kernel).map_err(|e| Error::system(doing)(e.into()))?;
        Ok(())
    }

    /// The messages up to the one that ends them; `None` if something changed meanwhile.
    fn messages(&self, about: &'static str) -> Result<Option<Vec<RouteNetlinkMessage>>, Error> {
        let unreadable = |why: String| Error::Unreadable { about, why };
        let (mut found, mut whole) = (Vec::new(), true);
        let mut buffer = vec![0; PIECE];
        loop {
            let (_, length) = recv(&self.0, buffer.as_mut_slice(), RecvFlags::TRUNC)
                .map_err(|e| Error::system(about)(e.into()))?;
            let mut rest = buffer.get(..length).ok_or_else(|| unreadable("it is cut off".into()))?;
            while !rest.is_empty() {
                let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                    .map_err(|e| unreadable(e.to_string()))?;
                whole &= message.header.flags & NLM_F_DUMP_INTR == 0;
                match message.payload {
                    NetlinkPayload::Done(done) if done.code == 0 => return Ok(whole.then_some(found)),
                    NetlinkPayload::Done(done) => {
                        let error = io::Error::from_raw_os_error(done.code.saturating_abs());
                        return Err(Error::system(about)(error));
                    }
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok(Some(found)),
                    NetlinkPayload::Error(error) => return Err(Error::system(about)(error.to_io())),
                    NetlinkPayload::InnerMessage(inner) if found.len() < MOST => found.push(inner),
                    NetlinkPayload::InnerMessage(_) => {
                        return Err(unreadable(format!("it has more than {MOST} parts")));
                    }
                    _ => {}
                }
                // messages are padded to four bytes; the last one of a piece need not be
                let length = usize::try_from(message.header.length).unwrap_or(usize::MAX);
                rest = rest.get(length.next_multiple_of(4).max(4)..).unwrap_or_default();
            }
        }
    }
}

/// A socket of NETLINK_ROUTE, in these groups. The kernel gives it its number.
pub(crate) fn bound(groups: u32, flags: SocketFlags) -> Result<OwnedFd, Error> {
    // no protocol is NETLINK_ROUTE
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None);
    let bound = socket.and_then(|socket| bind(&socket, &SocketAddrNetlink::new(0, groups)).map(|()| socket));
    bound.map_err(|error| Error::system("netlink socket")(error.into()))
}

//! Frames of one interface and one EtherType (packet(7)), which the kernel hands out before its firewall.
//!
//! The socket is `rustix`'s; neither it nor `socket2` can write the address of an interface down without
//! `unsafe`, so that one comes from `nix`, which has it from `getifaddrs`.

use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{LinkAddr, SockaddrStorage};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::announcements::watched;
use crate::error::Error;

/// The largest frame that is read; Ethernet allows 1518 bytes, a longer one is cut and then fails its checks.
pub(crate) const LARGEST: usize = 2048;

pub(crate) struct Packets(AsyncFd<OwnedFd>);

impl Packets {
    /// Opens and binds, for one EtherType. Needs `CAP_NET_RAW`, and a tokio runtime.
    pub(crate) fn open(interface: &str, ethertype: u16, doing: &'static str) -> Result<Self, Error> {
        let protocol = NonZeroU32::new(ethertype.to_be().into()).map(Protocol::from_raw);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, protocol)
            .map_err(|e| Error::system(doing)(e.into()))?;
        let address = link_address(interface, doing)?;
        // protocol 0 in the address keeps the socket's own (packet_do_bind)
        nix::sys::socket::bind(socket.as_raw_fd(), &address).map_err(|e| Error::system(doing)(e.into()))?;
        let socket = Self(watched(socket).map_err(Error::system(doing))?);
        // what came from other interfaces before it was bound
        for _ in 0..1024 {
            if recv(socket.0.get_ref(), &mut [0_u8; 1], RecvFlags::DONTWAIT).is_err() {
                break;
            }
        }
        Ok(socket)
    }

    pub(crate) fn send(&self, frame: &[u8], doing: &'static str) -> Result<(), Error> {
        match send(self.0.get_ref(), frame, SendFlags::DONTWAIT) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::system(doing)(error.into())),
        }
    }

    /// A frame that is here already; how many bytes of the buffer it fills.
    pub(crate) fn received(&self, buffer: &mut [u8]) -> Option<usize> {
        Some(recv(self.0.get_ref(), buffer, RecvFlags::DONTWAIT).ok()?.1)
    }

    /// The next frame; how many bytes of the buffer it fills.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |fd: &OwnedFd| Ok(recv(fd, &mut *buffer, RecvFlags::DONTWAIT)?.1);
        self.0.async_io(Interest::READABLE, read).await
    }
}

fn link_address(interface: &str, doing: &'static str) -> Result<LinkAddr, Error> {
    let all = getifaddrs().map_err(|e| Error::system(doing)(e.into()))?;
    let of_interface = all.filter(|one| one.interface_name == interface).filter_map(|one| one.address);
    let mut links = of_interface.filter_map(|address: SockaddrStorage| address.as_link_addr().copied());
    links.next().ok_or_else(|| Error::NoInterface { name: interface.into() })
}

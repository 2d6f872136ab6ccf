use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags, recv};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::error::Error;
use crate::netlink::bound;

/// Groups of rtnetlink(7) whose messages mean that a snapshot is out of date: links, neighbours, then
/// addresses, routes, rules and forwarding (`RTNLGRP_*_NETCONF`) of IPv4 and of IPv6.
const GROUPS: u32 = bits(&[1, 3, 5, 7, 8, 24, 9, 11, 19, 25]);

const fn bits(groups: &[u32]) -> u32 {
    let (mut bits, mut at) = (0, 0);
    while at < groups.len() {
        bits |= 1 << (groups[at] - 1);
        at += 1;
    }
    bits
}

const WAITING: &str = "changes of the network";

/// What the kernel announces about the network of this laptop. Only that there was something: what it was
/// is asked for afterwards, so that a lost announcement (`ENOBUFS`) loses nothing.
pub(crate) struct Announcements(AsyncFd<OwnedFd>);

impl Announcements {
    pub(crate) fn open() -> Result<Self, Error> {
        let socket = bound(GROUPS, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
        watched(socket).map(Self).map_err(Error::system(WAITING))
    }

    /// Waits until there is one. Stays true until [`Announcements::drain`].
    pub(crate) async fn wait(&self) -> Result<(), Error> {
        self.0.readable().await.map_err(Error::system(WAITING))?.retain_ready();
        Ok(())
    }

    /// Reads away what is there.
    pub(crate) fn drain(&self) -> Result<(), Error> {
        let mut buffer = [0_u8; 1]; // the rest of a message goes with its first byte
        let read_all = |socket: &OwnedFd| loop {
            match recv(socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok(_) | Err(Errno::NOBUFS | Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error)),
            }
        };
        match self.0.try_io(Interest::READABLE, read_all) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other.map_err(Error::system(WAITING)),
        }
    }
}

/// A socket that tokio watches for something to read. Needs a tokio runtime.
pub(crate) fn watched(socket: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(deprecated, reason = "what it warns of is a descriptor that closes early; this one is owned")]
    AsyncFd::with_interest(socket, Interest::READABLE)
}

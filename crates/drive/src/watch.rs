//! Sticks that come and go, as the kernel tells it (netlink(7), `NETLINK_KOBJECT_UEVENT`); no udevd has to run.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recvfrom, socket_with};
use serde::Serialize;

use crate::drive::Drive;

/// Those of the kernel; udevd tells its own in another group.
const KERNEL: u32 = 1;
/// The kernel writes an event of at most this many bytes (`UEVENT_BUFFER_SIZE`), and a name before it.
const LONGEST_EVENT: usize = 4096;

/// Waits for sticks. An event only says that something changed; what did is read from sysfs, so that none that
/// is lost matters.
#[derive(Debug)]
pub struct Watch {
    socket: OwnedFd,
    known: Vec<Drive>,
    changes: VecDeque<Change>,
}

/// A stick came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Change {
    /// It was plugged in.
    Plugged {
        /// What it says.
        drive: Box<Drive>,
    },
    /// It was pulled out.
    Unplugged {
        /// What it said.
        drive: Box<Drive>,
    },
}

impl Watch {
    /// Looks which are plugged in, and listens from before.
    pub fn new() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(KOBJECT_UEVENT))?;
        bind(&socket, &SocketAddrNetlink::new(0, KERNEL))?;
        Ok(Self { socket, known: crate::list()?, changes: VecDeque::new() })
    }

    /// Those that are plugged in, as of the last change that was given.
    pub fn known(&self) -> &[Drive] {
        &self.known
    }

    /// Waits for the next change.
    pub fn wait(&mut self) -> io::Result<Change> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Ok(change);
            }
            if self.hears_of_disks()? {
                let now = crate::list()?;
                self.changes = changes(&self.known, &now).into();
                // as it came: what goes first while it is pulled out is not forgotten
                let known = |drive: Drive| {
                    self.known.iter().find(|old| old.is_same_plug(&drive)).cloned().unwrap_or(drive)
                };
                self.known = now.into_iter().map(known).collect();
            }
        }
    }

    /// Waits for an event, and says whether it is about disks.
    fn hears_of_disks(&self) -> io::Result<bool> {
        let mut event = [0; LONGEST_EVENT];
        match recvfrom(&self.socket, &mut event, RecvFlags::empty()) {
            Ok((length, _, from)) => {
                let from = from.and_then(|from| SocketAddrNetlink::try_from(from).ok());
                // every program may send to this socket; the kernel's own number is 0
                Ok(from.is_some_and(|from| from.pid() == 0)
                    && is_of_disk(&event[..length.min(LONGEST_EVENT)]))
            }
            // some were lost
            Err(Errno::NOBUFS) => Ok(true),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// `add@/devices/…` and then `NAME=value`, each ended by a zero byte.
fn is_of_disk(event: &[u8]) -> bool {
    event.split(|byte| *byte == 0).any(|field| field == b"SUBSYSTEM=block")
}

/// What went from `before` and what is new in `now`. One that was pulled out and plugged in again is both.
fn changes(before: &[Drive], now: &[Drive]) -> Vec<Change> {
    let is_in = |drive: &Drive, among: &[Drive]| among.iter().any(|other| drive.is_same_plug(other));
    let gone = before.iter().filter(|drive| !is_in(drive, now));
    let new = now.iter().filter(|drive| !is_in(drive, before));
    gone.map(|drive| Change::Unplugged { drive: Box::new(drive.clone()) })
        .chain(new.map(|drive| Change::Plugged { drive: Box::new(drive.clone()) }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_disks_are_told_from_others() {
        assert!(is_of_disk(b"add@/devices/x/block/sdb\0ACTION=add\0SUBSYSTEM=block\0DEVTYPE=disk\0"));
        assert!(!is_of_disk(b"add@/devices/x\0ACTION=add\0SUBSYSTEM=usb\0NAME=SUBSYSTEM=block\0"));
        assert!(!is_of_disk(b""));
    }

    #[test]
    fn one_that_comes_back_at_once_is_another() {
        let drive =
            |sequence| Drive { sequence: Some(sequence), ..crate::drive::tests::drive("/dev/sdb", "A") };
        let seen = changes(&[drive(7)], &[drive(8)]);
        assert!(matches!(&seen[..], [Change::Unplugged { .. }, Change::Plugged { .. }]), "{seen:?}");
        assert!(changes(&[drive(7)], &[drive(7)]).is_empty());
        let going = Drive { serial: None, sequence: None, ..drive(7) };
        assert!(changes(&[drive(7)], &[going]).is_empty(), "its serial number goes before it does");
    }
}

//! Who speaks ARP on the link to a target, by listening alone: nothing is sent.
//!
//! The neighbour table knows whom this laptop has spoken with. A third host on the cable speaks with the
//! recorder, but before it does, it asks everybody for the recorder's address. What is heard is a claim, for
//! the record; frames that come in between two looks wait in the kernel, which keeps some hundred.

use std::future::pending;
use std::net::IpAddr;

use crate::arp::{self, Arp};
use crate::judge::MOST_HEARD;
use crate::mac::Mac;
use crate::packet::{self, Packets};
use crate::snapshot::{Host, Snapshot};
use crate::target::Target;
use crate::way::way;

/// Frames that one look reads: more than the kernel keeps, so that only a flood is cut.
const MOST_FRAMES: usize = 1024;

/// Hears who else is on the link to a target.
pub struct Listener {
    frames: Packets,
    known: Known,
}

/// Who was heard so far.
struct Known {
    interface: u32,
    own: Mac,
    target: IpAddr,
    hosts: Vec<Host>,
}

impl Listener {
    /// Starts to listen; needs a tokio runtime. `None` where nothing can be heard: without the rights of the
    /// administrator, on what is no Ethernet, or without a link to the target.
    pub fn start(target: &Target) -> Option<Self> {
        let snapshot = Snapshot::read().ok()?;
        let interface = snapshot.numbered(way(&snapshot, target)?.index)?;
        let frames = Packets::open(&interface.name, arp::ETHERTYPE, "frames of the interface").ok()?;
        let (interface, own) = (interface.index, interface.mac?);
        Some(Self { frames, known: Known { interface, own, target: target.ip(), hosts: Vec::new() } })
    }

    /// Everybody who was heard so far but the target and this laptop, at most 64; does not wait.
    pub fn heard(&mut self) -> &[Host] {
        let mut frame = [0; packet::LARGEST];
        for _ in 0..MOST_FRAMES {
            let Some(length) = self.frames.received(&mut frame) else { break };
            self.known.take(frame.get(..length).and_then(Arp::read));
        }
        &self.known.hosts
    }

    /// Waits until somebody is heard who was not before. May be dropped and called again: nothing is lost.
    pub async fn another(&mut self) -> Host {
        let mut frame = [0; packet::LARGEST];
        while self.known.hosts.len() < MOST_HEARD {
            // an interface that goes down says so once, then there is silence
            let received = self.frames.receive(&mut frame).await.ok();
            let arp = received.and_then(|length| Arp::read(frame.get(..length)?));
            if let Some(host) = self.known.take(arp) {
                return host;
            }
        }
        pending().await
    }
}

impl Known {
    /// The host that sent this, where it is new.
    fn take(&mut self, arp: Option<Arp>) -> Option<Host> {
        let arp = arp?;
        let host = Host { interface: self.interface, ip: arp.sender_ip.into(), mac: arp.sender };
        // a probe has no address yet
        let nobody = arp.sender == self.own || arp.sender_ip.is_unspecified() || host.ip == self.target;
        if nobody || self.hosts.len() >= MOST_HEARD || self.hosts.contains(&host) {
            return None;
        }
        self.hosts.push(host.clone());
        Some(host)
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("heard", &self.known.hosts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laptop_the_target_and_probes_are_nobody_else_and_floods_are_cut() {
        let (own, recorder, other) = (Mac::from([2; 6]), Mac::from([4; 6]), Mac::from([6; 6]));
        let target = [192, 168, 1, 64];
        let mut known = Known { interface: 2, own, target: target.into(), hosts: Vec::new() };
        let asks = |sender, sender_ip: [u8; 4]| {
            Some(Arp { request: true, sender, sender_ip: sender_ip.into(), target: target.into() })
        };
        assert_eq!(known.take(None), None);
        assert_eq!(known.take(asks(own, [192, 168, 1, 10])), None);
        assert_eq!(known.take(asks(recorder, target)), None);
        assert_eq!(known.take(asks(other, [0; 4])), None);
        let host = known.take(asks(other, [192, 168, 1, 9])).unwrap();
        assert_eq!((host.interface, host.ip, host.mac), (2, [192, 168, 1, 9].into(), other));
        assert_eq!(known.take(asks(other, [192, 168, 1, 9])), None, "known");
        for n in 0..=255 {
            known.take(asks(other, [10, 0, 0, n]));
        }
        assert_eq!(known.hosts.len(), MOST_HEARD);
    }
}

//! Who is on the cable: an SADP inquiry in a few rounds, answers by group, broadcast and unicast, ARP of
//! whoever speaks, and the neighbour table.
//!
//! As administrator, frames are read as well as sockets. That is more than ARP: a laptop without an
//! address in the recorder's subnet, which is the normal case here, often drops the answers itself (reverse
//! path filter, firewall), and frames are seen before that. The usual addresses of recorders are then asked
//! for by ARP probes, which claim nothing.
//!
//! What was found is a claim of whoever answered: it says where to look, and proves nothing.

mod gather;
mod hint;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use firmware::Text;
use serde::Serialize;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Instant, interval, sleep_until};

use self::gather::{Ear, Gathered};
pub use self::hint::Hint;
use crate::arp::{self, Arp};
use crate::datagram;
use crate::error::Error;
use crate::mac::Mac;
use crate::packet::{self, Packets};
use crate::sadp::{self, Device};
use crate::snapshot::{Interface, Kind, Snapshot};

/// How long to look.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Inquiries that are sent; UDP loses some, and a recorder that is starting is late.
    pub rounds: u32,
    /// Time from one to the next.
    pub between: Duration,
    /// Time to listen after the last.
    pub after: Duration,
}

impl Default for Effort {
    /// Three rounds in four seconds: a device that is up answers within one.
    fn default() -> Self {
        Self { rounds: 3, between: Duration::from_secs(1), after: Duration::from_secs(2) }
    }
}

/// Who was found on one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// The interface.
    pub interface: String,
    /// Devices that speak SADP, at most 256.
    pub devices: Vec<Found>,
    /// Hosts that were heard otherwise, at most 256; the devices among them included.
    pub hosts: Vec<Heard>,
    /// Datagrams on the port of SADP that no device sends, at most 16.
    pub rejected: Vec<Rejected>,
    /// What a person should know, most important first.
    pub hints: Vec<Hint>,
}

/// A device that speaks SADP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What it says about itself.
    #[serde(flatten)]
    pub device: Device,
    /// The address that its datagram came from.
    pub from: Ipv4Addr,
    /// How it was found.
    pub how: Vec<How>,
    /// Whether this laptop let the answer through. If not it was read off the wire only.
    pub passed: bool,
}

/// A host on the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its hardware address.
    pub mac: Mac,
    /// How it was noticed.
    pub how: How,
}

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// It answered an SADP inquiry.
    Answer,
    /// It announced itself over SADP.
    Hello,
    /// It sent or answered ARP while we listened.
    Arp,
    /// It stands in the neighbour table: it was spoken with before.
    NeighbourTable,
}

/// A datagram that was not taken for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Where it came from.
    pub from: Ipv4Addr,
    /// Why.
    pub why: Text,
}

/// The interfaces that a recorder may be cabled to: Ethernet, switched on, those with a carrier first.
pub fn candidates(snapshot: &Snapshot) -> Vec<&Interface> {
    let mut found: Vec<_> = snapshot
        .interfaces
        .iter()
        .filter(|at| at.up && at.kind == Kind::Ethernet && at.master.is_none())
        .collect();
    found.sort_by_key(|interface| !interface.carrier);
    found
}

/// Looks for recorders on an interface. Ends after the time that the effort allows, whatever comes in; an
/// interface without carrier ends at once.
pub async fn find(interface: &str, effort: Effort) -> Result<Findings, Error> {
    let snapshot = Snapshot::read()?;
    let interface = snapshot.named(interface).ok_or_else(|| Error::NoInterface { name: interface.into() })?;
    let mut gathered = Gathered::new(interface);
    if !interface.carrier {
        return Ok(gathered.findings(&hint::Circumstances { raw: true, port: true }));
    }
    let (socket, port) = open_socket(interface)?;
    let raw = Raw::open(interface)?;
    listen(&mut gathered, &socket, raw.as_ref(), effort).await?;
    for host in Snapshot::read()?.hosts.iter().filter(|host| host.interface == interface.index) {
        gathered.neighbour(host);
    }
    Ok(gathered.findings(&hint::Circumstances { raw: raw.is_some(), port }))
}

/// The sockets that only the administrator can open.
struct Raw {
    own: Mac,
    arp: Packets,
    ip: Packets,
}

const LISTENING: &str = "frames of the interface";

impl Raw {
    /// `None` without the right, or without Ethernet.
    fn open(interface: &Interface) -> Result<Option<Self>, Error> {
        let Some(own) = interface.mac else { return Ok(None) };
        let open = |ethertype| Packets::open(&interface.name, ethertype, LISTENING);
        match open(arp::ETHERTYPE) {
            Ok(arp) => Ok(Some(Self { own, arp, ip: open(datagram::ETHERTYPE)? })),
            Err(Error::NeedsPrivilege { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn ask_for_usual_addresses(&self) -> Result<(), Error> {
        for address in hint::USUAL {
            self.arp.send(&Arp::probe(self.own, address).request_frame(), LISTENING)?;
        }
        Ok(())
    }
}

const SEARCHING: &str = "search by SADP";

/// A socket on the port of SADP, on this interface only, in the group; and whether that port was free.
/// Without it only direct answers come in.
fn open_socket(interface: &Interface) -> Result<(UdpSocket, bool), Error> {
    let open = || -> io::Result<(Socket, bool)> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        socket.bind_device(Some(interface.name.as_bytes()))?;
        socket.set_broadcast(true)?;
        socket.set_nonblocking(true)?;
        let index = InterfaceIndexOrAddress::Index(interface.index);
        let any = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into();
        let port = match socket.bind(&any(sadp::PORT)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                socket.bind(&any(0))?;
                false
            }
            bound => bound.map(|()| true)?,
        };
        socket.join_multicast_v4_n(&sadp::GROUP, &index)?;
        Ok((socket, port))
    };
    let (socket, port) = open().map_err(Error::system(SEARCHING))?;
    Ok((UdpSocket::from_std(socket.into()).map_err(Error::system(SEARCHING))?, port))
}

async fn listen(
    gathered: &mut Gathered,
    socket: &UdpSocket,
    raw: Option<&Raw>,
    effort: Effort,
) -> Result<(), Error> {
    let mut rounds = interval(effort.between);
    let end = Instant::now() + effort.between * effort.rounds.saturating_sub(1) + effort.after;
    let mut sent = 0;
    // one byte more than an answer may have, so that a longer one is seen to be too long
    let (mut datagram, mut arp, mut frame) =
        (vec![0; sadp::LARGEST + 1], [0; packet::LARGEST], [0; packet::LARGEST]);
    loop {
        tokio::select! {
            () = sleep_until(end) => return Ok(()),
            _ = rounds.tick(), if sent < effort.rounds => {
                sent += 1;
                inquire(socket).await?;
                raw.map_or(Ok(()), Raw::ask_for_usual_addresses)?;
            }
            received = socket.recv_from(&mut datagram) => {
                // ICMP errors of earlier datagrams come out here: somebody is not listening, no more
                if let Ok((length, SocketAddr::V4(from))) = received {
                    gathered.datagram(*from.ip(), &datagram[..length], Ear::Socket);
                }
            }
            received = async { raw?.arp.receive(&mut arp).await.ok() }, if raw.is_some() => {
                if let Some(arp) = received.and_then(|length| Arp::read(arp.get(..length)?)) {
                    gathered.arp(arp);
                }
            }
            received = async { raw?.ip.receive(&mut frame).await.ok() }, if raw.is_some() => {
                let frame = received.and_then(|length| frame.get(..length));
                if let Some((from, content)) = frame.and_then(|frame| datagram::udp(frame, sadp::PORT)) {
                    gathered.datagram(from, content, Ear::Wire);
                }
            }
        }
    }
}

/// One inquiry to the group and one to everybody: some clients send only the one, some devices hear only
/// the other (reference: ISAPI §16).
async fn inquire(socket: &UdpSocket) -> Result<(), Error> {
    let inquiry = sadp::inquiry();
    for to in [sadp::GROUP, Ipv4Addr::BROADCAST] {
        let to = SocketAddrV4::new(to, sadp::PORT);
        socket.send_to(inquiry.as_bytes(), to).await.map_err(Error::system(SEARCHING))?;
    }
    Ok(())
}

//! An address in the recorder's subnet, for as long as the work there takes.
//!
//! The kernel counts its lifetime, so a crash or a power cut of this program takes it away as well
//! (`valid_lft`). It is written down before it is added: [`probe`] gives a [`Probed`], whose
//! [`Probed::record`] the caller makes durable, and then [`Probed::bring_up`]. A record without its address is
//! harmless, [`Temporary::remove`] says [`Removal::AlreadyGone`].
//!
//! Other addresses are never touched. What is taken away is the address with the record's interface, subnet
//! and label, and only while it has a lifetime: somebody who made it permanent meanwhile wants to keep it.

mod choose;

use std::fs::read_to_string;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::address::{
    AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope, CacheInfo,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::arp::{self, Arp};
use crate::error::Error;
use crate::mac::Mac;
use crate::netlink::Netlink;
use crate::packet::{self, Packets};
use crate::read::{Assigned, addresses};
use crate::snapshot::{Interface, Snapshot};

/// What RFC 5227 §2.1.1 asks for, without its random first wait: that one is for many hosts that are
/// switched on at once.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Probes for each address.
    pub probes: u32,
    /// Time from one to the next.
    pub between: Duration,
    /// Time to listen after the last.
    pub after: Duration,
}

impl Default for Pace {
    /// Three probes, a second apart, and two seconds of silence.
    fn default() -> Self {
        Self { probes: 3, between: Duration::from_secs(1), after: Duration::from_secs(2) }
    }
}

/// What kind of address is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The interface with the cable.
    pub interface: &'a str,
    /// The recorder, with the prefix length of its subnet. It may be a claim (SADP): it is checked here.
    pub recorder: Ipv4Net,
    /// Addresses that are known to be in use: gateways, hosts that were heard.
    pub avoid: &'a [Ipv4Addr],
    /// This one and no other.
    pub address: Option<Ipv4Addr>,
}

/// An address that nobody answered for, not added yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is added yet"]
pub struct Probed(Temporary);

/// An address that was, or was about to be, added: what to keep in order to take it away again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Temporary {
    interface: String,
    index: u32,
    address: Ipv4Net,
    label: String,
}

/// What became of a temporary address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// It was taken away.
    Removed,
    /// It was not there: its lifetime has ended, or the interface is gone.
    AlreadyGone,
    /// An address like it is there, and it is not the one that was added: left alone.
    NotOurs,
}

const PROBING: &str = "ARP probe";
const ADDING: &str = "temporary address";

/// Finds an address that is free: chosen, then asked for by ARP. An address that was named is asked for
/// and no other. Needs `CAP_NET_RAW`; takes about four seconds for a free one.
pub async fn probe(wish: Wish<'_>, pace: Pace) -> Result<Probed, Error> {
    let snapshot = Snapshot::read()?;
    let name = wish.interface;
    let interface = snapshot.named(name).ok_or_else(|| Error::NoInterface { name: name.into() })?;
    let own = interface.mac.ok_or_else(|| Error::NotEthernet { name: name.into() })?;
    if !interface.up || !interface.carrier {
        return Err(Error::NoCarrier { name: name.into() });
    }
    let candidates = choose::candidates(&wish)?;
    if let Some(address) = within(interface, wish.recorder) {
        return Err(Error::AlreadyInSubnet { interface: name.into(), address });
    }
    let packets = Packets::open(name, arp::ETHERTYPE, PROBING)?;
    for address in &candidates {
        match conflict(&packets, own, *address, pace).await? {
            None => {
                let address = Ipv4Net::new(*address, wish.recorder.prefix_len()).map_err(|_| {
                    Error::NotASubnet { recorder: wish.recorder, why: "its prefix is too long" }
                })?;
                let label = label(name);
                return Ok(Probed(Temporary {
                    interface: name.into(),
                    index: interface.index,
                    address,
                    label,
                }));
            }
            Some(by) if wish.address.is_some() => return Err(Error::AddressTaken { address: *address, by }),
            Some(_) => {}
        }
    }
    Err(Error::NoFreeAddress { subnet: wish.recorder.trunc(), tried: candidates.len() })
}

fn within(interface: &Interface, subnet: Ipv4Net) -> Option<Ipv4Net> {
    let v4 = interface.addresses.iter().filter_map(|address| match address {
        IpNet::V4(address) => Some(*address),
        IpNet::V6(_) => None,
    });
    v4.into_iter().find(|address| address.contains(&subnet.addr()) || subnet.contains(&address.addr()))
}

/// Who has an address, or wants it at the same time.
async fn conflict(packets: &Packets, own: Mac, address: Ipv4Addr, pace: Pace) -> Result<Option<Mac>, Error> {
    let mut frame = [0; packet::LARGEST];
    for sent in 1..=pace.probes {
        packets.send(&Arp::probe(own, address).request_frame(), PROBING)?;
        let end = Instant::now() + if sent < pace.probes { pace.between } else { pace.after };
        while let Ok(received) = timeout_at(end, packets.receive(&mut frame)).await {
            let length = received.map_err(Error::system(PROBING))?;
            let arp = frame.get(..length).and_then(Arp::read);
            if let Some(arp) = arp.filter(|arp| arp.conflicts(address, own)) {
                return Ok(Some(arp.sender));
            }
        }
    }
    Ok(None)
}

/// Shown by `ip address` and `ifconfig`, so that a person knows where it comes from: the interface's name
/// and `:crr`, if both fit into the 15 bytes that the kernel gives a label.
fn label(interface: &str) -> String {
    let label = format!("{interface}:crr");
    if label.len() <= 15 { label } else { interface.into() }
}

impl Probed {
    /// What to write down before [`Probed::bring_up`].
    pub fn record(&self) -> &Temporary {
        &self.0
    }

    /// Adds the address, for this long at most. Needs `CAP_NET_ADMIN`.
    pub fn bring_up(self, lifetime: Duration) -> Result<Temporary, Error> {
        self.0.put(lifetime, NLM_F_CREATE | NLM_F_EXCL)?;
        Ok(self.0)
    }
}

impl Temporary {
    /// The interface.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The address, with the prefix length of its subnet.
    pub fn address(&self) -> Ipv4Net {
        self.address
    }

    /// Gives the address this long from now on, if it is still there; `false` if it is not.
    pub fn renew(&self, lifetime: Duration) -> Result<bool, Error> {
        let netlink = Netlink::open()?;
        let here = self.find(&addresses(&netlink)?).is_some_and(|found| self.is_ours(found));
        if here {
            self.put(lifetime, NLM_F_REPLACE)?;
        }
        Ok(here)
    }

    /// Takes the address away, if it is the one that was added.
    pub fn remove(&self) -> Result<Removal, Error> {
        let netlink = Netlink::open()?;
        let all = addresses(&netlink)?;
        let Some(found) = self.find(&all) else { return Ok(Removal::AlreadyGone) };
        if !self.is_ours(found) {
            return Ok(Removal::NotOurs);
        }
        if let Some(other) = self.others_with_it(found, &all) {
            return Err(Error::Shared { address: self.address, interface: self.interface.clone(), other });
        }
        netlink.order(ADDING, RouteNetlinkMessage::DelAddress(found.message.clone()), 0)?;
        Ok(Removal::Removed)
    }

    fn find<'a>(&self, all: &'a [Assigned]) -> Option<&'a Assigned> {
        all.iter().find(|one| one.interface == self.index && one.net == IpNet::V4(self.address))
    }

    fn is_ours(&self, found: &Assigned) -> bool {
        !found.permanent && found.label.as_deref() == Some(self.label.as_str())
    }

    /// The kernel takes the later addresses of a subnet away with its first one, unless it is told to
    /// promote them (`promote_secondaries`).
    fn others_with_it(&self, found: &Assigned, all: &[Assigned]) -> Option<Ipv4Net> {
        let secondary = |one: &Assigned| one.message.header.flags.contains(AddressHeaderFlags::Secondary);
        if secondary(found) || promotes("all") || promotes(&self.interface) {
            return None;
        }
        let later = all.iter().filter(|one| one.interface == self.index && secondary(one));
        later
            .filter_map(|one| match one.net {
                IpNet::V4(net) => Some(net),
                IpNet::V6(_) => None,
            })
            .find(|net| net.trunc() == self.address.trunc())
    }

    fn put(&self, lifetime: Duration, flags: u16) -> Result<(), Error> {
        // the largest number means for ever
        let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX).clamp(1, u32::MAX - 1);
        let mut info = CacheInfo::default();
        (info.ifa_preferred, info.ifa_valid) = (seconds, seconds);
        let ip = IpAddr::V4(self.address.addr());
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = self.address.prefix_len();
        message.header.scope = AddressScope::Universe;
        message.header.index = self.index;
        message.attributes = vec![
            AddressAttribute::Local(ip),
            AddressAttribute::Address(ip),
            AddressAttribute::Broadcast(self.address.broadcast()),
            AddressAttribute::Label(self.label.clone()),
            AddressAttribute::CacheInfo(info),
        ];
        Netlink::open()?.order(ADDING, RouteNetlinkMessage::NewAddress(message), flags)
    }
}

fn promotes(scope: &str) -> bool {
    let path = format!("/proc/sys/net/ipv4/conf/{scope}/promote_secondaries");
    read_to_string(path).is_ok_and(|text| text.trim() != "0")
}

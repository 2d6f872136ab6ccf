use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use ipnet::Ipv4Net;

use crate::mac::Mac;

/// Something about the cable could not be found out or done. None of these has changed anything, unless
/// it says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system does not let this user do it.
    #[error("{doing}: refused, this needs the rights of the administrator")]
    NeedsPrivilege {
        /// What was tried.
        doing: &'static str,
    },
    /// The system failed.
    #[error("{doing}: failed")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel said something that this program does not understand: nothing is concluded from half of it.
    #[error("answer of the kernel about {about} cannot be read: {why}")]
    Unreadable {
        /// What it was about.
        about: &'static str,
        /// What is wrong.
        why: String,
    },
    /// What says whether this laptop passes on what it receives is not there: nothing is concluded from that.
    #[error("forwarding: {} is not there, so nobody knows whether this laptop passes on what it receives", path.display())]
    NoSwitches {
        /// Where it is read.
        path: PathBuf,
    },
    /// There is no such interface.
    #[error("interface {name}: not found")]
    NoInterface {
        /// The name that was given.
        name: String,
    },
    /// The interface has nobody at its other end.
    #[error("interface {name}: nobody at the other end")]
    NoCarrier {
        /// Its name.
        name: String,
    },
    /// It is nothing that a cable goes into.
    #[error("interface {name}: no Ethernet interface, so there is no cable to look at")]
    NotEthernet {
        /// Its name.
        name: String,
    },
    /// The address and prefix make no subnet to be a guest in.
    #[error("subnet {recorder}: refused, {why}")]
    NotASubnet {
        /// The recorder's address, with its prefix length.
        recorder: Ipv4Net,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The interface has an address in that subnet already.
    #[error("interface {interface}: has {address} in that subnet already, so nothing was added")]
    AlreadyInSubnet {
        /// Its name.
        interface: String,
        /// The address it has.
        address: Ipv4Net,
    },
    /// Somebody uses the address.
    #[error("address {address}: refused, {by} uses it")]
    AddressTaken {
        /// The address that was wanted.
        address: Ipv4Addr,
        /// Who answered.
        by: Mac,
    },
    /// Nothing was free among what was tried.
    #[error("subnet {subnet}: no free address among {tried} that were tried")]
    NoFreeAddress {
        /// The subnet.
        subnet: Ipv4Net,
        /// How many were asked for.
        tried: usize,
    },
    /// Taking the address away would take others with it, so it was left.
    #[error("address {address}: left on {interface}, taking it away would take {other} away as well")]
    Shared {
        /// The address of ours.
        address: Ipv4Net,
        /// The interface.
        interface: String,
        /// The other one.
        other: Ipv4Net,
    },
}

impl Error {
    /// What to do now, where there is anything.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NeedsPrivilege { .. } => "run it with sudo".into(),
            Self::NoSwitches { .. } => "mount what the kernel tells: sudo mount -t proc proc /proc".into(),
            Self::NoInterface { .. } => "ip link shows what there is".into(),
            Self::NoCarrier { name } => {
                format!("plug the cable in, switch the recorder on, then: ip link set {name} up")
            }
            Self::AlreadyInSubnet { .. } => "the recorder can be talked to as it is: applier inspect".into(),
            Self::AddressTaken { .. } => "leave the choice to the program, or name another one".into(),
            Self::NoFreeAddress { .. } => "name one that is free".into(),
            Self::Shared { interface, .. } => {
                // sysctl takes a slash for the dot that a name may hold
                let interface = interface.replace('.', "/");
                format!("sysctl -w net.ipv4.conf.{interface}.promote_secondaries=1, then again")
            }
            Self::System { .. }
            | Self::Unreadable { .. }
            | Self::NotEthernet { .. }
            | Self::NotASubnet { .. } => return None,
        })
    }

    /// What a system error means here.
    pub(crate) fn system(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::PermissionDenied => Self::NeedsPrivilege { doing },
            _ => Self::System { doing, source },
        }
    }
}

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::Sadp;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);

/// One socket for each way in: its own address, the group, the broadcast address. Each is bound to just
/// that, so that several recorders of one machine hear the group and are told apart by unicast.
pub(crate) struct Sockets {
    /// The address that the recorder tells.
    pub(crate) own: Ipv4Addr,
    port: u16,
    pub(super) own_socket: UdpSocket,
    pub(super) group_socket: UdpSocket,
    pub(super) broadcast_socket: UdpSocket,
}

impl Sockets {
    /// Opens them at this address.
    pub(crate) fn open(sadp: &Sadp, own: Ipv4Addr) -> io::Result<Self> {
        let open = |address: Ipv4Addr| {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_reuse_address(true)?;
            if let Some(interface) = &sadp.interface {
                socket.bind_device(Some(interface.as_bytes()))?;
            }
            socket.bind(&SocketAddr::from((address, sadp.port)).into())?;
            socket.set_nonblocking(true)?;
            Ok::<_, io::Error>(socket)
        };
        let sending = open(own)?;
        sending.set_multicast_if_v4(&own)?;
        let group = open(GROUP)?;
        // only what arrives where this socket joined: not what others of this machine joined elsewhere
        group.set_multicast_all_v4(false)?;
        group.join_multicast_v4(&GROUP, &own)?;
        Ok(Self {
            own,
            port: sadp.port,
            own_socket: UdpSocket::from_std(sending.into())?,
            group_socket: UdpSocket::from_std(group.into())?,
            broadcast_socket: UdpSocket::from_std(open(Ipv4Addr::BROADCAST)?.into())?,
        })
    }

    /// Where answers for everybody go.
    pub(super) fn group_address(&self) -> SocketAddr {
        (GROUP, self.port).into()
    }
}

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// A port that stays ours while nobody listens on it: a bound socket that never listens. While the
/// recorder is down, connections are refused as by a dead host, and no other process can take it.
pub(crate) struct Port {
    held: TcpSocket,
}

/// Connections waiting to be accepted.
const BACKLOG: u32 = 64;

impl Port {
    /// Takes the port; port 0 takes a free one.
    pub(crate) fn hold(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { held: bound(address)? })
    }

    /// Address and port.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.held.local_addr()
    }

    /// Listens until the listener is dropped.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bound(self.address()?)?.listen(BACKLOG)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // several sockets may share an address if all say so and at most one listens (socket(7))
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_held_port_refuses_and_can_be_opened_again() {
        let port = Port::hold("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = port.address().unwrap();
        for _ in 0..2 {
            assert_eq!(
                TcpStream::connect(address).await.unwrap_err().kind(),
                io::ErrorKind::ConnectionRefused
            );
            let listener = port.listen().unwrap();
            let client = TcpStream::connect(address).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            drop((server, listener, client));
        }
    }
}

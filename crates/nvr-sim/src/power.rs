//! On, down, on again: how a reboot reaches the wire.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::connection;
use crate::port::Port;
use crate::recorder::Recorder;
use crate::state::Stage;

/// Where the recorder is reached.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) plain: SocketAddr,
    pub(crate) secure: Option<SocketAddr>,
}

/// The ports that it holds for good, whether it is up or not.
pub(crate) struct Ports {
    plain: Port,
    /// Whether it listens on the plain one at all.
    plain_is_open: bool,
    secure: Option<Port>,
}

/// The ports while it is up.
pub(crate) struct Listeners {
    plain: Option<TcpListener>,
    secure: Option<TcpListener>,
}

impl Ports {
    /// Takes them.
    pub(crate) fn hold(place: Place, plain_is_open: bool) -> io::Result<Self> {
        let secure = place.secure.map(Port::hold).transpose()?;
        Ok(Self { plain: Port::hold(place.plain)?, plain_is_open, secure })
    }

    /// Where they are.
    pub(crate) fn place(&self) -> io::Result<Place> {
        let secure = self.secure.as_ref().map(Port::address).transpose()?;
        Ok(Place { plain: self.plain.address()?, secure })
    }

    /// Listens until the listeners are dropped.
    pub(crate) fn listen(&self) -> io::Result<Listeners> {
        let plain = if self.plain_is_open { Some(self.plain.listen()?) } else { None };
        Ok(Listeners { plain, secure: self.secure.as_ref().map(Port::listen).transpose()? })
    }

    /// The same ports at another address; only the plain one may be named.
    fn moved(&self, to: SocketAddr) -> io::Result<Self> {
        let secure = self.place()?.secure.map(|old| SocketAddr::new(to.ip(), old.port()));
        Self::hold(Place { plain: to, secure }, self.plain_is_open)
    }
}

/// Runs the recorder through all its reboots; ends only if a port fails.
pub(crate) async fn run(recorder: Arc<Recorder>, mut ports: Ports, mut up: Listeners) -> io::Result<()> {
    loop {
        serve_until_down(&recorder, up).await?;
        tokio::time::sleep(recorder.down).await;
        // fails only without a sender, which is part of the recorder
        let _ = recorder.state.subscribe().wait_for(|state| !state.faults.never_back).await;
        let moves_to = recorder.state().faults.back_at;
        if let Some(to) = moves_to {
            ports = ports.moved(to)?;
        }
        // first the port, then the state: whoever waits for the state finds the port open
        up = ports.listen()?;
        recorder.boot(ports.place()?).map_err(io::Error::other)?;
    }
}

/// Accepts connections until the recorder goes down, then drops the listeners and all of them.
async fn serve_until_down(recorder: &Arc<Recorder>, up: Listeners) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let mut state = recorder.state.subscribe();
    loop {
        let own = Arc::clone(recorder);
        tokio::select! {
            accepted = accept(up.plain.as_ref()) => if let Some(stream) = accepted? {
                connections.spawn(connection::plain(own, stream));
            },
            accepted = accept(up.secure.as_ref()) => if let Some(stream) = accepted? {
                connections.spawn(connection::secure(own, stream));
            },
            Some(_) = connections.join_next() => {}
            _ = state.wait_for(|state| state.stage == Stage::Down) => return Ok(()),
        }
    }
}

/// The next connection; `None` for one that was gone before it was taken.
async fn accept(listener: Option<&TcpListener>) -> io::Result<Option<TcpStream>> {
    let Some(listener) = listener else { return std::future::pending().await };
    match listener.accept().await {
        Ok((stream, _)) => Ok(Some(stream)),
        Err(error) if connection::is_passing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use firmware::{Serial, Sha256Digest};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::recorder::Recorder;
use crate::{Content, Faults, Login, State};

/// A running recorder; it ends when this is dropped.
pub struct Handle {
    pub(crate) control_address: Option<SocketAddr>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) tasks: JoinSet<io::Result<()>>,
}

impl Handle {
    /// Where it listens; a reboot may have moved it.
    pub fn address(&self) -> SocketAddr {
        self.recorder.state.borrow().address
    }

    /// Where it listens for TLS, if it does.
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.recorder.state.borrow().https_address
    }

    /// SHA-256 of its certificate (DER), if it listens for TLS; an upgrade may have changed it.
    pub fn certificate(&self) -> Option<Sha256Digest> {
        self.recorder.state.borrow().certificate
    }

    /// Where its control port listens, if it has one.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control_address
    }

    /// Its serial number.
    pub fn serial(&self) -> Serial {
        self.recorder.state.borrow().serial.clone()
    }

    /// What it is doing and has seen.
    pub fn state(&self) -> State {
        self.recorder.state()
    }

    /// Waits until its state is as wanted; returns at once if it already is.
    pub async fn until(&self, wanted: impl FnMut(&State) -> bool) -> State {
        let mut state = self.subscribe();
        match state.wait_for(wanted).await {
            Ok(state) => state.clone(),
            // not reached: the sender lives in this handle
            Err(_) => self.state(),
        }
    }

    /// A receiver that sees its state change.
    pub fn subscribe(&self) -> watch::Receiver<State> {
        self.recorder.state.subscribe()
    }

    /// Replaces all faults.
    pub fn set_faults(&self, faults: Faults) {
        self.recorder.state.send_modify(|state| state.faults = faults);
    }

    /// Replaces how it asks for credentials; an empty password leaves the password as it is.
    pub fn set_login(&self, login: Login) {
        self.recorder.set_login(login);
    }

    /// Replaces what it tells about itself.
    pub fn set_content(&self, content: Content) {
        self.recorder.state.send_modify(|state| state.content = content);
    }

    /// Reboots it as a power cut would: at once and unasked, unless it is receiving or flashing.
    pub fn reboot(&self) {
        self.recorder.power_down();
    }

    /// Waits for it to fail and says why; a recorder in good order never returns from this.
    pub async fn failed(&mut self) -> io::Error {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(Err(error))) => return error,
                Some(Err(panicked)) => return io::Error::other(panicked),
                Some(Ok(Ok(()))) => {}
                None => return io::Error::other("recorder has ended"),
            }
        }
    }

    /// Ends it and closes all its connections.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware::{InvalidSerial, Model, Revision, Serial};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::gate::{Gate, realm};
use crate::lock::Lock;
use crate::nonce::Nonces;
use crate::power::{self, Port};
use crate::recorder::Recorder;
use crate::{Algorithm, Counters, Faults, Stage, State, control};

/// What a simulated recorder is to be. The fields may be set directly.
#[derive(Clone)]
pub struct Builder {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its control port listens, if it has one; must be loopback.
    pub control: Option<SocketAddr>,
    /// Its model.
    pub model: Model,
    /// Its serial number; one that begins with the model if not given.
    pub serial: Option<Serial>,
    /// `deviceType`: `NVR` or `DVR`.
    pub device_type: String,
    /// The firmware it runs.
    pub before: Revision,
    /// The firmware it runs after an upgrade, whatever was pushed.
    pub after: Revision,
    /// User name of its one account.
    pub user: String,
    /// Password of that account.
    pub password: String,
    /// The hash that its challenge asks for.
    pub algorithm: Algorithm,
    /// How many requests one nonce is good for.
    pub max_nonce_uses: u32,
    /// Wrong passwords before it locks.
    pub login_tries: u32,
    /// How long it stays locked.
    pub lock: Duration,
    /// How long writing the flash takes.
    pub flash: Duration,
    /// How long a reboot takes.
    pub down: Duration,
    /// What its clock shows when it starts.
    pub clock: Timestamp,
    /// What is wrong with it.
    pub faults: Faults,
}

/// The recorder could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, or not ours.
    #[error("recorder cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The control port could be reached from outside.
    #[error("control address {0} refused: it must be a loopback address")]
    ControlNotLoopback(SocketAddr),
    /// No serial was given and none can be made from the model.
    #[error("serial cannot be made from model {0}")]
    Serial(Model, #[source] InvalidSerial),
}

impl Builder {
    /// A recorder in good order with this account, on a free loopback port, that upgrades and reboots
    /// at once. `clock` is what its own clock shows.
    pub fn new(model: Model, before: Revision, after: Revision, password: &str, clock: Timestamp) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: None,
            model,
            serial: None,
            device_type: "NVR".into(),
            before,
            after,
            user: "admin".into(),
            password: password.into(),
            algorithm: Algorithm::Md5,
            max_nonce_uses: 2,
            login_tries: 5,
            lock: Duration::from_secs(1800),
            flash: Duration::ZERO,
            down: Duration::ZERO,
            clock,
            faults: Faults::default(),
        }
    }

    /// Starts it. It listens when this returns.
    pub async fn start(self) -> Result<Handle, StartError> {
        let hold = |address| {
            let open = || Port::hold(address).and_then(|port| Ok((port.listen()?, port.address()?, port)));
            open().map_err(|error| StartError::Listen(address, error))
        };
        let (listener, address, port) = hold(self.listen)?;
        let control = match self.control {
            Some(control) if !control.ip().is_loopback() => {
                return Err(StartError::ControlNotLoopback(control));
            }
            Some(control) => {
                Some(TcpListener::bind(control).await.map_err(|error| StartError::Listen(control, error))?)
            }
            None => None,
        };
        let control_address = control.as_ref().and_then(|listener| listener.local_addr().ok());
        let recorder = Arc::new(self.into_recorder()?);
        let mut tasks = JoinSet::new();
        tasks.spawn(power::run(Arc::clone(&recorder), port, listener));
        if let Some(listener) = control {
            tasks.spawn(control::run(Arc::clone(&recorder), listener));
        }
        Ok(Handle { address, control_address, recorder, tasks })
    }

    fn into_recorder(self) -> Result<Recorder, StartError> {
        let serial = match self.serial {
            Some(serial) => serial,
            // model, board digits, date, region and class letters (reference: ISAPI §8.3)
            None => format!("{}0120200101CCRRE00000001WCVU", self.model)
                .parse()
                .map_err(|error| StartError::Serial(self.model.clone(), error))?,
        };
        let gate = Gate {
            user: self.user,
            password: self.password,
            algorithm: self.algorithm,
            realm: realm(&serial),
            nonces: Nonces::new(self.max_nonce_uses),
            lock: Lock::new(self.login_tries, self.lock),
        };
        let state = State {
            stage: Stage::Idle,
            revision: self.before,
            counters: Counters::default(),
            last_package: None,
            faults: self.faults,
            flashing_since: None,
        };
        Ok(Recorder {
            model: self.model,
            serial,
            device_type: self.device_type,
            after: self.after,
            flash: self.flash,
            down: self.down,
            gate: Mutex::new(gate),
            state: watch::Sender::new(state),
            clock: (self.clock, Instant::now()),
        })
    }
}

/// A running recorder; it ends when this is dropped.
pub struct Handle {
    address: SocketAddr,
    control_address: Option<SocketAddr>,
    recorder: Arc<Recorder>,
    tasks: JoinSet<io::Result<()>>,
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its control port listens, if it has one.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control_address
    }

    /// Its serial number.
    pub fn serial(&self) -> &Serial {
        &self.recorder.serial
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

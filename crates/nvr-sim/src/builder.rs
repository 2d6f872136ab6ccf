use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use firmware::{InvalidSerial, Model, Revision, Serial};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::gate::{Gate, realm};
use crate::handle::Handle;
use crate::lock::Lock;
use crate::nonce::Nonces;
use crate::power::{self, Place, Ports};
use crate::recorder::Recorder;
use crate::sadp::{self, Sockets};
use crate::scenario::{seconds, whole_text};
use crate::tls::{self, TlsError};
use crate::{Content, Counters, Faults, Login, Profile, Sadp, Stage, State, control};

/// What a simulated recorder is to be. The fields may be set directly; a scenario file has the same
/// names (`docs/simulator.md`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builder {
    /// Where it listens; port 0 takes a free one.
    #[serde(default = "any_port")]
    pub listen: SocketAddr,
    /// Where it listens for TLS, if it does.
    #[serde(default)]
    pub https: Option<SocketAddr>,
    /// Whether it listens at `listen` at all, or for TLS only.
    #[serde(default = "yes")]
    pub plain_http: bool,
    /// Where its control port listens, if it has one; must be loopback.
    #[serde(default)]
    pub control: Option<SocketAddr>,
    /// Which device it is like.
    #[serde(default)]
    pub profile: Profile,
    /// Its model.
    pub model: Model,
    /// Its serial number; one that begins with the model if not given.
    #[serde(default)]
    pub serial: Option<Serial>,
    /// `deviceType`; that of the profile if not given.
    #[serde(default)]
    pub device_type: Option<String>,
    /// The firmware it runs.
    #[serde(with = "whole_text")]
    pub before: Revision,
    /// The firmware it runs after an upgrade, whatever was pushed.
    #[serde(with = "whole_text")]
    pub after: Revision,
    /// How long writing the flash takes.
    #[serde(rename = "flash_seconds", with = "seconds", default = "some_seconds")]
    pub flash: Duration,
    /// How long a reboot takes.
    #[serde(rename = "down_seconds", with = "seconds", default = "some_seconds")]
    pub down: Duration,
    /// What its clock shows when it starts.
    #[serde(skip)]
    pub clock: Timestamp,
    /// How it asks for credentials.
    #[serde(default)]
    pub login: Login,
    /// What it tells about itself.
    #[serde(default)]
    pub content: Content,
    /// How it is found; without this it is not.
    #[serde(default)]
    pub sadp: Option<Sadp>,
    /// What is wrong with it.
    #[serde(default)]
    pub faults: Faults,
}

/// What a scenario need not say.
const DEFAULTS: [(&str, &str); 3] =
    [("model", "DS-7608NI-I2"), ("before", "V4.30.097:200101"), ("after", "V4.61.025:230421")];

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn yes() -> bool {
    true
}

/// Time enough to watch, and short enough to wait for.
fn some_seconds() -> Duration {
    Duration::from_secs(3)
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
    /// No challenge could be sent.
    #[error("login.algorithms is empty, expected one algorithm at least")]
    NoAlgorithm,
    /// It cannot shake hands.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no IPv4 address to tell.
    #[error("sadp.address is missing, and {0} is not an IPv4 address")]
    SadpAddress(SocketAddr),
    /// The group cannot be joined there.
    #[error("recorder cannot answer SADP at {0}")]
    Sadp(Ipv4Addr, #[source] io::Error),
}

impl Builder {
    /// A recorder in good order with this account, on a free loopback port, that upgrades and reboots
    /// at once. `clock` is what its own clock shows.
    pub fn new(model: Model, before: Revision, after: Revision, password: &str, clock: Timestamp) -> Self {
        Self {
            listen: any_port(),
            https: None,
            plain_http: true,
            control: None,
            profile: Profile::default(),
            model,
            serial: None,
            device_type: None,
            before,
            after,
            flash: Duration::ZERO,
            down: Duration::ZERO,
            clock,
            login: Login { password: password.into(), ..Login::default() },
            content: Content::default(),
            sadp: None,
            faults: Faults::default(),
        }
    }

    /// The recorder of a scenario file, TOML with the keys of `docs/simulator.md`. An empty one is a
    /// recorder in good order that takes some seconds to upgrade and to reboot.
    ///
    /// # Errors
    /// Text that is not TOML, an unknown key, a value out of range.
    pub fn scenario(text: &str, clock: Timestamp) -> Result<Self, toml::de::Error> {
        let mut table: toml::Table = toml::from_str(text)?;
        for (key, value) in DEFAULTS {
            table.entry(key).or_insert_with(|| value.into());
        }
        Ok(Self { clock, ..table.try_into()? })
    }

    /// Starts it. It listens when this returns.
    pub async fn start(self) -> Result<Handle, StartError> {
        let failed = |address| move |error| StartError::Listen(address, error);
        let wanted = Place { plain: self.listen, secure: self.https };
        let ports = Ports::hold(wanted, self.plain_http);
        let opened = ports.and_then(|ports| Ok((ports.listen()?, ports.place()?, ports)));
        let (listeners, place, ports) = opened.map_err(failed(self.listen))?;
        let control = match self.control {
            Some(control) if !control.ip().is_loopback() => {
                return Err(StartError::ControlNotLoopback(control));
            }
            Some(control) => Some(TcpListener::bind(control).await.map_err(failed(control))?),
            None => None,
        };
        let control_address = control.as_ref().and_then(|listener| listener.local_addr().ok());
        let sadp = self.sadp.clone().map(|sadp| open(sadp, place.plain)).transpose()?;
        let recorder = Arc::new(self.into_recorder(place)?);
        let mut tasks = JoinSet::new();
        tasks.spawn(power::run(Arc::clone(&recorder), ports, listeners));
        if let Some(listener) = control {
            tasks.spawn(control::run(Arc::clone(&recorder), listener));
        }
        if let Some((sadp, sockets)) = sadp {
            tasks.spawn(sadp::run(Arc::clone(&recorder), sadp, sockets));
        }
        Ok(Handle { control_address, recorder, tasks })
    }

    fn into_recorder(self, place: Place) -> Result<Recorder, StartError> {
        if self.login.algorithms.is_empty() {
            return Err(StartError::NoAlgorithm);
        }
        let serial = match self.serial {
            Some(serial) => serial,
            // model, board digits, date, region and class letters (reference: ISAPI §8.3)
            None => format!("{}0120200101CCRRE00000001WCVU", self.model)
                .parse()
                .map_err(|error| StartError::Serial(self.model.clone(), error))?,
        };
        let tls = place.secure.map(|_| tls::self_signed(self.model.as_str())).transpose()?;
        let (acceptor, certificate) = tls.unzip();
        let gate = Gate {
            login: self.login.clone(),
            tries: self.profile.traits().tries,
            realm: realm(&serial),
            nonces: Nonces::new(),
            lock: Lock::default(),
        };
        let state = State {
            stage: Stage::Idle,
            revision: self.before,
            serial,
            address: place.plain,
            https_address: place.secure,
            certificate,
            counters: Counters::default(),
            last_package: None,
            last_upload_micros: None,
            last_restore: None,
            faults: self.faults,
            login: self.login,
            content: self.content,
            booted: Instant::now(),
            flashing_since: None,
        };
        Ok(Recorder {
            profile: self.profile,
            model: self.model,
            device_type: self.device_type,
            after: self.after,
            flash: self.flash,
            down: self.down,
            gate: Mutex::new(gate),
            state: watch::Sender::new(state),
            clock: (self.clock, Instant::now()),
            tls: Mutex::new(acceptor),
        })
    }
}

fn open(sadp: Sadp, listen: SocketAddr) -> Result<(Sadp, Sockets), StartError> {
    let own = sadp.own(listen).ok_or(StartError::SadpAddress(listen))?;
    let sockets = Sockets::open(&sadp, own).map_err(|error| StartError::Sadp(own, error))?;
    Ok((sadp, sockets))
}

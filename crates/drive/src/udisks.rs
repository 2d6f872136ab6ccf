//! udisks2 over the system's message bus: it mounts for whoever sits at the machine, without root
//! (<https://storaged.org/doc/udisks2-api/latest/>).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware::Text;
use tokio::runtime::{Builder, Runtime};

use zbus::{Connection, Error, Message, OwnedObjectPath, OwnedVariant, Variant, fdo};

use crate::medium::Access;

const NAME: &str = "org.freedesktop.UDisks2";
const MANAGER: &str = "/org/freedesktop/UDisks2/Manager";

/// A policy may ask a person for a password first, and a slow stick takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// udisks2, as it looks at one volume.
pub(crate) struct Udisks {
    runtime: Runtime,
    bus: Connection,
    volume: OwnedObjectPath,
}

/// Why udisks2 did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDone {
    /// No udisks2 runs, or it does not know the volume.
    #[error("no udisks2 runs")]
    Absent,
    /// A program works on it.
    #[error("udisks2: in use")]
    Busy,
    /// It says why.
    #[error("udisks2: {0}")]
    Refused(Text),
}

type Options<'a> = HashMap<&'a str, Variant<'a>>;

impl Udisks {
    /// Asks udisks2 which of its objects the volume is.
    pub(crate) fn of(node: &Path) -> Result<Self, NotDone> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|_| NotDone::Absent)?;
        let (bus, volume) = within(&runtime, PATIENCE, async {
            let bus = Connection::system().await?;
            let path = node.to_string_lossy();
            let device: Options<'_> = [("path", Variant::from(&*path))].into();
            let words = (device, Options::new());
            let interface = "org.freedesktop.UDisks2.Manager";
            let reply =
                bus.call_method(Some(NAME), MANAGER, Some(interface), "ResolveDevice", &words).await?;
            let found: Vec<OwnedObjectPath> = reply.body().deserialize()?;
            Ok((bus, found.into_iter().next()))
        })?;
        Ok(Self { runtime, bus, volume: volume.ok_or(NotDone::Absent)? })
    }

    /// Mounts it, and says where.
    pub(crate) fn mount(&self, access: Access) -> Result<PathBuf, NotDone> {
        let how = format!("{},noexec", access.option());
        let reply = self.ask(&self.volume, "Filesystem", "Mount", [("options", how.into())].into())?;
        let folder: String = reply.body().deserialize().map_err(|error| not_done(&error))?;
        Ok(folder.into())
    }

    /// Unmounts it.
    pub(crate) fn unmount(&self) -> Result<(), NotDone> {
        self.ask(&self.volume, "Filesystem", "Unmount", Options::new()).map(drop)
    }

    /// Checks it and mends what it can, while it is not mounted; whether it is in order now.
    pub(crate) fn repair(&self, patience: Duration) -> Result<bool, NotDone> {
        let interface = Some("org.freedesktop.UDisks2.Filesystem");
        let reply = within(&self.runtime, patience, async {
            self.bus.call_method(Some(NAME), &self.volume, interface, "Repair", &(Options::new(),)).await
        })?;
        reply.body().deserialize().map_err(|error| not_done(&error))
    }

    /// Switches off the drive that it is on.
    pub(crate) fn power_off(&self) -> Result<(), NotDone> {
        let words = ("org.freedesktop.UDisks2.Block", "Drive");
        let properties = Some("org.freedesktop.DBus.Properties");
        let drive = within(&self.runtime, PATIENCE, async {
            let reply = self.bus.call_method(Some(NAME), &self.volume, properties, "Get", &words).await?;
            let value: OwnedVariant = reply.body().deserialize()?;
            OwnedObjectPath::try_from(value)
        })?;
        self.ask(&drive, "Drive", "PowerOff", Options::new()).map(drop)
    }

    fn ask(
        &self,
        object: &OwnedObjectPath,
        interface: &str,
        method: &str,
        options: Options<'_>,
    ) -> Result<Message, NotDone> {
        let interface = format!("org.freedesktop.UDisks2.{interface}");
        within(&self.runtime, PATIENCE, async {
            self.bus.call_method(Some(NAME), object, Some(interface.as_str()), method, &(options,)).await
        })
    }
}

fn within<T>(
    runtime: &Runtime,
    patience: Duration,
    ask: impl Future<Output = Result<T, Error>>,
) -> Result<T, NotDone> {
    match runtime.block_on(async { tokio::time::timeout(patience, ask).await }) {
        Ok(done) => done.map_err(|error| not_done(&error)),
        Err(_) => Err(NotDone::Refused(Text::cleaned("does not answer"))),
    }
}

fn not_done(error: &Error) -> NotDone {
    match error {
        Error::MethodError(name, _, _) if name.as_str() == "org.freedesktop.UDisks2.Error.DeviceBusy" => {
            NotDone::Busy
        }
        Error::MethodError(name, words, _) => {
            NotDone::Refused(Text::cleaned(words.as_deref().unwrap_or(name.as_str())))
        }
        Error::FDO(error) => match &**error {
            fdo::Error::ServiceUnknown(_) | fdo::Error::NameHasNoOwner(_) => NotDone::Absent,
            error => NotDone::Refused(Text::cleaned(&error.to_string())),
        },
        // no socket, nobody behind it, or no bus
        _ => NotDone::Absent,
    }
}

//! A real message bus, and services of `python-dbusmock` on it, which the bus starts when they are called.

use std::fs::create_dir;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::world::{World, write};

/// A message bus of its own.
pub(crate) struct Bus {
    daemon: Child,
    /// For `DBUS_SYSTEM_BUS_ADDRESS`.
    pub(crate) address: String,
}

/// Everybody may say everything to everybody.
const ALL: &str = r#"<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>"#;
/// The interpreter of the distribution, whose packages the mock is among.
const LOGIND: &str = "/usr/bin/python3 -m dbusmock --system --template logind";

impl Bus {
    /// Starts one with logind, on which these rules hold besides.
    pub(crate) fn start(world: &World, rules: &str) -> Self {
        Self::with(world, rules, "org.freedesktop.login1", LOGIND)
    }

    /// Starts one with this service, which is started like this.
    pub(crate) fn with(world: &World, rules: &str, service: &str, start: &str) -> Self {
        let dir = world.path("bus");
        create_dir(&dir).unwrap();
        let address = format!("unix:path={}", dir.join("socket").display());
        let services = dir.display();
        let config = format!(
            "<busconfig><type>session</type><listen>{address}</listen><servicedir>{services}</servicedir>\
             <policy context=\"default\">{ALL}{rules}</policy></busconfig>"
        );
        write(&dir.join("bus.conf"), config.as_bytes());
        let activated = format!("[D-BUS Service]\nName={service}\nExec={start}\n");
        write(&dir.join(format!("{service}.service")), activated.as_bytes());
        let mut daemon = Command::new("dbus-daemon");
        daemon.arg("--config-file").arg(dir.join("bus.conf")).args(["--nofork", "--print-address"]);
        daemon.env("DBUS_SYSTEM_BUS_ADDRESS", &address).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut daemon = daemon.spawn().unwrap();
        let mut listening = String::new();
        BufReader::new(daemon.stdout.as_mut().unwrap()).read_line(&mut listening).unwrap();
        assert!(listening.starts_with(&address), "no bus: {listening}");
        Self { daemon, address }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
}

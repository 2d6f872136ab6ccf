use std::process::Stdio;

use journeys::programs::program;
use journeys::site::{AFTER, BEFORE, MODEL, PASSWORD, Site, write};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::machine::Machine;

/// Its control port, on its own loopback address.
const CONTROL: &str = "127.0.0.1:8081";
pub(crate) const SERIAL: &str = "DS-7608NI-I20120200101CCRRE00000001WCVU";
pub(crate) const HTTPS: &str = "https = \"192.168.1.64:443\"";

/// The program `nvr-sim` at the other end of the cable.
pub(crate) struct Simulator {
    program: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// SHA-256 of its certificate, if it has one.
    certificate: Option<String>,
}

/// A scenario: keys of its own, in addition to what every recorder here has, and tables after them.
pub(crate) fn scenario(keys: &str, tables: &str) -> String {
    scenario_to(AFTER, keys, tables)
}

/// The same of a recorder that runs something else after a push.
pub(crate) fn scenario_to(to: &str, keys: &str, tables: &str) -> String {
    let from = BEFORE;
    format!(
        "listen = \"192.168.1.64:80\"\ncontrol = \"{CONTROL}\"\nmodel = \"{MODEL}\"\nbefore = \"{from}\"\n\
         after = \"{to}\"\nflash_seconds = 0.3\ndown_seconds = 1.0\n{keys}\n{tables}\n\
         [login]\npassword = \"{PASSWORD}\"\n"
    )
}

impl Simulator {
    /// Starts it; when this returns, it listens.
    pub(crate) async fn start(machine: &Machine, site: &Site, scenario: &str) -> Self {
        let file = site.path("scenario.toml");
        write(&file, scenario.as_bytes());
        let enter = machine.enter();
        let mut command = Command::new(enter[0]);
        command.args(&enter[1..]).arg(program("nvr-sim")).arg("--json").arg("--scenario").arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut program = command.spawn().unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        let certificate = first["certificate"].as_str().map(str::to_owned);
        Self { program, lines, certificate }
    }

    /// Ends it, so that another one can take its place.
    pub(crate) async fn stop(&mut self) {
        self.program.kill().await.unwrap();
    }

    /// SHA-256 of the certificate that it was started with.
    pub(crate) fn certificate(&self) -> &str {
        self.certificate.as_deref().unwrap()
    }

    /// Waits until it says that it is at this stage.
    pub(crate) async fn until(&mut self, stage: &str) {
        while let Some(line) = self.lines.next_line().await.unwrap() {
            if serde_json::from_str::<Value>(&line).unwrap()["stage"] == stage {
                return;
            }
        }
        panic!("recorder has ended before it was {stage}");
    }
}

/// Its state, as its control port tells it.
pub(crate) fn state(machine: &Machine) -> Value {
    let url = format!("http://{CONTROL}/");
    serde_json::from_str(&machine.run("curl", &["--silent", "--show-error", "--fail", &url])).unwrap()
}

/// Changes what is wrong with it; `null` is a key's default.
pub(crate) fn fault(machine: &Machine, change: &str) {
    let url = format!("http://{CONTROL}/fault");
    let words = ["--silent", "--show-error", "--fail", "--request", "PATCH", "--json", change, &url];
    machine.run("curl", &words);
}

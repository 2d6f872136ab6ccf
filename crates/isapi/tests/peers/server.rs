//! A server program that runs as long as a test needs it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use isapi::Address;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// A running server; dropped, it is killed with all the processes that it started.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

/// A program by its name, also where only root has its directory on the path.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    dirs.map(|dir| dir.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: install the Debian package {package}"))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts a server that says on one of its outputs when it is ready.
    pub(crate) async fn start(mut command: Command, port: u16, ready: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let mut server = Self { child, port };
        let (lines, mut said) = mpsc::unbounded_channel();
        tokio::spawn(hear(out, lines.clone()));
        tokio::spawn(hear(err, lines));
        let mut before = String::new();
        let line = loop {
            let line = said.recv().await.unwrap_or_else(|| panic!("{command:?} ended: {before}"));
            if line.contains(ready) {
                break line;
            }
            before.push_str(&line);
        };
        if port == 0 {
            // OpenSSL chooses its port itself
            server.port = line.rsplit(':').next().unwrap().trim().parse().unwrap();
        }
        server
    }

    pub(crate) fn address(&self) -> Address {
        format!("127.0.0.1:{}", self.port).parse().unwrap()
    }

    /// Ends it in an orderly way, so that its logs are written.
    pub(crate) async fn stop(mut self) {
        assert!(signal("-TERM", self.child.id().unwrap()));
        self.child.wait().await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(id) = self.child.id() {
            signal("-KILL", id);
        }
    }
}

/// Sends a signal to the process group of a server.
fn signal(name: &str, group: u32) -> bool {
    let group = format!("-{group}");
    std::process::Command::new("kill").args([name, "--", &group]).status().is_ok_and(|s| s.success())
}

/// Reads to the end, whether or not anybody listens any more: a server must not block on what it says.
async fn hear(output: impl AsyncRead + Unpin, lines: mpsc::UnboundedSender<String>) {
    let mut output = BufReader::new(output).lines();
    while let Ok(Some(line)) = output.next_line().await {
        let _ = lines.send(line);
    }
}

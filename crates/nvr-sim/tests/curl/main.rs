//! `curl --digest`, a client that we did not write, against the recorder.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests

mod answers;
mod challenges;
mod configuration;
mod documents;
mod login;
mod program;
mod reboot;
mod scenario;
mod slow;
mod tls;
mod upgrade;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nvr_sim::synthetic::Synthetic;
use nvr_sim::{Builder, Faults, Handle};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;

/// How one transfer of curl ended.
#[derive(Debug)]
struct Transfer {
    /// HTTP status; 0 if no answer came.
    status: u16,
    /// Header and body.
    text: String,
    /// curl's own exit code was 0.
    ended_well: bool,
}

async fn curl<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Transfer {
    let mut command = Command::new("curl");
    command.args(["-sSi", "--noproxy", "*", "--max-time", "60", "-w", "\n%{http_code}"]).args(args);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let (text, status) = stdout.rsplit_once('\n').unwrap();
    Transfer { status: status.parse().unwrap(), text: text.to_owned(), ended_well: output.status.success() }
}

fn builder() -> Builder {
    Builder::new(
        "DS-7608NI-I2".parse().unwrap(),
        "V4.30.097:200101".parse().unwrap(),
        "V4.61.025:230421".parse().unwrap(),
        "right",
        "2026-11-22T10:00:00Z".parse().unwrap(),
    )
}

/// A recorder with something of its own.
async fn start(change: impl FnOnce(&mut Builder)) -> Handle {
    let mut builder = builder();
    change(&mut builder);
    builder.start().await.unwrap()
}

/// A recorder with these faults.
async fn faulty(faults: Faults) -> Handle {
    start(|recorder| recorder.faults = faults).await
}

fn url(recorder: &Handle, path: &str) -> String {
    format!("http://{}/ISAPI/{path}", recorder.address())
}

/// `curl --digest` with this password.
async fn ask(recorder: &Handle, password: &str, path: &str) -> Transfer {
    curl(["--digest", "-u", &format!("admin:{password}"), &url(recorder, path)]).await
}

/// The right password and a `GET`.
async fn get(recorder: &Handle, path: &str) -> Transfer {
    ask(recorder, "right", path).await
}

/// The right password and an empty `PUT`.
async fn put(recorder: &Handle, path: &str) -> Transfer {
    curl(["--digest", "-u", "admin:right", "-X", "PUT", &url(recorder, path)]).await
}

/// A connection on which a request without credentials was sent.
async fn raw(recorder: &Handle, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(recorder.address()).await.unwrap();
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: recorder\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

impl Transfer {
    /// The text of the first node of this name.
    fn node(&self, name: &str) -> &str {
        let (_, rest) = self.text.split_once(&format!("<{name}>")).expect(&self.text);
        rest.split_once("</").unwrap().0
    }

    /// The `WWW-Authenticate` headers of the first answer.
    fn challenges(&self) -> Vec<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        head.lines().filter_map(|line| line.strip_prefix("Www-Authenticate: ")).collect()
    }
}

async fn push(recorder: &Handle, file: &Path) -> Transfer {
    let url = url(recorder, "System/updateFirmware");
    let file = file.to_str().unwrap();
    curl(["--digest", "-u", "admin:right", "-H", "Content-Type: application/octet-stream", "-T", file, &url])
        .await
}

/// A synthetic container in `directory`.
fn dav(directory: &Path, size: u64) -> PathBuf {
    let path = directory.join("digicap.dav");
    let revision = "V4.61.025:230421".parse().unwrap();
    let synthetic = Synthetic { size, revision, language: 1, device_class: 1, seed: 0 };
    synthetic.write_dav(&mut std::fs::File::create(&path).unwrap()).unwrap();
    path
}

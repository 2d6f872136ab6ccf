//! `curl --digest`, a client that we did not write, against the recorder.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod login;
mod program;
mod upgrade;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nvr_sim::synthetic::Synthetic;
use nvr_sim::{Builder, Handle};
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

fn url(recorder: &Handle, path: &str) -> String {
    format!("http://{}/ISAPI/{path}", recorder.address())
}

/// `curl --digest` with this password.
async fn ask(recorder: &Handle, password: &str, path: &str) -> Transfer {
    curl(["--digest", "-u", &format!("admin:{password}"), &url(recorder, path)]).await
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

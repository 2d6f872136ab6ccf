//! A program at work, with what it says while it is.
// helpers of tests are tests: where something is not as it should be, they panic
#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc)]

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::ran::Ran;
use crate::site::Site;

/// `applier` at work, with what it says while it is.
pub struct Running {
    program: Child,
    command: String,
    said: Lines<BufReader<ChildStderr>>,
    heard: String,
}

impl Running {
    /// Starts a command, which a person would type like this.
    pub fn start(mut command: Command, words: String) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let said = BufReader::new(program.stderr.take().unwrap()).lines();
        Self { program, command: words, said, heard: String::new() }
    }

    /// Sends it a signal, as a terminal or a system would.
    pub fn signal(&self, signal: Signal) {
        let process = self.program.id().and_then(|id| Pid::from_raw(id.try_into().unwrap()));
        kill_process(process.unwrap(), signal).unwrap();
    }

    /// Waits for a line with these words on standard error.
    pub async fn until(&mut self, words: &str) {
        while let Some(line) = self.said.next_line().await.unwrap() {
            self.heard.push_str(&line);
            self.heard.push('\n');
            if line.contains(words) {
                return;
            }
        }
        panic!("{} has ended and never said {words:?}\n{}", self.command, self.heard);
    }

    /// Kills it, as the kernel does where memory is short.
    pub async fn kill(mut self) {
        self.program.kill().await.unwrap();
    }

    /// Waits for its end.
    pub async fn ended(mut self, site: &Site) -> Ran {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut stdout = self.program.stdout.take().unwrap();
        let mut stderr = self.said.into_inner();
        let (read_out, read_err) = tokio::join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
        read_out.and(read_err).unwrap();
        let status = self.program.wait().await.unwrap();
        // as a shell tells of a signal
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
        let err = self.heard.into_bytes().into_iter().chain(err).collect();
        let (out, err) = (site.plain(out), site.plain(err));
        Ran { name: "applier".into(), command: self.command, code, out, err, pushes: 0 }
    }
}

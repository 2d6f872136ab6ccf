use std::process::Stdio;

use journeys::ran::Ran;
use journeys::site::Site;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// `applier` at work, with what it says while it is.
pub(crate) struct Running {
    program: Child,
    command: String,
    said: Lines<BufReader<ChildStderr>>,
    heard: String,
}

impl Running {
    pub(crate) fn start(mut command: Command, words: String) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let said = BufReader::new(program.stderr.take().unwrap()).lines();
        Self { program, command: words, said, heard: String::new() }
    }

    /// Waits for a line with these words on standard error.
    pub(crate) async fn until(&mut self, words: &str) {
        while let Some(line) = self.said.next_line().await.unwrap() {
            self.heard.push_str(&line);
            self.heard.push('\n');
            if line.contains(words) {
                return;
            }
        }
        panic!("{} has ended and never said {words:?}\n{}", self.command, self.heard);
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self, site: &Site) -> Ran {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut stdout = self.program.stdout.take().unwrap();
        let mut stderr = self.said.into_inner();
        let (read_out, read_err) = tokio::join!(stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
        read_out.and(read_err).unwrap();
        let code = self.program.wait().await.unwrap().code().unwrap();
        let err = self.heard.into_bytes().into_iter().chain(err).collect();
        let (out, err) = (site.plain(out), site.plain(err));
        Ran { name: "applier".into(), command: self.command, code, out, err, pushes: 0 }
    }
}

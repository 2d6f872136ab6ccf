//! The shipped `applier`, on the same stick and state.

use std::process::{Child, Command, Output, Stdio};

use journeys::programs::program;

use crate::world::World;

/// How it ended, and what it said.
pub(crate) struct Ended(Output);

impl Ended {
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, what: &str) {
        assert_eq!(self.0.status.code(), Some(code), "{what}: {}", self.said());
        assert!(code == 0 || self.said().contains("hint: "), "{what}: {}", self.said());
    }

    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

/// Runs `applier verify` on the day of this world.
pub(crate) fn verify(world: &World) -> Ended {
    assert!(world.oddities.is_empty(), "a program reads the medium itself");
    Ended(start(world).wait_with_output().unwrap())
}

/// Starts it and does not wait.
pub(crate) fn start(world: &World) -> Child {
    let mut command = match world.day - 1 {
        0 => Command::new(program("applier")),
        days => {
            let mut command = Command::new("faketime");
            command.args(["-f", &format!("{days:+}d")]).arg(program("applier"));
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            command
        }
    };
    command.args(["--state".as_ref(), world.state().as_os_str()]);
    command.args(["--stick".as_ref(), world.depot.directory.as_os_str(), "verify".as_ref()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn eight_runs_at_once_disturb_nobody() {
    let world = World::new();
    let before = world.stored();
    let started: Vec<Child> = (0..8).map(|_| start(&world)).collect();
    let ended: Vec<Ended> =
        started.into_iter().map(|child| Ended(child.wait_with_output().unwrap())).collect();
    for run in &ended {
        let waits = run.code() == 2 && run.said().contains("is in use by another process");
        assert!(run.code() == 0 || waits, "{}: {}", run.code(), run.said());
    }
    assert!(ended.iter().any(|run| run.code() == 0));
    let root = |files: &crate::world::Files| files["root.json"].clone();
    assert_eq!(root(&world.stored()), root(&before));
    verify(&world).ends(0, "afterwards");
}

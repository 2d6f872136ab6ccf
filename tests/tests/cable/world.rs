use std::ops::Deref;

use journeys::ran::Ran;
use journeys::site::Site;
use serde_json::Value;

use crate::machine::Machine;
use crate::running::Running;
use crate::simulator::{self, Simulator};

/// A depot, a stick, a laptop with `eth0` at 192.168.1.10, and a cable to `lan` of a recorder at
/// 192.168.1.64.
pub(crate) struct World {
    site: Site,
    pub(crate) simulator: Simulator,
    pub(crate) laptop: Machine,
    pub(crate) recorder: Machine,
}

impl Deref for World {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl World {
    /// Nothing is on the stick.
    pub(crate) async fn cabled(scenario: &str) -> Self {
        let laptop = Machine::new();
        let recorder = laptop.another();
        laptop.cable("eth0", &recorder, "lan");
        laptop.ip("address add 192.168.1.10/24 dev eth0");
        recorder.ip("address add 192.168.1.64/24 dev lan");
        let site = Site::new().await;
        let simulator = Simulator::start(&recorder, &site, scenario).await;
        Self { site, simulator, laptop, recorder }
    }

    /// Firmware is approved and on the stick, and the laptop believes the depot.
    pub(crate) async fn loaded(scenario: &str) -> Self {
        Self::loaded_with(scenario, 300_000).await
    }

    /// The same with firmware of so many bytes.
    pub(crate) async fn loaded_with(scenario: &str, size: u64) -> Self {
        let world = Self::cabled(scenario).await;
        world.load(size).await;
        world
    }

    /// Another recorder takes the place of this one.
    pub(crate) async fn exchange(&mut self, scenario: &str) {
        self.simulator.stop().await;
        self.simulator = Simulator::start(&self.recorder, &self.site, scenario).await;
    }

    /// Runs `applier` on the laptop.
    pub(crate) async fn applier(&self, args: &str) -> Ran {
        let ran = self.site.run(&self.laptop.enter(), "applier", args).await;
        let pushes = self.seen("pushes");
        Ran { command: format!("applier {args}"), ..ran }.counted(pushes)
    }

    /// Runs `applier apply` on the recorder, agreeing to whatever is planned.
    pub(crate) async fn apply(&self, more: &str) -> Ran {
        self.applier(&apply(more)).await
    }

    /// The same, and does not wait for its end.
    pub(crate) fn start_apply(&self, more: &str) -> Running {
        let args = apply(more);
        let command = self.site.command(&self.laptop.enter(), "applier", &args);
        Running::start(command, format!("applier {args}"))
    }

    /// Runs `applier inspect` on the recorder.
    pub(crate) async fn inspect(&self, more: &str) -> Ran {
        self.applier(&format!("inspect 192.168.1.64 --password-file password.txt {more}")).await
    }

    /// What the recorder has seen.
    pub(crate) fn state(&self) -> Value {
        simulator::state(&self.recorder)
    }

    /// One of its counters.
    pub(crate) fn seen(&self, counter: &str) -> u64 {
        self.state()[counter].as_u64().unwrap()
    }

    /// Changes what is wrong with the recorder.
    pub(crate) fn fault(&self, change: &str) {
        simulator::fault(&self.recorder, change);
    }

    /// The newest statement on the stick.
    pub(crate) fn last_statement(&self) -> Value {
        self.statements().pop().unwrap()
    }
}

fn apply(more: &str) -> String {
    format!("apply 192.168.1.64 --stick stick --password-file password.txt --yes {more}")
}

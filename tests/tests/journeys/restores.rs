//! Restores that a person agreed to before, stops, or finds cut, and one of a camera.

use std::fs::{read, read_dir};

use journeys::running::Running;
use nvr_sim::{Faults, Profile, Stage};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::backups::restarting;
use crate::world::{World, write};

/// A recorder in good order whose configuration is in `yard.age`.
async fn kept() -> World {
    let world = World::loaded_with(restarting()).await;
    world.backup("--to yard.age").await.ends(0);
    world
}

impl World {
    fn start_restore(&self, more: &str) -> Running {
        let args = self.restore_line(more);
        Running::start(self.command(&[], "applier", &args), format!("applier {args}"))
    }

    /// A restore whose recorder was down when the program was killed; it is up again.
    async fn cut_restore(&self) {
        self.recorder.set_faults(Faults { never_back: true, ..Faults::default() });
        let run = self.start_restore("yard.age");
        self.recorder.until(|state| state.stage == Stage::Down).await;
        run.kill().await;
        self.recorder.set_faults(Faults::default());
        self.recorder.until(|state| state.stage == Stage::Idle).await;
    }

    /// How restores ended, as it is stated.
    fn ends(&self) -> Vec<Value> {
        self.statements().into_iter().filter(|statement| statement.get("sendings").is_some()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_agreed_to_is_put_back() {
    let world = kept().await;
    let line = world.restore_line("yard.age --json").replace(" --yes", "");
    let shown = world.applier(&line).await.ends(2);
    let planned: Value = serde_json::from_str(shown.out.lines().next().unwrap()).unwrap();
    assert_eq!(planned["event"], "restore-planned", "{planned}");
    let digest = planned["digest"].as_str().unwrap();
    let other = format!("yard.age --plan {}", "0".repeat(64));
    let refused = world.restore(&other).await;
    refused.fails(
        4,
        "restore is not what was agreed to",
        &[digest, "something has changed", "nothing was sent"],
    );
    assert_eq!(world.recorder.state().counters.restores, 0);
    world.restore(&format!("yard.age --plan {digest}")).await.ends(0).says(&["restored: "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_warns_first_and_then_leaves_it_in_order() {
    let world = kept().await;
    world.recorder.set_faults(Faults { never_back: true, ..Faults::default() });
    let mut run = world.start_restore("yard.age");
    run.until("the recorder restarts").await;
    run.signal(Signal::INT);
    run.until("DO NOT CUT THE POWER: the recorder may be taking the configuration over").await;
    run.signal(Signal::INT);
    let left = run.ended(&world).await;
    left.fails(8, "restore left by Ctrl-C", &["unknown-after-restore", "asked to end", "applier inspect"]);
    let [end] = &world.ends()[..] else { panic!("{:?}", world.ends()) };
    assert_eq!((&end["result"], &end["reason"]), (&json!("unknown-after-restore"), &json!("interrupted")));
    assert_eq!(end["sendings"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_cut_is_stated_once_when_it_is_met_again() {
    for command in ["resume", "apply", "restore"] {
        let world = kept().await;
        world.cut_restore().await;
        assert_eq!(world.ends(), Vec::<Value>::new());
        let line = match command {
            "resume" => "resume --stick stick".to_owned(),
            "apply" => world.to_apply(""),
            _ => world.restore_line("yard.age"),
        };
        let met = world.applier(&line).await.ends(8);
        met.says(&["earlier restore", "unknown-after-restore", "applier inspect"]);
        let again = world.applier(&line).await.ends(if command == "resume" { 0 } else { 8 });
        assert!(!again.err.contains("unknown-after-restore"), "{command}: {}", again.err);
        let [end] = &world.ends()[..] else { panic!("{command}: {:?}", world.ends()) };
        assert_eq!((&end["reason"], &end["sendings"]), (&json!("interrupted"), &json!(1)), "{command}");
        let started = &world.statements()[0];
        for same in ["run", "plan", "device", "configuration", "overrides", "started"] {
            assert_eq!(end[same], started[same], "{command}: {same}");
        }
        // that it is stated is no proof that it is over
        let words = ["an earlier restore", "not known to be over"];
        assert_eq!(world.apply("").await.ends(8).says(&words).pushes, 0, "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_may_tell_of_one_that_is_not_over() {
    let world = kept().await;
    write(&world.path("state/restores.json"), b"{");
    let words = ["state unknown, nothing was sent", "a restore that is not over", "applier inspect"];
    world.restore("yard.age").await.fails(8, "record of restores damaged", &words);
    assert_eq!(world.apply("").await.fails(8, "record of restores damaged for a push", &words).pushes, 0);
    assert_eq!(world.recorder.state().counters.restores, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_read_may_tell_of_a_push_that_is_not_over() {
    let world = kept().await;
    world.apply("").await.ends(0);
    let mut journals = read_dir(world.path("state/journals")).unwrap();
    let path = journals.next().unwrap().unwrap().path();
    let mut bytes = read(&path).unwrap();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[line + 20] ^= 1;
    write(&path, &bytes);
    let words = ["state unknown, nothing was sent", "checksum", "a push that is not over", "applier inspect"];
    world.restore("yard.age").await.fails(8, "journal damaged for a restore", &words);
    world.apply("").await.fails(8, "journal damaged for a push", &words);
    assert_eq!(world.recorder.state().counters.restores, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_is_told_to_restart_and_called_a_camera() {
    let mut camera = restarting();
    camera.profile = Profile::Camera;
    let world = World::loaded_with(camera).await;
    world.backup("--to yard.age").await.ends(0);
    let restored = world.restore("yard.age").await.ends(0);
    restored.says(&["camera     DS-7608NI-I2", "the camera is told to restart", "restored: "]);
    let counters = world.recorder.state().counters;
    assert_eq!((counters.restores, counters.reboot_requests, counters.reboots), (1, 1, 1));
    world.recorder.set_faults(Faults { refuse_reboot: Some("lowPrivilege".into()), ..Faults::default() });
    let waits = world.restore("yard.age --return-timeout 2").await.ends(8);
    let named = format!("camera {}: unknown-after-restore: camera took", world.recorder.address());
    assert!(waits.message().contains(&named), "{}", waits.err);
}

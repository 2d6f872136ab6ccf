//! A laptop that stays awake as long as a push takes: a real message bus, and the logind of `python-dbusmock`, which
//! the bus starts when it is called.

use std::process::Command;
use std::time::Duration;

use journeys::running::Running;
use nvr_sim::Stage;
use rustix::process::Signal;

use crate::backups::restarting;
use crate::bus::Bus;
use crate::world::{World, recorder};

impl Bus {
    /// What logind is asked to hold up, as `dbus-send` shows it.
    fn held(&self) -> String {
        let manager = "org.freedesktop.login1.Manager.ListInhibitors";
        let mut ask = Command::new("dbus-send");
        ask.arg(format!("--bus={}", self.address)).args(["--print-reply", "--dest=org.freedesktop.login1"]);
        let reply = ask.args(["/org/freedesktop/login1", manager]).output().unwrap();
        assert!(reply.status.success(), "{}", String::from_utf8_lossy(&reply.stderr));
        String::from_utf8(reply.stdout).unwrap()
    }
}

/// A recorder that flashes until it is told otherwise, and an applier that watches it beside this bus.
async fn flashing(rules: &str) -> (World, Bus, Running) {
    let mut slow = recorder();
    slow.faults.stall = true;
    let world = World::loaded_with(slow).await;
    let bus = Bus::start(&world, rules);
    let run = world.start_apply(&[], &[("DBUS_SYSTEM_BUS_ADDRESS", &bus.address)], "");
    world.recorder.until(|state| state.stage == Stage::Flashing).await;
    (world, bus, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn logind_is_held_up_as_long_as_a_push_takes() {
    let (world, bus, run) = flashing("").await;
    let held = bus.held();
    for words in [
        "\"sleep:shutdown:idle:handle-lid-switch\"",
        "\"block\"",
        &format!("\"recorder {} is being updated\"", world.recorder.address()),
    ] {
        assert!(held.contains(words), "{words}: {held}");
    }
    world.recorder.set_faults(nvr_sim::Faults::default());
    let ended = run.ended(&world).await.ends(0);
    assert!(!ended.err.contains("awake"), "{}", ended.err);
    assert!(!bus.held().contains("applier"), "{}", bus.held());
    assert_eq!(world.statements().last().unwrap()["link"].get("changes"), None);
}

/// What a person types, beside this bus.
fn beside(bus: &Bus, world: &World, args: &str) -> Running {
    let mut command = world.command(&[], "applier", args);
    command.env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address);
    Running::start(command, format!("applier {args}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_held_up_while_a_run_is_taken_up_again() {
    let (world, bus, run) = flashing("").await;
    run.kill().await;
    assert!(!bus.held().contains("applier"), "{}", bus.held());
    let resume = "resume --password-file password.txt".to_owned();
    for (args, what) in [(resume, "resume"), (world.to_apply(""), "apply")] {
        let mut run = beside(&bus, &world, &args);
        run.until("looking after it again").await;
        assert!(bus.held().contains("is being updated"), "{what}: {}", bus.held());
        run.signal(Signal::TERM);
        run.ended(&world).await.ends(8);
        assert!(!bus.held().contains("applier"), "{}", bus.held());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_held_up_from_before_a_restore_is_agreed_to_until_it_is_over() {
    let world = World::loaded_with(restarting()).await;
    let bus = Bus::start(&world, "");
    world.backup("--to yard.age").await.ends(0);
    world.recorder.set_faults(nvr_sim::Faults { never_back: true, ..Default::default() });
    let run = beside(&bus, &world, &world.restore_line("yard.age"));
    world.recorder.until(|state| state.stage == Stage::Down).await;
    let words = format!("\"recorder {} is being restored\"", world.recorder.address());
    assert!(bus.held().contains(&words), "{}", bus.held());
    world.recorder.set_faults(nvr_sim::Faults::default());
    let ended = run.ended(&world).await.ends(0);
    assert!(!ended.err.contains("awake"), "{}", ended.err);
    assert!(!bus.held().contains("applier"), "{}", bus.held());
    assert_eq!(world.last_statement()["link"].get("changes"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_holds_nothing_up() {
    let (_world, bus, run) = flashing("").await;
    assert!(bus.held().contains("applier"));
    // the kernel has hung up for it once it has ended, and that is looked at before any other question is
    run.kill().await;
    assert!(!bus.held().contains("applier"), "{}", bus.held());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_logind_a_person_is_told_once_and_the_run_goes_on() {
    let mut brief = recorder();
    brief.flash = Duration::from_millis(100);
    let world = World::loaded_with(brief).await;
    let applied = world.apply("").await.ends(0);
    let words = "nothing keeps this laptop awake: no logind; do not close the lid";
    assert_eq!(applied.err.matches(words).count(), 1, "{}", applied.err);
    let changes = world.statements().last().unwrap()["link"]["changes"].to_string();
    assert!(changes.contains("nothing keeps this laptop awake: no logind"), "{changes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logind_that_refuses_is_named() {
    let deny = r#"<deny send_interface="org.freedesktop.login1.Manager" send_member="Inhibit"/>"#;
    let (world, _bus, mut run) = flashing(deny).await;
    world.recorder.set_faults(nvr_sim::Faults::default());
    run.until("nothing keeps this laptop awake: logind refuses: ").await;
    run.ended(&world).await.ends(0);
}

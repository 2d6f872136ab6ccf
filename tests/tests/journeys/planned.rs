//! What `applier plan` says is what `applier apply` does with the same flags: the digest of the one is agreed to
//! with the other, and what the one refuses the other does, too.

use std::time::Duration;

use journeys::ran::Ran;
use journeys::site::{AFTER, write};
use nvr_sim::{Builder, Content, Faults, Stage, State};

use crate::battery::{MOUNT, laptop};
use crate::world::{BEFORE, MODEL, RELEASE, World, mounting, recorder, recorder_of, revision};

/// Runs `plan` or `apply` with the same words, under these programs.
async fn both(world: &World, under: &[String], command: &str, flags: &str) -> Ran {
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    let address = world.recorder.address();
    let line = format!("{command} {address} --stick stick --password-file password.txt --json {flags}");
    world.run(&under, "applier", &line).await
}

/// The digest that is planned with these flags is what is pushed with them.
async fn agree(world: &World, under: &[String], flags: &str) {
    let planned = both(world, under, "plan", flags).await.ends(0).json();
    let agreed = format!("{flags} --yes --plan {}", planned["digest"].as_str().unwrap());
    both(world, under, "apply", &agreed).await.ends(0);
}

/// Both refuse, for the same reasons.
async fn refuse(world: &World, under: &[String], flags: &str, exit: i32) {
    let planned = both(world, under, "plan", flags).await.ends(exit).json();
    let applied = both(world, under, "apply", &format!("--yes {flags}")).await.ends(exit).json();
    for key in ["decision", "refusals", "error", "hint"] {
        assert_eq!(planned[key], applied[key], "{key}");
    }
}

fn with(faults: Faults) -> Builder {
    let mut builder = recorder();
    builder.faults = faults;
    builder
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flag_means_the_same_to_both() {
    let stick = World::loaded().await;
    let disk = Faults { disk_status: Some("error".into()), ..Faults::default() };
    let user = Faults { logged_in: Some("eve".into()), ..Faults::default() };
    for (flag, recorder, refused) in [
        (String::new(), recorder(), false),
        (format!("--release {RELEASE}"), recorder(), false),
        ("--region EU".into(), recorder(), false),
        ("--no-backup why".into(), recorder(), false),
        ("--allow-disk-errors why".into(), with(disk), true),
        ("--allow-logged-in why".into(), with(user), true),
        ("--allow-downgrade why".into(), recorder_of(MODEL, "V4.62.000:240101", AFTER), true),
    ] {
        let world = stick.at(recorder).await;
        if refused {
            refuse(&world, &[], "", 4).await;
        }
        agree(&world, &[], &flag).await;
    }
    let low = stick.at(recorder()).await;
    laptop(&low, false, 34);
    refuse(&low, &mounting(MOUNT), "", 4).await;
    agree(&low, &mounting(MOUNT), "--allow-battery why").await;
    let late = stick.at(recorder()).await;
    let under = ["faketime", "-f", "+40d"].map(str::to_owned);
    refuse(&late, &under, "", 10).await;
    agree(&late, &under, "--accept-expired why").await;
}

/// A recorder whose answer to the last byte is lost, and that restarts with what it ran.
fn silent() -> Builder {
    let mut silent = with(Faults { cut_at_end: true, ..Faults::default() });
    silent.after = revision(BEFORE);
    silent.down = Duration::from_secs(1);
    silent
}

/// Kills an `apply` whose recorder writes its flash, and goes on writing until its faults are set anew.
async fn cut_while_it_flashes(world: &World) {
    world.recorder.set_faults(Faults { stall: true, ..silent().faults });
    let running = world.start_apply(&[], &[], "");
    world.recorder.until(|state| state.stage == Stage::Flashing).await;
    running.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_not_known_to_be_over_is_known_to_both() {
    let mut silent = silent();
    // nothing proves that it has restarted
    silent.content.missing = vec!["/ISAPI/System/status".into()];
    let world = World::loaded_with(silent).await;
    world.apply("--quiet-period 1").await.ends(8);
    world.recorder.set_faults(Faults { back_as: Some(revision(AFTER)), ..Faults::default() });
    let early = both(&world, &[], "plan", "--push-again looked").await.ends(8).json();
    assert!(early["decision"] == "blocked" && early["wait_seconds"].as_u64().unwrap() > 0, "{early}");
    refuse(&world, &[], "--quiet-period 0", 8).await;
    agree(&world, &[], "--quiet-period 0 --push-again looked").await;
    assert_eq!(world.recorder.state().counters.pushes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_a_look_shows_to_be_over_forbids_neither() {
    let world = World::loaded_with(silent()).await;
    // nobody watches it restart
    cut_while_it_flashes(&world).await;
    world.recorder.set_faults(silent().faults);
    world.recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    world.recorder.set_faults(Faults { back_as: Some(revision(AFTER)), ..Faults::default() });
    agree(&world, &[], "").await;
    assert_eq!(world.recorder.state().counters.pushes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_journal_that_cannot_be_read_forbids_both() {
    let world = World::loaded_with(silent()).await;
    cut_while_it_flashes(&world).await;
    world.recorder.set_faults(silent().faults);
    world.recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    let newer = world.path("state/journals/20990101T000000Z-00000000.jsonl");
    write(&newer, b"no line of a journal\nnor this\n");
    let planned = both(&world, &[], "plan", "").await.ends(8).json();
    // settles the run that is open first
    let applied = both(&world, &[], "apply", "--yes").await.ends(8);
    applied.says(&[planned["error"].as_str().unwrap(), "20990101T000000Z-00000000.jsonl"]);
    assert_eq!(world.recorder.state().counters.pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_after_one_that_was_watched_is_planned_for_how_the_recorder_is_then() {
    let world = World::loaded_with(silent()).await;
    cut_while_it_flashes(&world).await;
    // it is met while it is still busy
    let mut running = world.start_apply(&[], &[], "");
    running.until("looking at it first").await;
    let asked = |state: &State| state.counters.requests_of("GET /ISAPI/System/upgradeStatus");
    let before = asked(&world.recorder.state());
    world.recorder.until(|state| asked(state) > before).await;
    world.recorder.set_faults(silent().faults);
    world.recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    world.recorder.set_faults(Faults { back_as: Some(revision(AFTER)), ..Faults::default() });
    running.ended(&world).await.ends(0).says(&["looking at it first", "confirmed: "]);
    assert_eq!(world.recorder.state().counters.pushes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_to_be_watched_is_settled_before_anything_is_planned() {
    let world = World::loaded().await;
    let running = world.start_apply(&[], &[], "");
    world.recorder.until(|state| state.counters.reboot_requests == 1).await;
    running.kill().await;
    world.recorder.until(|state| state.stage == Stage::Idle).await;
    let words = ["an earlier run, ", "is to be settled first", "applier resume settles it"];
    world.plan("").await.fails(8, "plan while an earlier run is open", &words);
    world.applier("resume --password-file password.txt").await.ends(0);
    world.plan("").await.ends(0).says(&["already current"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_not_known_to_be_over_is_known_to_both() {
    let mut away = recorder();
    away.down = Duration::from_secs(3600);
    let world = World::loaded_with(away).await;
    let address = world.recorder.address();
    let backup = format!("backup {address} --password-file password.txt --to yard.age");
    world.applier(&backup).await.ends(0);
    let restore = format!("restore {address} --stick stick --password-file password.txt --yes yard.age");
    world.applier(&format!("{restore} --return-timeout 1")).await.ends(8);
    let again = world.at(recorder()).await;
    refuse(&again, &[], "", 8).await;
    again.recorder.set_content(Content::default());
    refuse(&again, &[], "--quiet-period 0", 8).await;
    refuse(&again, &[], "--push-again looked", 8).await;
    agree(&again, &[], "--quiet-period 0 --push-again looked").await;
    assert_eq!(again.last_statement()["overrides"][0]["flag"], "push-again");
}

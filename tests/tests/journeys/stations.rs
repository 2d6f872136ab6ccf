//! A station at the depot: whatever is plugged in is collected from, brought up to date and ejected. The same on
//! real USB, with sticks that come, go and are pulled out too early, is `scripts/vm-test`.

use std::fs::create_dir_all;

use journeys::running::Running;
use keys::durable::DirLock;
use rustix::process::Signal;
use serde_json::Value;

use crate::drives::{among_sticks, plug_mounted, run};
use crate::world::World;

const COPY: &str = "cp -r stick/COURIER mnt/A1";
/// It was a stick of ours once.
const EMPTIED: &str = "mkdir mnt/A1/COURIER";
const EMPTIED_B: &str = "mkdir mnt/B2/COURIER";

#[tokio::test(flavor = "multi_thread")]
async fn several_sticks_are_served_at_once() {
    let world = World::loaded().await;
    world.enrol_laptop().await;
    world.apply("").await.ends(0);
    let a = plug_mounted(&world, "sdy", "A1");
    let b = plug_mounted(&world, "sdz", "B2");
    let served =
        run(&world, &[&a, &b, COPY, EMPTIED_B], "fetcher", "station --all --once", "true").await.ends(0);
    for stick in ["A1 sdy", "B2 sdz"] {
        for words in [
            "plugged in: SanDisk Cruzer Blade",
            "read back and verified; good until",
            "ejected and switched off, safe to remove",
        ] {
            let is_said = |line: &&str| line.starts_with(stick) && line.contains(words);
            assert_eq!(served.out.lines().filter(is_said).count(), 1, "{stick}, {words}: {}", served.out);
        }
    }
    let served = served.says(&["A1 sdy  2 new statements, 0 known", "B2 sdz  0 new statements, 0 known"]);
    assert!(served.out.contains("B2 sdz  reading back 100 %"), "{}", served.out);
    world.fetcher("fleet").await.says(&["last run   applied"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_in_lines_of_json() {
    let world = World::loaded().await;
    let a = plug_mounted(&world, "sdy", "A1");
    let served = run(&world, &[&a, EMPTIED], "fetcher", "--json station --all --once", "true").await.ends(0);
    let lines: Vec<Value> = served.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["stick"] == "A1 sdy"), "{lines:?}");
    let mut events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    events.dedup();
    let expected = ["plugged", "collected", "writing", "syncing", "checking", "loaded", "parted"];
    assert_eq!(events, expected);
    let (loaded, parted) = (&lines[lines.len() - 2], &lines[lines.len() - 1]);
    assert_eq!((&parted["state"], &parted["powered_off"]), (&"ejected".into(), &true.into()));
    assert_eq!(loaded["carried"].as_array().unwrap().len(), 1);
    assert!(loaded["good_until"].is_string() && loaded["written_bytes"].as_u64() > Some(0), "{loaded}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_sticks_are_left_alone() {
    let world = World::loaded().await;
    let a = plug_mounted(&world, "sdy", "A1");
    let holiday = "touch mnt/A1/holiday.jpg";
    let look = "ls mnt/A1 >left";
    let left = |world: &World| std::fs::read_to_string(world.path("left")).unwrap();
    let served = run(&world, &[&a, holiday], "fetcher", "station --all --once", look).await.ends(0);
    let words = ["A1 sdy  left alone: it holds other files and was never loaded", "still mounted at mnt/A1"];
    let served = served.says(&words);
    assert!(!served.out.contains("ejected"), "{}", served.out);
    assert_eq!(left(&world), "holiday.jpg\n");
    let any = "station --all --once --any-stick --no-eject";
    let served = run(&world, &[&a, holiday], "fetcher", any, look).await.ends(0);
    served.says(&["read back and verified", "still mounted at mnt/A1: unmount it before you pull it out"]);
    assert_eq!(left(&world), "COURIER\nholiday.jpg\n");
    // an empty one that somebody had mounted before may be a disk that is to be filled
    let served = run(&world, &[&a], "fetcher", "station --all --once", look).await.ends(0);
    served.says(&["A1 sdy  left alone: it was mounted when the station began"]);
    assert_eq!(left(&world), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_does_not_hold_up_another() {
    let world = World::loaded().await;
    let a = plug_mounted(&world, "sdy", "A1");
    let b = plug_mounted(&world, "sdz", "B2");
    let small = "mount -o remount,size=64k mnt/A1";
    let both = [a.as_str(), small, EMPTIED, &b, EMPTIED_B];
    let served = run(&world, &both, "fetcher", "station --all --once", "true").await.ends(12);
    let served = served.says(&["A1 sdy  FAILED: stick: it is full", "A1 sdy  hint: make room on it"]);
    assert!(!served.out.contains("A1 sdy  ejected"), "{}", served.out);
    served.says(&["B2 sdz  ejected and switched off, safe to remove"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_is_said_at_once() {
    let world = World::loaded().await;
    create_dir_all(world.path("sys/block")).unwrap();
    let none = run(&world, &[], "fetcher", "station --all --once", "true").await;
    none.fails(12, "station without a stick", &["none is plugged in"]);
    let nothing = run(&world, &[], "fetcher", "station", "true").await;
    nothing.fails(2, "station that is to carry nothing", &["--all"]);
    std::fs::remove_file(world.path("home/fetcher.toml")).unwrap();
    let homeless = run(&world, &[], "fetcher", "station --all", "true").await;
    homeless.fails(2, "station without a home", &["fetcher init"]);
}

/// What is said where these sticks are plugged in, while it is said.
fn start(world: &World, before: &[&str], args: &str) -> Running {
    let under = among_sticks(before, "exec \"$0\" \"$@\"");
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    Running::start(world.command(&under, "fetcher", args), format!("fetcher {args}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_in_the_home_is_waited_for() {
    let world = World::loaded().await;
    let a = plug_mounted(&world, "sdy", "A1");
    let lock = DirLock::acquire(&world.path("home")).unwrap();
    let mut station = start(&world, &[&a, EMPTIED], "station --all --once");
    station.until("another program works in the depot's home; waiting for it").await;
    drop(lock);
    station.ended(&world).await.ends(0).says(&["A1 sdy  ejected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn between_sticks_the_home_is_free_and_a_signal_ends_it() {
    let world = World::loaded().await;
    create_dir_all(world.path("sys/block")).unwrap();
    let mut station = start(&world, &[], "station --all");
    station.until("ready for sticks").await;
    world.fetcher("status").await.ends(0);
    station.signal(Signal::TERM);
    station.ended(&world).await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_lets_what_was_begun_be_finished() {
    let world = World::loaded().await;
    let a = plug_mounted(&world, "sdy", "A1");
    let mut station = start(&world, &[&a, EMPTIED], "station --all");
    station.until("ready for sticks").await;
    station.signal(Signal::TERM);
    station.ended(&world).await.ends(0).says(&["A1 sdy  ejected and switched off, safe to remove"]);
}

//! What `fetcher load` says and does to a stick: in which order, at whose pace, and over what.

use std::fs::{create_dir, read_to_string};
use std::process::Command;

use crate::world::{MODEL, World, files, mounting};
use serde_json::Value;

/// Bytes that may be in memory and not on the stick yet.
const MOST_DIRTY: u64 = 8 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_load_writes_nothing_and_says_so() {
    let world = World::loaded().await;
    // nothing can be written to it
    let under = mounting("mount --bind stick stick && mount -o remount,bind,ro stick");
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    let again = world.run(&under, "fetcher", "load --to stick --all").await.ends(0);
    again.says(&["was there already and nothing was written", "read back and verified"]);
    let again = world.run(&under, "fetcher", "load --to stick --all --json").await.ends(0);
    let lines: Vec<Value> = again.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let event = |name: &str| lines.iter().filter(|line| line["event"] == name).collect::<Vec<_>>();
    let (planned, loaded) = (event("planned")[0], event("loaded")[0]);
    assert_eq!((&planned["unchanged"], &loaded["unchanged"]), (&true.into(), &true.into()));
    assert_eq!((&planned["write_bytes"], &loaded["written_bytes"]), (&0.into(), &0.into()));
    assert!(event("writing").is_empty() && event("syncing").is_empty());
    // every byte of firmware is read, and once
    assert_eq!(event("checking").last().unwrap()["bytes"], planned["check_bytes"]);
    let carried = files(&world.path("stick/COURIER/targets")).values().map(Vec::len).sum::<usize>();
    assert_eq!(planned["check_bytes"], carried);
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_syncing_and_checking_are_told_apart_and_how_it_is_read_back() {
    let world = World::loaded().await;
    create_dir(world.path("fresh")).unwrap();
    let load = world.fetcher("load --to fresh --all --json").await.ends(0);
    let lines: Vec<Value> = load.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    events.dedup();
    assert_eq!(events, ["planned", "writing", "syncing", "reading-back", "checking", "current", "loaded"]);
    assert!(["direct", "cache-dropped"].contains(&lines.last().unwrap()["read_back"].as_str().unwrap()));
    create_dir(world.path("again")).unwrap();
    let told = world.fetcher("load --to again --all").await.ends(0).err;
    let at = |word: &str| told.find(word).unwrap_or_else(|| panic!("{word}: {told}"));
    assert!(at("writing") < at("syncing") && at("syncing") < at("reading back"), "{told}");
    assert!(told.contains("O_DIRECT") || told.contains("told to forget"), "{told}");
}

/// The bar moves as bytes are handed over, so what the system may hold back is what it can be wrong by.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_as_written_is_on_the_stick_but_for_a_few_mib() {
    let world = World::new().await;
    world.load(30_000_000).await;
    create_dir(world.path("fresh")).unwrap();
    let trace = ["strace", "-f", "-y", "-s", "0", "-e", "trace=write,fdatasync,fsync", "-o", "trace"];
    world.run(&trace, "fetcher", "load --to fresh --all").await.ends(0);
    // what was handed over since the last sync began, and what that one brings if it has not ended: a call that
    // another thread's stands in the middle of is told in two lines
    let (mut waiting, mut under_way, mut most, mut all, mut syncs) = (0, 0, 0, 0, 0);
    let mut is_syncing = false;
    for line in read_to_string(world.path("trace")).unwrap().lines() {
        if line.contains("<... fdatasync resumed>") {
            (is_syncing, under_way) = (false, 0);
        }
        if !(line.contains("fresh/COURIER/targets/") && line.contains(".digicap.dav>")) {
            continue;
        }
        if line.contains("write(") {
            let asked = line.rsplit_once("..., ").unwrap().1;
            let count: u64 = asked.split([')', ' ']).next().unwrap().parse().unwrap();
            (waiting, all) = (waiting + count, all + count);
            most = most.max(waiting + under_way);
        } else {
            assert!(!is_syncing, "one portion at a time: {line}");
            is_syncing = line.contains("<unfinished");
            (waiting, under_way, syncs) = (0, if is_syncing { waiting } else { 0 }, syncs + 1);
        }
    }
    assert_eq!(all, 30_000_000);
    assert!(most <= MOST_DIRTY + (512 << 10), "{most} bytes at most");
    // the last one is fsync, and nothing is written after it
    assert!(waiting == 0 && syncs >= 8, "{waiting} bytes at the end, {syncs} syncs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publication_of_another_depot_is_replaced_only_with_a_reason() {
    let (world, other) = (World::loaded().await, World::loaded().await);
    let stick = world.path("stick");
    let before = files(&stick);
    let load = format!("load --to {} --all", stick.display());
    let words = ["of another depot", "--replace-other-depot REASON", "nothing was changed"];
    other.fetcher(&load).await.fails(4, "stick of another depot", &words);
    other.fetcher(&format!("{load} --replace-newer moved")).await.ends(4);
    assert_eq!(files(&stick), before);
    let replaced = other.fetcher(&format!("{load} --replace-other-depot moved")).await.ends(0);
    replaced.says(&["warning", "of another depot", "replaced for this reason: moved"]);
    other.applier(&format!("verify --stick {}", stick.display())).await.ends(0);
    world.applier("verify --stick stick").await.ends(5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_publication_of_this_depot_is_replaced_only_with_a_reason() {
    let world = World::loaded().await;
    let copied = Command::new("cp").arg("-a").args([world.path("home"), world.path("backup")]).status();
    assert!(copied.unwrap().success());
    let newer = world.release("V4.62.000:230501", &[MODEL]);
    world.approve_and_load(&newer).await;
    world.applier("verify --stick stick").await.ends(0);
    let before = files(&world.path("stick"));
    // a backup of the home takes its place
    for (from, to) in [("home", "lost"), ("backup", "home")] {
        let moved = Command::new("mv").args([world.path(from), world.path(to)]).status();
        assert!(moved.unwrap().success());
    }
    let words = ["not older than publication", "old copy", "--replace-newer REASON", "nothing was changed"];
    let load = world.fetcher("load --to stick --all").await;
    load.fails(4, "stick newer than the home", &words);
    assert_eq!(files(&world.path("stick")), before);
    let load = world.fetcher("load --to stick --all --replace-newer lost --json").await.ends(0);
    let loaded: Value = serde_json::from_str(load.out.lines().last().unwrap()).unwrap();
    assert_eq!(loaded["replaced"][0]["reason"], "lost");
    // as was said: a laptop that has seen it takes no older one
    world.applier("verify --stick stick").await.ends(5);
}

//! How statements go home where something is amiss: with what the laptop remembers of it, with the stick, or with the depot.

use std::fs::{create_dir, create_dir_all, remove_dir_all, remove_file};
use std::path::Path;
use std::process::Command;

use journeys::ran::Ran;
use serde_json::json;

use crate::sealed::{in_the_clear, name_recipient, names, sealed};
use crate::world::{World, mounting, write};

const RECORD: &str = "state/receipts/delivery.json";
/// The stick can be read and not written.
const READ_ONLY: &str = "mount --bind stick stick && mount -o remount,bind,ro stick";

/// Runs `applier` after `mount`, under other programs.
async fn run(world: &World, mount: &str, under: &[&str], args: &str) -> Ran {
    let mounted = mounting(mount);
    let under: Vec<&str> = mounted.iter().map(String::as_str).chain(under.iter().copied()).collect();
    world.run(&under, "applier", args).await
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

/// Every command does its work, warns, and lays nothing on the stick.
async fn goes_on_and_delivers_nothing(world: &World, words: &str) {
    let hint = "carries the depot's signed policy writes it anew";
    let at = format!("{} --stick stick --password-file password.txt", world.recorder.address());
    let before = names(world, "stick");
    for args in [
        "verify --stick stick",
        &format!("plan {at}"),
        &format!("audit {at}"),
        &format!("apply {at} --yes"),
        "receipts",
    ] {
        world.applier(args).await.ends(0).says(&[words, hint]);
    }
    let verified = world.applier("verify --stick stick --json").await.ends(0).json();
    assert_eq!(verified["undelivered_statements"], json!(null));
    world.applier("receipts --copy-to stick").await.ends(12).says(&[words, hint]);
    assert_eq!(names(world, "stick"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_stops_no_command_and_is_written_anew_by_a_policy() {
    let world = World::loaded().await;
    create_dir_all(world.path("stick/COURIER/receipts")).unwrap();
    for bytes in [&b"{"[..], br#"{"format":2,"recipients":[]}"#] {
        write(&world.path(RECORD), bytes);
        goes_on_and_delivers_nothing(&world, "delivery.json: rejected, not of format 1").await;
    }
    assert_eq!(names(&world, "stick"), [""; 0]);
    name_recipient(&world).await;
    let verified = world.applier("verify --stick stick").await.ends(0);
    assert!(!verified.err.contains("warning"), "{}", verified.err);
    world.applier("receipts --copy-to stick").await.ends(0);
    let there = names(&world, "stick");
    assert!(there.len() > 3 && there.iter().all(|name| name.contains(".age")), "{there:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_stops_no_command_unless_statements_would_go_to_somebody_else() {
    let world = in_the_clear().await;
    name_recipient(&world).await;
    let receipts = "mount --bind state/receipts state/receipts && mount -o remount,bind,ro state/receipts";
    for args in ["verify --stick stick", "receipts --copy-to stick"] {
        run(&world, receipts, &[], args).await.ends(1).says(&["delivery.json", "Read-only file system"]);
    }
    assert_eq!(names(&world, "stick"), ["1.json", "2.json"]);
    // not even to be replaced
    create_dir(world.path(RECORD)).unwrap();
    goes_on_and_delivers_nothing(&world, "delivery.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_gone_is_not_plain_text() {
    let (world, _) = sealed().await;
    create_dir_all(world.path("other/COURIER/receipts")).unwrap();
    remove_file(world.path(RECORD)).unwrap();
    let refused = world.applier("receipts --copy-to other").await.ends(12);
    refused.says(&[
        "delivery.json: gone, though statements were encrypted before",
        "applier verify with a stick",
    ]);
    assert_eq!(names(&world, "other"), [""; 0]);
    world.applier("verify --stick stick").await.ends(0);
    world.applier("receipts --copy-to other").await.ends(0).says(&["3 statements copied"]);
    assert_eq!(names(&world, "other"), names(&world, "stick"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_delivers_heeds_the_policy_on_that_stick() {
    for command in ["receipts --copy-to stick", "resume --stick stick"] {
        let world = in_the_clear().await;
        name_recipient(&world).await;
        world.applier(command).await.ends(0);
        create_dir(world.path("other")).unwrap();
        world.applier("receipts --copy-to other").await.ends(0);
        assert_eq!(names(&world, "other"), ["1.json.age", "2.json.age"], "{command}");
    }
    // one that does not verify is told of, and takes them all the same
    let world = in_the_clear().await;
    write(&world.path("stick/COURIER/metadata/timestamp.json"), b"{}");
    remove_dir_all(world.path("stick/COURIER/receipts")).unwrap();
    let copied = world.applier("receipts --copy-to stick").await.ends(0);
    copied.says(&["timestamp.json", "as this laptop was told before", "2 statements copied"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_the_clear_is_said_and_replaced_on_a_stick_that_is_all_but_full() {
    let world = in_the_clear().await;
    world.apply("").await.ends(0);
    copy(&world.path("stick/COURIER/receipts"), &world.path("clear"));
    name_recipient(&world).await;
    let words = "3 statements of this laptop on this stick IN THE CLEAR";
    world.applier("verify --stick stick").await.ends(0).says(&[words]);
    let verified = world.applier("verify --stick stick --json").await.ends(0).json();
    let amiss = (&verified["undelivered_statements"], &verified["statements_in_the_clear"]);
    assert_eq!(amiss, (&json!(3), &json!(3)));
    let applied = run(&world, READ_ONLY, &[], &world.to_apply("")).await.ends(0);
    let applied = applied
        .says(&["1 statement of this laptop NOT on it, 3 statements of this laptop on it IN THE CLEAR"]);
    assert!(!applied.out.contains("all statements"), "{}", applied.out);
    // room for the three that lie there, for the fourth, and for one page more
    create_dir(world.path("full")).unwrap();
    let full =
        "mount -t tmpfs -o size=20k tmpfs full && mkdir full/COURIER && cp -r clear full/COURIER/receipts";
    let copied = run(&world, full, &[], "receipts --copy-to full").await.ends(0);
    copied.says(&["4 statements copied", "all statements of this laptop are on it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_brings_home_the_stick_that_has_them() {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    write(&world.path("manifests/policy.toml"), b"remind_after_days = 7\n");
    world.approve("--policy").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world.fetcher("export courier.tar --all").await.ends(0);
    world.apply("").await.ends(0);
    let old = ["faketime", "-f", "+8d"];
    let other = "applier receipts --copy-to PATH, and bring that stick home";
    for (mount, stick) in [(READ_ONLY, "stick"), ("true", "courier.tar")] {
        let apply = world.to_apply("").replace("--stick stick", &format!("--stick {stick}"));
        let applied = run(&world, mount, &old, &apply).await.ends(0);
        let applied = applied.says(&["not known to have reached the depot", other]);
        assert!(!applied.err.contains("bring this stick home"), "{}", applied.err);
    }
    run(&world, "true", &old, &world.to_apply("")).await.ends(0).says(&["bring this stick home"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_depot_that_was_set_back_is_told_of_once_and_gets_them_again() {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    world.enrol_laptop().await;
    world.fetcher("load --to stick --all").await.ends(0);
    world.applier("verify --stick stick").await.ends(0);
    remove_file(world.path("home/ledger.db")).unwrap();
    world.enrol_laptop().await;
    world.fetcher("load --to stick --all").await.ends(0);
    let words = "up to number 0, and by another up to 2";
    let told = world.applier("verify --stick stick").await.ends(0);
    let told = told.says(&[words, "the depot was set back", "applier receipts --copy-to PATH --all"]);
    assert_eq!(told.err.matches(words).count(), 1);
    let again = world.applier("verify --stick stick").await.ends(0);
    assert!(!again.err.contains("set back"), "{}", again.err);
    world.applier("receipts --copy-to stick").await.ends(0).says(&["2 statements copied"]);
    // a stick on which nothing is said of it sets nobody back
    world.fetcher("load --to stick --all").await.ends(0);
    world.applier("verify --stick stick").await.ends(0);
    remove_file(world.path("stick/COURIER/acknowledged.json")).unwrap();
    let silent = world.applier("verify --stick stick").await.ends(0);
    assert!(!silent.err.contains("set back"), "{}", silent.err);
    assert_eq!(world.applier("receipts --json").await.json()["arrived"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_whose_state_was_set_back_is_told() {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    copy(&world.path("state"), &world.path("earlier"));
    world.apply("").await.ends(0);
    world.enrol_laptop().await;
    world.fetcher("load --to stick --all").await.ends(0);
    let verified = world.applier("verify --stick stick").await.ends(0);
    assert!(!verified.err.contains("warning"), "{}", verified.err);
    remove_dir_all(world.path("state")).unwrap();
    copy(&world.path("earlier"), &world.path("state"));
    let told = world.applier("verify --stick stick").await.ends(0);
    told.says(&["up to number 3, and this laptop has made 2", "its state was set back", "applier trust add"]);
}

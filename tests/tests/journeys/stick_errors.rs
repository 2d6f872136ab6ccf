//! What ends early at the stick, on either side of the gap.

use std::fs::remove_file;

use crate::world::{MODEL, RELEASE, World, files, mounting, write};
use journeys::ran::Ran;

/// Runs a program in a mount namespace of its own, after `mount` has changed what lies at `stick`.
async fn mounted(world: &World, mount: &str, name: &str, args: &str) -> Ran {
    let under = mounting(mount);
    let ran = world.run(&under.iter().map(String::as_str).collect::<Vec<_>>(), name, args).await;
    Ran { command: format!("{mount}; {name} {args}"), ..ran }
}

/// A mount that holds 64 KiB and nothing yet: no room for 300,000 bytes of firmware.
const FULL: &str = "mount -t tmpfs -o size=64k none stick";
const READ_ONLY: &str = "mount --bind stick stick && mount -o remount,bind,ro stick";

#[tokio::test(flavor = "multi_thread")]
async fn stick_directory_missing() {
    let world = World::loaded().await;
    let load = world.fetcher("load --to absent --all").await;
    load.fails(12, "stick directory missing at load", &["absent", "plug"]);
    assert!(!world.path("absent").exists(), "a folder that is no stick is not made");
    let apply =
        format!("apply {} --stick absent --password-file password.txt --yes", world.recorder.address());
    let apply = world.applier(&apply).await.fails(12, "stick directory missing at apply", &["absent"]);
    assert_eq!(apply.pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn stick_full() {
    let world = World::loaded().await;
    let load = mounted(&world, FULL, "fetcher", "load --to stick --all").await;
    load.fails(12, "stick full", &["it is full", "bytes are needed", "are free"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stick_read_only() {
    let world = World::loaded().await;
    // something new is to be written: an unchanged stick needs no write
    let newer = world.release("V4.62.000:230501", &[MODEL]);
    world.pin(&newer).await.ends(0);
    world.approve(&newer).await.ends(0);
    let before = files(&world.path("stick"));
    let load = mounted(&world, READ_ONLY, "fetcher", "load --to stick --all").await;
    let words = [
        "write-protected, or mounted read-only",
        "switch on its side",
        "mount -o remount,rw stick",
        "nothing was changed",
    ];
    load.fails(12, "stick read-only", &words);
    assert_eq!(files(&world.path("stick")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipt_finds_no_room_and_stays_on_the_laptop() {
    let world = World::loaded().await;
    let apply =
        format!("apply {} --stick stick --password-file password.txt --yes", world.recorder.address());
    let apply = mounted(&world, READ_ONLY, "applier", &apply).await.ends(0).says(&["warning"]);
    assert_eq!(apply.pushes, 1);
    assert!(!world.path("stick/COURIER/receipts").exists());
    world.applier("receipts --copy-to stick").await.ends(0);
    assert!(files(&world.path("stick/COURIER/receipts")).len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trusted_root() {
    let world = World::new().await;
    world.init().await;
    let id = world.release("V4.61.025:230421", &[MODEL]);
    world.approve_and_load(&id).await;
    world.applier("verify --stick stick").await.fails(2, "no trusted root", &["trust add"]);
    let apply = world.apply("").await.ends(2).says(&["trust add"]);
    assert_eq!((apply.pushes, world.recorder.state().counters.connections), (0, 0));
    let wrong = format!("trust add --stick stick --fingerprint {}", "0".repeat(64));
    world.applier(&wrong).await.fails(5, "root of another fingerprint", &["fingerprint"]);
    world.applier("verify --stick stick").await.ends(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn target_missing_is_not_carried() {
    let world = World::loaded().await;
    world.fetcher("load --to stick --metadata-only").await.ends(0);
    for firmware in files(&world.path("stick")).keys().filter(|name| name.contains("/targets/")) {
        remove_file(world.path("stick").join(firmware)).unwrap();
    }
    world.applier("verify --stick stick").await.ends(0).says(&["not carried"]);
    let apply = world.apply("").await.fails(4, "target missing", &["does not carry", "fetcher load"]);
    assert_eq!(apply.pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_metadata() {
    let world = World::loaded().await;
    let under = ["faketime", "-f", "+45d"];
    world.run(&under, "applier", "verify --stick stick").await.fails(10, "expired metadata", &["timestamp"]);
    let apply =
        format!("apply {} --stick stick --password-file password.txt --yes", world.recorder.address());
    let apply = world.run(&under, "applier", &apply).await.ends(10);
    assert_eq!((apply.pushes, world.recorder.state().counters.connections), (0, 0));
    // the same stick in time, and the same laptop with a clock that stands still years ago
    world.applier("verify --stick stick").await.ends(0);
    let behind =
        world.run(&["faketime", "-f", "2020-01-01 00:00:00"], "applier", "verify --stick stick").await;
    behind.ends(0).says(&["warning: clock of this laptop is behind"]);
}

/// When the publication on a stick says that it was signed, as messages say it.
fn signed_at(world: &World) -> String {
    let bytes = std::fs::read(world.path("stick/COURIER/metadata/timestamp.json")).unwrap();
    let timestamp: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let at = timestamp["signed"]["custom"]["signed_at"].as_str().unwrap();
    at.parse::<jiff::Timestamp>().unwrap().strftime("%F %H:%M UTC").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn older_publication_than_seen() {
    let world = World::loaded().await;
    let (old, old_signed) = (files(&world.path("stick")), signed_at(&world));
    let newer = world.release("V4.62.000:230501", &[MODEL]);
    world.pin(&newer).await.ends(0);
    let later = ["faketime", "-f", "+3d"];
    let approve = format!("approve {newer} --yes --passphrase-file pass.txt");
    world.run(&later, "fetcher", &approve).await.ends(0);
    world.run(&later, "fetcher", "load --to stick --all").await.ends(0);
    let new_signed = signed_at(&world);
    assert_ne!(old_signed, new_signed);
    world.run(&later, "applier", "verify --stick stick").await.ends(0).says(&[RELEASE, &newer]);
    for (name, bytes) in old {
        write(&world.path("stick").join(name), &bytes);
    }
    let stick = format!("this stick was signed on {old_signed}");
    let seen = format!("signed on {new_signed}, on stick, on ");
    let words = ["older than one seen before", &stick, &seen, "use that stick, or load this one again"];
    let verify = world.run(&later, "applier", "verify --stick stick").await;
    verify.fails(5, "older publication than seen", &words);
    let json = world.run(&later, "applier", "verify --stick stick --json").await.ends(5).json();
    assert_eq!(json["older"]["seen_on"], "stick");
    assert!(
        json["older"]["stick_signed_at"].as_str().unwrap()
            < json["older"]["seen_signed_at"].as_str().unwrap()
    );
    assert_eq!(world.apply("").await.ends(5).pushes, 0);
    // a laptop that does not remember where
    remove_file(world.path("state/newest-seen.json")).unwrap();
    let verify = world.run(&later, "applier", "verify --stick stick").await.ends(5);
    verify.says(&[&new_signed, "where is not recorded"]);
}

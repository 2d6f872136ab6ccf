//! Statements that have arrived leave the stick, never before the ledger has them, and are not laid there again.

use std::fs::{create_dir_all, read, read_to_string, remove_dir_all, remove_file};
use std::process::Command;

use keys::key_file;
use receipt::{Acknowledged, LaptopId};
use serde_json::json;

use crate::drives::{plug_mounted, run};
use crate::world::{World, files, write};

/// A stick with two statements of a laptop that is enrolled; they are in the ledger.
async fn collected() -> World {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    world.enrol_laptop().await;
    world
}

/// The names of the statements in a folder, for whatever laptop.
fn names(world: &World, stick: &str) -> Vec<String> {
    let statements = files(&world.path(stick).join("COURIER/receipts")).into_keys();
    statements.map(|path| path.rsplit('/').next().unwrap().to_owned()).collect()
}

/// How many statements the ledger has of the one laptop, and up to which without a gap.
async fn in_the_ledger(world: &World) -> (u64, u64) {
    let laptops = world.fetcher("laptops list --json").await.ends(0).json();
    let number = |field: &str| laptops["laptops"][0][field].as_u64().unwrap();
    (number("statements"), number("complete_to"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_arrived_leaves_the_stick_and_is_not_laid_there_again() {
    let world = collected().await;
    assert_eq!(names(&world, "stick"), ["1.json", "2.json"]);
    let loaded = world.fetcher("load --to stick --all").await.ends(0);
    loaded.says(&["0 new statements, 2 known", "2 statements removed: the ledger has them"]);
    assert_eq!(names(&world, "stick"), [""; 0]);
    assert_eq!(in_the_ledger(&world).await, (2, 2));
    let again = world.fetcher("load --to stick --all").await.ends(0);
    assert!(!again.out.contains("removed"), "{}", again.out);

    let applied = world.apply("").await.ends(0);
    applied.says(&["all statements of this laptop are on it or at the depot"]);
    assert_eq!(names(&world, "stick"), ["3.json"]);
    world.applier("receipts").await.ends(0).says(&["   1  ", "   2  ", "   3  "]);
    world.applier("receipts --copy-to stick").await.ends(0).says(&["0 statements copied"]);
    // a depot that lost its ledger gets all of them
    world.applier("receipts --copy-to stick --all").await.ends(0).says(&["2 statements copied"]);
    remove_file(world.path("home/ledger.db")).unwrap();
    world.enrol_laptop().await;
    assert_eq!(in_the_ledger(&world).await, (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ledger_does_not_have_or_somebody_should_see_stays() {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0).says(&["not enrolled"]);
    assert_eq!(names(&world, "stick"), ["1.json", "2.json"], "held ones are in no chain yet");
    world.apply("").await.ends(0);
    let laptop = world.applier("receipts --json").await.ends(0).json()["laptop"].as_str().unwrap().to_owned();
    let folder = |stick: &str| world.path(&format!("{stick}/COURIER/receipts/{laptop}"));
    // the second is on another stick; one lies in the place of another, and one is none
    create_dir_all(folder("gap")).unwrap();
    for (from, to) in [(1, 1), (3, 3), (1, 7)] {
        write(
            &folder("gap").join(format!("{to}.json")),
            &read(folder("stick").join(format!("{from}.json"))).unwrap(),
        );
    }
    write(&folder("gap").join("8.json"), b"{}");
    let enrol = world.applier("trust show --laptop --json").await.ends(0).json();
    let (file, fingerprint) = (enrol["public_key"].as_str().unwrap(), enrol["fingerprint"].as_str().unwrap());
    remove_file(world.path("home/ledger.db")).unwrap();
    world.fetcher(&format!("laptops enrol {file} --fingerprint {fingerprint}")).await.ends(0);
    let loaded = world.fetcher("load --to gap --all").await.ends(0);
    loaded.says(&["2 new statements", "7.json arrived before", "8.json rejected", "1 statement removed"]);
    assert_eq!(names(&world, "gap"), ["3.json", "7.json", "8.json"]);
    // with the missing one all that is in order goes
    world.fetcher("load --to stick --all").await.ends(0).says(&["3 statements removed"]);
    world.fetcher("load --to gap --all").await.ends(0).says(&["1 statement removed"]);
    assert_eq!(names(&world, "gap"), ["7.json", "8.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_killed_while_it_removes_them_loses_none() {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    let laptop = world.applier("trust show --laptop --json").await.ends(0).json();
    let (file, print) = (laptop["public_key"].as_str().unwrap(), laptop["fingerprint"].as_str().unwrap());
    world.fetcher(&format!("laptops enrol {file} --fingerprint {print}")).await.ends(0);
    let copy = |from: &str, to: &str| {
        let _ = remove_dir_all(world.path(to));
        let copied = Command::new("cp").arg("-r").args([world.path(from), world.path(to)]).status().unwrap();
        assert!(copied.success());
    };
    // the ledger knows the laptop and has nothing of it
    copy("stick", "stick-before");
    copy("home", "home-before");
    assert_eq!(in_the_ledger(&world).await, (0, 0));
    let mut partly = false;
    for cut in 1.. {
        copy("stick-before", "stick");
        copy("home-before", "home");
        let inject = format!("--inject=unlinkat:signal=KILL:when={cut}");
        let under = ["strace", "--follow-forks", "--output=/dev/null", "--trace=unlinkat", &inject];
        let killed = world.run(&under, "fetcher", "load --to stick --all").await;
        let (lying, (_, arrived)) = (names(&world, "stick"), in_the_ledger(&world).await);
        partly |= lying.len() == 1;
        for number in 1..=2 {
            let is_kept = number <= arrived || lying.contains(&format!("{number}.json"));
            assert!(is_kept, "cut {cut}: statement {number} is nowhere: {lying:?}, {arrived} arrived");
        }
        let is_over = killed.code == 0;
        if !is_over {
            killed.ends(137);
            world.fetcher("load --to stick --all").await.ends(0);
        }
        assert_eq!((names(&world, "stick"), in_the_ledger(&world).await), (vec![], (2, 2)), "cut {cut}");
        if is_over {
            break;
        }
    }
    assert!(partly, "it was never killed between the two");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_forges_an_acknowledgement_does_not_silence_a_laptop() {
    let world = collected().await;
    world.fetcher("load --to stick --all").await.ends(0);
    let laptop = world.applier("receipts --json").await.ends(0).json()["laptop"].as_str().unwrap().to_owned();
    let key = key_file::read(&world.path("home/keys/snapshot.pem"), None).unwrap();
    let forged = Acknowledged::new([(laptop.parse::<LaptopId>().unwrap(), u64::MAX)].into());
    let path = world.path("stick/COURIER/acknowledged.json");
    write(&path, &forged.sign(&key).unwrap());
    for expected in [3, 4] {
        world.apply("").await.ends(0);
        assert!(names(&world, "stick").contains(&format!("{expected}.json")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_removes_them_as_well() {
    let world = collected().await;
    let stick = plug_mounted(&world, "sdy", "A1");
    let copy = "cp -r stick/COURIER mnt/A1";
    let look = "find mnt/A1/COURIER -name '*.json' -not -path '*/metadata/*' >left";
    let station = "station --all --once --no-eject";
    let served = run(&world, &[&stick, copy], "fetcher", station, look).await.ends(0);
    served.says(&["2 statements removed: the ledger has them"]);
    assert_eq!(read_to_string(world.path("left")).unwrap(), "mnt/A1/COURIER/acknowledged.json\n");
    let station = format!("--json {station}");
    let lines = run(&world, &[&stick, copy], "fetcher", &station, look).await.ends(0);
    let loaded = lines.out.lines().find(|line| line.contains("\"loaded\"")).unwrap();
    let loaded: serde_json::Value = serde_json::from_str(loaded).unwrap();
    assert_eq!(loaded["removed_statements"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn old_statements_are_reminded_of_until_the_depot_says_that_it_has_them() {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    let at =
        async |days: &str, args: &str| world.run(&["faketime", "-f", days], "applier", args).await.ends(0);
    let words = "statements of this laptop are not known to have reached the depot, the oldest of ";
    let young = at("+29d", "receipts --json").await.json();
    assert_eq!((&young["arrived"], &young["overdue"]), (&json!(0), &json!(null)));
    at("+31d", "receipts").await.says(&[&format!("2 {words}"), "bring that stick home"]);
    let old = at("+31d", "receipts --json").await.json();
    assert_eq!(old["overdue"]["statements"], 2);
    assert_eq!(old["overdue"]["oldest"], old["statements"][0]["made"]);

    // the policy says when, on sticks from now on
    write(&world.path("manifests/policy.toml"), b"remind_after_days = 7\n");
    world.approve("--policy").await.ends(0).says(&["after 7 days  (signed now: after 30 days)"]);
    world.fetcher("load --to stick --all").await.ends(0);
    world.apply("").await.ends(0);
    assert_eq!(at("+6d", "receipts --json").await.json()["overdue"], json!(null));
    let apply = world.to_apply("");
    at("+8d", &apply).await.says(&[&format!("4 {words}"), "bring this stick home"]);
    at("+8d", "receipts --copy-to stick").await.says(&["bring this stick home"]);
    let told = at("+8d", &format!("{apply} --json")).await;
    let told = told.out.lines().find(|line| line.contains("\"overdue\"")).unwrap().to_owned();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["event"], &told["overdue"]["statements"]), (&json!("overdue"), &json!(5)));

    // home, loaded, and back
    world.enrol_laptop().await;
    world.fetcher("load --to stick --all").await.ends(0);
    let quiet = at("+8d", "verify --stick stick").await;
    assert!(!quiet.err.contains("not known"), "{}", quiet.err);
    let known = at("+8d", "receipts --json").await.json();
    assert_eq!((&known["arrived"], &known["overdue"]), (&json!(5), &json!(null)));
    let quiet = at("+8d", &apply).await;
    assert!(!quiet.err.contains("not known"), "{}", quiet.err);
}

//! Time: what has expired and is taken all the same, and a clock that is set right.

use std::fs::{copy, read, remove_file};

use serde_json::{Value, json};

use crate::world::{MODEL, RELEASE, World, recorder, write};
use journeys::ran::Ran;

/// The applier on a laptop whose date is so many days on.
async fn later(world: &World, days: u32, args: &str) -> Ran {
    world.run(&["faketime", "-f", &format!("+{days}d")], "applier", args).await
}

fn to_recorder(world: &World, command: &str, more: &str) -> String {
    format!("{command} {} --stick stick --password-file password.txt {more}", world.recorder.address())
}

fn roles(forgiven: &Value) -> Vec<&str> {
    forgiven.as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_depot_whose_clock_was_ahead_says_so_and_signs_anew() {
    let world = World::loaded().await;
    world.run(&["faketime", "-f", "+20d"], "fetcher", "load --to stick --all").await.ends(0);
    let status = world.fetcher("status --json").await.ends(0);
    assert!(status.json()["signed_ahead"].is_string(), "{}", status.out);
    assert!(status.err.contains("the clock of this machine is wrong, or was"), "{}", status.err);
    let loaded = world.fetcher("load --to stick --all").await.ends(0);
    assert!(loaded.err.contains("applier clock reset REASON"), "{}", loaded.err);
    assert!(world.fetcher("status --json").await.ends(0).json()["signed_ahead"].is_null());
    world.applier("verify --stick stick").await.ends(0);
    let clock = world.applier("clock --json").await.ends(0).json();
    assert_eq!(clock["counts"], "system", "{clock}");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_metadata_is_accepted_for_a_reason_that_stands_everywhere() {
    let world = World::loaded().await;
    let expired = later(&world, 45, "verify --stick stick").await;
    expired.fails(10, "expired metadata", &["timestamp.json", "--accept-expired REASON", "applier clock"]);
    later(&world, 45, "verify --stick stick --accept-expired=").await.ends(2).says(&["a reason in words"]);

    let verify = "verify --stick stick --accept-expired flood";
    let told =
        ["timestamp metadata expired on", "snapshot metadata expired on", "for this reason: flood", "OLD"];
    later(&world, 45, verify).await.ends(0).says(&told);
    let verified = later(&world, 45, &format!("{verify} --json")).await.ends(0).json();
    assert_eq!(verified["accept_expired"]["reason"], "flood");
    assert_eq!(roles(&verified["accept_expired"]["forgiven"]), ["timestamp", "snapshot"]);

    let in_time = world.applier(&to_recorder(&world, "plan", "--json")).await.ends(0).json();
    assert_eq!((&in_time["plan"]["overrides"], in_time["plan"].get("expired")), (&json!([]), None));
    let plan = to_recorder(&world, "plan", "--accept-expired flood --json");
    let planned = later(&world, 45, &plan).await.ends(0).json();
    let lifted = json!([{"flag": "accept-expired", "reason": "flood"}]);
    assert_eq!(planned["plan"]["overrides"], lifted);
    assert_eq!(planned["plan"]["expired"], verified["accept_expired"]["forgiven"]);
    assert_ne!(planned["digest"], in_time["digest"]);

    let digest = planned["digest"].as_str().unwrap();
    let apply = to_recorder(&world, "apply", &format!("--yes --accept-expired flood --plan {digest}"));
    let applied = later(&world, 45, &apply).await.ends(0).says(&["expired    timestamp metadata"]);
    assert_eq!(applied.pushes, 1);
    let again = to_recorder(&world, "apply", "--yes --accept-expired flood --json");
    let current = later(&world, 45, &again).await.ends(0).json();
    assert_eq!(current["accept_expired"], verified["accept_expired"]);
    let stated = world.statements();
    assert_eq!(stated.len(), 3, "began, ended, already current");
    for statement in &stated {
        assert_eq!(statement["overrides"], lifted);
        assert_eq!(statement["publication"]["forgiven"], verified["accept_expired"]["forgiven"]);
    }
    world.enrol_laptop().await;
    world.fetcher("fleet").await.ends(0).says(&[MODEL, "V4.61.025"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_had_expired_too() {
    let mut other = recorder();
    other.model = "DS-7616NI-K2".parse().unwrap();
    let world = World::loaded_with(other).await;
    let apply = to_recorder(&world, "apply", "--yes --accept-expired flood --json");
    let refused = later(&world, 45, &apply).await.ends(4).json();
    assert_eq!(refused["accept_expired"]["reason"], "flood");
    let [refused] = &world.statements()[..] else { panic!("one statement") };
    assert_eq!(
        (&refused["result"], &refused["overrides"][0]["flag"]),
        (&json!("refused"), &json!("accept-expired"))
    );
    assert_eq!(roles(&refused["publication"]["forgiven"]), ["timestamp", "snapshot"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_expired_is_not_forgiven_and_what_is_too_old_never() {
    let world = World::loaded().await;
    // in time the flag lifts nothing, and nothing tells of it
    let apply = to_recorder(&world, "apply", "--yes --accept-expired caution");
    let applied = world.applier(&apply).await.ends(0);
    assert!(!applied.err.contains("caution") && !applied.out.contains("caution"), "{}", applied.err);
    for statement in world.statements() {
        assert_eq!((&statement["overrides"], statement["publication"].get("forgiven")), (&json!([]), None));
    }
    let verify = "verify --stick stick --accept-expired flood";
    let all = later(&world, 200, &format!("{verify} --json")).await.ends(0).json();
    assert_eq!(roles(&all["accept_expired"]["forgiven"]), ["timestamp", "snapshot", "targets"]);
    let words = ["timestamp.json expired", "180 days after the expiry and no more"];
    later(&world, 215, verify).await.fails(10, "expired for more than 180 days", &words);
    let words = ["root.json expired", "--accept-expired never covers a root"];
    later(&world, 735, verify).await.fails(10, "expired root", &words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_is_shown_and_reset_and_one_statement_tells_of_it() {
    let world = World::loaded().await;
    let nothing = world.applier("clock reset mistake --yes").await.ends(0);
    nothing.says(&["there is no floor"]);
    world.applier("verify --stick stick").await.ends(0);
    let clock = world.applier("clock --json").await.ends(0).json();
    assert_eq!((&clock["counts"], &clock["floor"]["source"]), (&json!("system"), &json!("timestamp")));
    let behind = ["faketime", "-f", "2020-01-01 00:00:00"];
    let told = world.run(&behind, "applier", "clock show").await.ends(0);
    told.says(&["system   2020-01-01", "when the depot signed timestamp 2", "behind by at least"]);

    world.applier("clock reset battery").await.fails(2, "clock reset without a terminal", &["--yes"]);
    world.applier("clock reset  --yes=").await.ends(2);
    // as if the power had gone after the reset was recorded and before it was done
    let (floor, kept) = (world.path("state/metadata/clock-floor"), world.path("kept"));
    copy(&floor, &kept).unwrap();
    world.applier("clock reset battery --yes").await.ends(0).says(&["timestamp 2", "forgotten"]);
    copy(&kept, &floor).unwrap();
    let cut = world.applier("clock --json").await.ends(0).json();
    assert_eq!((&cut["floor"], cut["resets"].as_array().unwrap().len()), (&clock["floor"], 1));
    let reset = world.applier("clock reset battery --yes --json").await.ends(0).json();
    assert_eq!((&reset["floor"], &reset["statement"]), (&clock["floor"], &json!(1)));
    let after = world.run(&behind, "applier", "clock --json").await.ends(0).json();
    assert_eq!((&after["floor"], &after["counts"]), (&Value::Null, &json!("build")));
    assert_eq!(after["resets"].as_array().unwrap().len(), 2);

    world.apply("").await.ends(0);
    let [began, ended] = &world.statements()[..] else { panic!("two statements") };
    let told = began["times"]["resets"].as_array().unwrap();
    assert_eq!(told.len(), 2);
    for one in told {
        assert_eq!((&one["reason"], &one["floor"]), (&json!("battery"), &clock["floor"]["time"]));
    }
    assert_eq!(ended["times"].get("resets"), None);
    let last = world.applier("clock --json").await.ends(0).json();
    assert_eq!((&last["floor"], &last["resets"]), (&clock["floor"], &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_depot_that_signed_ahead_of_time_is_recovered_from() {
    let world = World::loaded().await;
    let newer = world.release("V4.62.000:230501", &[MODEL]);
    world.pin(&newer).await.ends(0);
    let approve = format!("approve {newer} --yes --passphrase-file pass.txt");
    for args in [&approve, "load --to stick --all"] {
        world.run(&["faketime", "-f", "+40d"], "fetcher", args).await.ends(0);
    }
    world.applier("verify --stick stick").await.ends(0).says(&["clock of this laptop is behind"]);
    // the depot's clock is right again, and what it signs expires before the laptop's floor
    world.fetcher(&format!("withdraw {newer} --yes --passphrase-file pass.txt")).await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world.applier("verify --stick stick").await.fails(
        10,
        "floor of a depot that was ahead",
        &["applier clock"],
    );
    world.applier("clock").await.ends(0).says(&["signed timestamp 3", "counts   the floor"]);
    world.applier("clock reset depot-was-ahead --yes").await.ends(0);
    let verified = world.applier("verify --stick stick").await.ends(0).says(&[RELEASE]);
    assert!(!verified.err.contains("behind"), "{}", verified.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_of_the_floor_is_reset() {
    let world = World::loaded().await;
    world.applier("verify --stick stick").await.ends(0);
    let floor = world.path("state/metadata/clock-floor");
    let mut bytes = read(&floor).unwrap();
    bytes.truncate(20);
    write(&floor, &bytes);
    let words = ["clock-floor is rejected", "clock reset REASON"];
    world.applier("verify --stick stick").await.fails(5, "damaged record of the floor", &words);
    world.applier("clock").await.ends(5).says(&["clock reset REASON"]);
    world.applier("clock reset disk --yes").await.ends(0).says(&["its record is damaged"]);
    world.apply("").await.ends(0);
    let resets = &world.statements()[0]["times"]["resets"];
    assert_eq!((&resets[0]["reason"], resets[0].get("floor")), (&json!("disk"), None));

    // and of what is to be told of resets: nothing is pushed before it is understood
    let record = world.path("state/clock-resets.json");
    write(&record, b"[]");
    let damaged = world.apply("").await;
    damaged.fails(1, "damaged record of clock resets", &["clock-resets.json", "move the file"]);
    remove_file(record).unwrap();
    world.apply("").await.ends(0);
}

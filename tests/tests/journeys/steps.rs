//! Releases that need others first, and what a site asks for that its stick does not carry.

use std::fs::remove_file;

use nvr_sim::{Faults, Stage};
use serde_json::{Value, json};

use crate::world::{BEFORE, MODEL, World, files, recorder_of, revision};
use journeys::ran::Ran;

/// What comes in between, and what is wanted.
const STEP: &str = "V4.61.025:230421";
const FAR: &str = "V5.02.000:240101";
const STEP_ID: &str = "nvr-synthetic-4.61.025-230421";
const FAR_ID: &str = "nvr-synthetic-5.02.000-240101";

/// Both are approved and on the stick, and the recorder comes back from the first push with the first.
async fn loaded() -> World {
    let world = World::with(recorder_of(MODEL, BEFORE, FAR)).await;
    world.recorder.set_faults(Faults { back_as: Some(revision(STEP)), ..Faults::default() });
    world.init().await;
    for id in [world.release(STEP, &[MODEL]), world.release(FAR, &[MODEL])] {
        if id == FAR_ID {
            world.last_release_needs(STEP_ID);
        }
        world.pin(&id).await.ends(0);
        world.approve(&id).await.ends(0);
    }
    world.fetcher("load --to stick --all").await.ends(0);
    world.trust().await;
    world
}

/// Applies, and gives the recorder these faults once it has restarted for the first time.
async fn apply(world: &World, more: &str, then: Faults) -> Ran {
    let restarted = async {
        world.recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
        world.recorder.set_faults(then);
    };
    tokio::join!(world.apply(more), restarted).0
}

/// Result and release of each push that has ended.
fn ends(world: &World) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = world.statements();
    let ended = all.iter().filter(|statement| statement["result"].is_string());
    ended.map(|end| (text(&end["result"]), text(&end["target"]["release"]))).collect()
}

fn pair(result: &str, release: &str) -> (String, String) {
    (result.into(), release.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_confirmed_before_the_next() {
    let world = loaded().await;
    let planned = world.plan("--json").await.ends(0).json();
    assert_eq!(planned["plan"]["target"]["release"], STEP_ID);
    assert_eq!(planned["plan"]["later"][0]["release"], FAR_ID);
    world.plan("").await.ends(0).says(&[
        "V4.30.097 build 200101 → V4.61.025 build 230421 → V5.02.000 build 240101",
        "step 1     nvr-synthetic-4.61.025",
        "step 2     nvr-synthetic-5.02.000",
    ]);
    let wrong = format!("--plan {}", "0".repeat(64));
    assert_eq!(world.apply(&wrong).await.ends(4).says(&["something has changed"]).pushes, 0);
    let agreed = format!("--plan {}", planned["digest"].as_str().unwrap());
    let applied = apply(&world, &agreed, Faults::default()).await.ends(0);
    assert_eq!(applied.pushes, 2);
    assert_eq!(world.recorder.state().revision, revision(FAR));
    assert_eq!(ends(&world), [pair("applied", STEP_ID), pair("applied", FAR_ID)]);
    let statements = world.statements();
    assert_eq!(statements.len(), 4, "each push is announced and told");
    let runs: Vec<&Value> = statements.iter().map(|statement| &statement["run"]).collect();
    assert!(runs[0] == runs[1] && runs[1] != runs[2] && runs[2] == runs[3], "{runs:?}");
    assert_eq!(statements[0]["plan"], planned["digest"]);
    assert_eq!(world.apply("").await.ends(0).says(&["already current"]).pushes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_on_the_way_is_not_at_the_target() {
    let world = loaded().await;
    let refusing = Faults { refuse: Some("badUpgradePackage".into()), ..Faults::default() };
    let stopped = apply(&world, "", refusing).await;
    let words = ["1 of 2 steps confirmed", "the same command goes on"];
    assert_eq!(stopped.fails(3, "second step refused by the recorder", &words).pushes, 2);
    assert_eq!(ends(&world), [pair("applied", STEP_ID), pair("failed", FAR_ID)]);
    world.recorder.set_faults(Faults { busy: true, ..Faults::default() });
    world.apply("").await.ends(4);
    // goes on from where it stands
    world.recorder.set_faults(Faults::default());
    assert_eq!(world.apply("").await.ends(0).pushes, 3);
    assert_eq!(world.recorder.state().revision, revision(FAR));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_plan_refuses_on_the_way_stops_it_too() {
    let world = loaded().await;
    let disk = Faults { disk_status: Some("error".into()), ..Faults::default() };
    let stopped = apply(&world, "--json", disk).await.ends(3);
    let document: Value = serde_json::from_str(stopped.out.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&document["confirmed_steps"], &document["refusals"][0]["refusal"], &document["exit"]),
        (&json!(1), &json!("disk-error"), &json!(3))
    );
    assert_eq!(document["refusals"][0]["override"], "--allow-disk-errors REASON");
    assert_eq!((stopped.pushes, ends(&world)[1].0.as_str()), (1, "refused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_second_step_stays_unknown() {
    let world = loaded().await;
    let gone = Faults { cut_at_end: true, never_back: true, ..Faults::default() };
    let unknown = apply(&world, "--quiet-period 1", gone).await;
    unknown.ends(8).says(&["1 of 2 steps confirmed"]);
    assert_eq!(ends(&world)[1], pair("unknown-after-push", FAR_ID));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_carried_is_asked_for_and_comes() {
    let world = loaded().await;
    let step = files(&world.path("stick/COURIER/targets")).into_keys().find(|path| path.contains(STEP_ID));
    remove_file(world.path("stick/COURIER/targets").join(step.unwrap())).unwrap();
    let words =
        ["nvr-synthetic-4.61.025-230421 is approved, but", "fetcher load --to STICK --model DS-7608NI-I2"];
    let refused = world.plan("--site-name Harbour --operator Kim").await;
    let refused = refused.fails(4, "step not carried", &words);
    assert!(refused.out.contains("request    release nvr-synthetic-4.61.025-230421"), "{}", refused.out);
    let asked = world.statements();
    assert_eq!((asked.len(), &asked[0]["site"]), (1, &json!("Harbour")));
    assert_eq!(asked[0]["needs"], json!([{"release": STEP_ID, "reason": "not-carried"}]));
    // the same is not asked twice in a row, and looking asks as well
    let again = world.plan("--site-name Harbour --operator Kim --json").await.ends(4).json();
    assert_eq!(again["needs"][0]["release"], STEP_ID);
    assert_eq!(world.statements().len(), 1);
    let inspect = format!("inspect {} --password-file password.txt", world.recorder.address());
    world.applier(&inspect).await.ends(0);
    assert_eq!(world.statements().len(), 1, "no stick is named");
    let looked = world.applier(&format!("{inspect} --stick stick --json")).await.ends(0).json();
    assert_eq!(
        (&looked["device"]["model"], &looked["needs"][0]["reason"]),
        (&json!(MODEL), &json!("not-carried"))
    );
    assert_eq!(world.statements().len(), 2, "somebody else asks");
    world.applier(&format!("{inspect} --stick nowhere")).await.ends(0).says(&["stick not looked at"]);
    assert_eq!(world.apply("").await.ends(4).pushes, 0);

    world.enrol_laptop().await;
    let words = [MODEL, "needs release nvr-synthetic-4.61.025-230421 (not-carried)"];
    world.fetcher("status").await.ends(0).says(&words).says(&["requested: "]);
    world.fetcher("fleet").await.ends(0).says(&words).says(&["after nvr-synthetic-4.61.025-230421"]);
    let fleet = world.fetcher("fleet --json").await.ends(0).json();
    assert_eq!(fleet["requests"][0]["needs"][0]["release"], STEP_ID);
    assert_eq!(fleet["recorders"][0]["state"]["first"], json!([STEP_ID]));

    // the depot sends it, and the request is answered
    world.fetcher(&format!("load --to stick --model {MODEL}")).await.ends(0);
    assert_eq!(apply(&world, "", Faults::default()).await.ends(0).pushes, 2);
    world.fetcher("collect --from stick").await.ends(0);
    let fleet = world.fetcher("fleet --json").await.ends(0).json();
    assert_eq!(fleet["requests"], json!([]));
    assert_eq!(world.fetcher("status --json").await.ends(0).json()["requests"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_withdrawn_is_asked_for_by_name() {
    let world = loaded().await;
    world.fetcher(&format!("withdraw {STEP_ID} --yes --passphrase-file pass.txt")).await.ends(0);
    let load = world.fetcher("load --to stick --all").await.ends(0);
    load.says(&["steps that go before what is carried are not approved: nvr-synthetic-4.61.025-230421"]);
    let words = ["which is not listed", "fetcher approve nvr-synthetic-4.61.025-230421"];
    world.plan("").await.fails(4, "step withdrawn", &words);
    assert_eq!(world.statements()[0]["needs"][0], json!({"release": STEP_ID, "reason": "not-listed"}));
    let words = ["never approved, or withdrawn", "a release that was withdrawn is never pushed"];
    world.plan(&format!("--release {STEP_ID}")).await.fails(4, "withdrawn release named", &words);
    assert_eq!(world.statements().len(), 1, "nothing is asked for that the depot took back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_taken_up_again_is_not_the_target() {
    let world = loaded().await;
    let running = world.start_apply(&[], &[], "");
    world.recorder.until(|state| state.counters.reboot_requests == 1).await;
    running.kill().await;
    let resumed = world.applier("resume --password-file password.txt").await;
    let words =
        ["stopped on the way", "V4.61.025 build 230421 is confirmed", "V5.02.000 build 240101 was meant"];
    resumed.fails(3, "first of two steps taken up again", &words);
    world.recorder.set_faults(Faults::default());
    world.apply("").await.ends(0);
    assert_eq!(world.recorder.state().counters.pushes, 2);
}

//! A push of which nobody knows how it ended: what it forbids, and the way out of it.

use std::fs::{create_dir, read, read_dir};
use std::path::PathBuf;
use std::time::Duration;

use nvr_sim::{Builder, Content, Faults, Stage};
use serde_json::Value;

use crate::world::{BEFORE, World, recorder, revision, write};
use journeys::ran::Ran;

/// A recorder that answers nothing after the last byte, and restarts with what it ran.
fn silent() -> Builder {
    let mut silent = recorder();
    silent.faults = Faults { cut_at_end: true, ..Faults::default() };
    silent.after = revision(BEFORE);
    // nothing proves that it has restarted
    silent.content.missing = vec!["/ISAPI/System/status".into()];
    // long enough to be seen to be gone
    silent.down = Duration::from_secs(1);
    silent
}

/// A world in which one push has ended so.
async fn unsettled() -> World {
    let world = World::loaded_with(silent()).await;
    world.apply("--quiet-period 1").await.ends(8);
    world.recorder.set_faults(Faults::default());
    world
}

fn last_document(ran: &Ran) -> Value {
    serde_json::from_str(ran.out.lines().last().unwrap()).unwrap()
}

fn journal(world: &World) -> PathBuf {
    let journals = read_dir(world.path("state/journals")).unwrap();
    journals.map(|entry| entry.unwrap().path()).max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_again_only_after_the_quiet_period_and_with_a_reason() {
    let world = unsettled().await;
    let words = ["is not known", "wait ", "--push-again REASON"];
    let early = "--push-again looked --quiet-period 900";
    world.apply(early).await.fails(8, "pushed again within the quiet period", &words);
    let words = ["is not known", "--push-again REASON", "stands in the receipt"];
    world.apply("--quiet-period 0").await.fails(8, "state unknown since an earlier push", &words);
    // the laptop's clock was set back: nothing says how long ago it was
    let args = format!(
        "apply {} --stick stick --password-file password.txt --yes --quiet-period 0 --push-again looked",
        world.recorder.address()
    );
    let set_back = world.run(&["faketime", "-f", "-1h"], "applier", &args).await;
    assert_eq!(set_back.ends(8).says(&["set the clock right"]).pushes, 1);
    // what the plan refuses stays refused
    world.recorder.set_faults(Faults { busy: true, ..Faults::default() });
    let busy = world.apply("--quiet-period 0 --push-again looked").await.ends(4);
    assert_eq!(busy.says(&["busy"]).pushes, 1);
    world.recorder.set_faults(Faults::default());
    world.recorder.set_content(Content::default());
    let again = world.apply("--quiet-period 0 --push-again looked --json").await.ends(3);
    assert_eq!(again.pushes, 2);
    let text = String::from_utf8(read(journal(&world)).unwrap()).unwrap();
    assert!(text.contains("\"overrides\":[{\"flag\":\"push-again\",\"reason\":\"looked\"}]"), "{text}");
    // how that one ended is known, and so the next needs no reason
    world.recorder.set_content(Content::default());
    assert_eq!(world.apply("").await.ends(3).pushes, 3);
    world.enrol_laptop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_one_document() {
    let world = unsettled().await;
    let blocked = world.apply("--json").await.ends(8);
    let document = blocked.json();
    assert_eq!(document["decision"], "blocked");
    assert!(document["wait_seconds"].as_u64().unwrap() > 0 && document["error"].is_string());
    world.recorder.set_faults(Faults { busy: true, ..Faults::default() });
    let refused = world.apply("--json --quiet-period 0 --push-again looked").await.ends(4).json();
    assert_eq!(
        (&refused["decision"], &refused["refusals"][0]["refusal"]),
        (&"refused".into(), &"busy".into())
    );
    let planned = world.plan("--json --quiet-period 0 --push-again looked").await.ends(4).json();
    assert_eq!(planned["decision"], "refused");
    world.recorder.set_faults(Faults::default());
    world.recorder.set_content(Content::default());
    let ended = world.apply("--json --quiet-period 0 --push-again looked").await.ends(3);
    let document = last_document(&ended);
    assert_eq!(document["outcome"]["reason"], "version-unchanged");
    assert_eq!(document["exit"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_stops_pushes_and_says_which_it_is() {
    let world = World::loaded().await;
    create_dir(world.path("state/journals")).ok();
    let path = world.path("state/journals/20260101T000000Z-00000000.jsonl");
    write(&path, b"not a journal\n");
    let words = ["20260101T000000Z-00000000.jsonl", "line 1", "move the file"];
    let stopped = world.apply("").await.fails(8, "damaged journal", &words);
    assert_eq!(stopped.pushes, 0);
    std::fs::remove_file(path).unwrap();
    world.apply("").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_cannot_be_written_changes_no_outcome() {
    for (mut slow, code) in [(recorder(), 0), (silent(), 8)] {
        let usual = slow.faults.clone();
        slow.faults.stall = true;
        let world = World::loaded_with(slow).await;
        let spoilt = async {
            world.recorder.until(|state| state.stage == Stage::Flashing).await;
            // the second statement, how it ended, finds its place taken
            create_dir(world.path("state/receipts/2.json")).unwrap();
            world.recorder.set_faults(usual);
        };
        let (ran, ()) = tokio::join!(world.apply("--quiet-period 1"), spoilt);
        ran.ends(code).says(&["RECEIPT NOT WRITTEN"]);
    }
}

//! A person who does not want to wait for what else differs, once a push is confirmed.

use journeys::ran::Ran;
use journeys::running::Running;
use nvr_sim::{Builder, Faults, Handle, Stage};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::backups;
use crate::world::{World, recorder};

/// A second recorder to which nothing was pushed yet.
async fn second() -> Handle {
    let mut second = recorder();
    second.serial = Some("DS-YARD".parse().unwrap());
    second.start().await.unwrap()
}

/// A recorder that stays down until its faults are set anew.
fn restarting() -> Builder {
    let mut recorder = backups::restarting();
    recorder.faults.never_back = true;
    recorder
}

/// A disk of this recorder is in error since its restart, and Ctrl-C is pressed while that is looked at again and
/// again.
async fn cut_short(world: &World, recorder: &Handle, mut running: Running) -> Ran {
    recorder.until(|state| state.stage == Stage::Down).await;
    recorder.set_faults(Faults { disk_status: Some("error".into()), ..Faults::default() });
    running.until("looks whether all else is as before").await;
    running.signal(Signal::INT);
    running.ended(world).await
}

fn last(ran: &Ran) -> Value {
    serde_json::from_str(ran.out.lines().last().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_is_cut_short_and_the_receipt_is_written() {
    let world = World::loaded_with(restarting()).await;
    let running = world.start_apply(&[], &[], "--settle-time 30");
    let ended = cut_short(&world, &world.recorder, running).await.ends(0);
    ended.says(&["not looked for to the end: the program was asked to end", "confirmed: "]);
    let statement = world.statements().pop().unwrap();
    assert_eq!(statement["result"], "applied");
    let words = "not looked for to the end: the program was asked to end";
    assert_eq!(statement["differences"], json!([words]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_recorder_is_begun_then() {
    let world = World::loaded_with(restarting()).await;
    let second = second().await;
    let running = world.start_apply(&[], &[], &format!("{} --settle-time 30 --json", second.address()));
    let ended = cut_short(&world, &world.recorder, running).await.ends(4);
    is_not_begun(&second, &ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_where_ctrl_c_was_pressed_once_while_the_first_was_watched() {
    let world = World::loaded_with(restarting()).await;
    let second = second().await;
    let mut running = world.start_apply(&[], &[], &format!("{} --settle-time 30 --json", second.address()));
    world.recorder.until(|state| state.stage == Stage::Down).await;
    running.signal(Signal::INT);
    running.until("watching goes on").await;
    world.recorder.set_faults(Faults::default());
    is_not_begun(&second, &running.ended(&world).await.ends(4));
}

fn is_not_begun(second: &Handle, ended: &Ran) {
    let told = last(ended);
    let results: Vec<&Value> =
        told["recorders"].as_array().unwrap().iter().map(|row| &row["result"]).collect();
    assert_eq!(results, [&json!("confirmed"), &json!("not-tried")]);
    assert_eq!((second.state().counters.connections, &told["exit"]), (0, &json!(4)));
}

//! A person who wants the program to end, a system that does, a terminal that is closed.

use journeys::running::Running;
use nvr_sim::{Faults, Handle, Stage};
use rustix::process::Signal;

use crate::case::{Bench, apply};
use crate::fault::recorder;
use crate::statements;

async fn start(bench: &Bench, faults: Faults) -> (Handle, Running) {
    let mut recorder = recorder();
    recorder.faults = faults;
    let recorder = recorder.start().await.unwrap();
    let args = apply(&recorder);
    let running = Running::start(bench.site().command(&[], "applier", &args), format!("applier {args}"));
    (recorder, running)
}

fn resume(recorder: &Handle) -> String {
    format!(
        "resume --address {} --stick stick --password-file password.txt --quiet-period 1",
        recorder.address()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_it_flashes_warns_and_a_second_one_leaves_the_journal_in_order() {
    let bench = Bench::new().await;
    let (recorder, mut running) = start(&bench, Faults { stall: true, ..Faults::default() }).await;
    recorder.until(|state| state.stage == Stage::Flashing).await;
    running.until("the whole package has left").await;
    running.signal(Signal::INT);
    running.until("DO NOT CUT THE POWER").await;
    running.signal(Signal::INT);
    let left = running.ended(bench.site()).await.ends(8);
    left.says(&["stands at flashing", "its journal is in order", "do not cut the power", "applier resume"]);
    recorder.set_faults(Faults::default());
    recorder.until(|state| state.stage == Stage::RebootRequired).await;
    recorder.reboot();
    bench.site().applier(&resume(&recorder)).await.ends(0).says(&["stands at  flashing", "confirmed"]);
    assert_eq!(recorder.state().counters.pushes, 1);
    statements::hold(bench.site());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_while_it_flashes_changes_nothing() {
    let bench = Bench::new().await;
    let (recorder, mut running) = start(&bench, Faults { stall: true, ..Faults::default() }).await;
    recorder.until(|state| state.stage == Stage::Flashing).await;
    running.until("the whole package has left").await;
    running.signal(Signal::INT);
    running.until("watching goes on").await;
    recorder.set_faults(Faults::default());
    running.ended(bench.site()).await.ends(0).says(&["confirmed"]);
    assert_eq!(recorder.state().counters.pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_and_a_shutdown_leave_it_at_once() {
    let bench = Bench::new().await;
    for signal in [Signal::TERM, Signal::HUP] {
        bench.renew();
        let (recorder, mut running) = start(&bench, Faults { stall: true, ..Faults::default() }).await;
        recorder.until(|state| state.stage == Stage::Flashing).await;
        running.until("the whole package has left").await;
        running.signal(signal);
        running.ended(bench.site()).await.ends(8).says(&["stands at flashing", "applier resume"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_broken_off_by_a_second_one_and_the_recorder_is_unchanged() {
    let bench = Bench::new().await;
    // so slow that the last block cannot be handed over: it waits for the ones before it
    let release = bench.site().release_of_size(24 << 20, "V4.62.000:240101", &[journeys::site::MODEL]);
    bench.site().approve_and_load(&release).await;
    let (recorder, mut running) =
        start(&bench, Faults { bytes_per_second: Some(1 << 20), ..Faults::default() }).await;
    recorder.until(|state| state.counters.bytes > 0).await;
    running.signal(Signal::INT);
    running.until("Ctrl-C again breaks the upload off").await;
    running.signal(Signal::INT);
    let ended = running.ended(bench.site()).await.ends(7);
    ended.says(&["broken off before its last block", "still answers with V4.30.097"]);
    assert_eq!(recorder.state().counters.bodies, 0);
    statements::hold(bench.site());
    recorder.set_faults(Faults::default());
    recorder.until(|state| state.stage == Stage::Idle).await;
    let resumed = bench.site().applier(&resume(&recorder)).await.ends(0);
    resumed.says(&["nothing to resume"]);
}

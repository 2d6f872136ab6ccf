//! What ends early at the recorder. Each says what state the recorder is in, and the recorder says how
//! often it was pushed to.

use std::time::Duration;

use nvr_sim::{Faults, Login, Stage};

use crate::world::{BEFORE, MODEL, World, recorder, revision};

#[tokio::test(flavor = "multi_thread")]
async fn model_without_a_release() {
    let mut other = recorder();
    other.model = "DS-7616NI-K2".parse().unwrap();
    let world = World::loaded_with(other).await;
    let apply = world.apply("").await.fails(4, "model without a release", &["DS-7616NI-K2"]);
    assert_eq!(apply.pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_choice() {
    let world = World::loaded().await;
    // a higher version of an earlier build: two branches
    let other = world.release("V4.62.000:230101", &[MODEL]);
    world.approve_and_load(&other).await;
    let words = ["several releases could be meant", &other, "nvr-synthetic-4.61.025-230421", "--release"];
    let apply = world.apply("").await.fails(4, "ambiguous choice", &words);
    assert_eq!(apply.pushes, 0);
    let decided = world.apply("--release nvr-synthetic-4.61.025-230421").await.ends(0);
    assert_eq!(decided.pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_version() {
    let mut newer = recorder();
    newer.before = revision("V4.70.000:240101");
    let world = World::loaded_with(newer).await;
    let words = ["V4.70.000", "V4.61.025", "downgrade"];
    assert_eq!(world.apply("").await.fails(4, "older version", &words).pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_password_is_tried_once() {
    let world = World::loaded().await;
    crate::world::write(&world.path("password.txt"), b"not this one");
    let apply = world.apply("").await.fails(9, "wrong password", &["user or password refused", "4 more"]);
    assert_eq!((apply.pushes, world.recorder.state().counters.wrong_logins), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn password_refused_in_the_middle_of_a_run_is_remembered() {
    let mut flashing = recorder();
    flashing.login.tries = Some(3);
    flashing.faults = Faults { stall: true, ..Faults::default() };
    let world = World::loaded_with(flashing).await;
    let changed = async {
        // somebody changes it while the recorder flashes
        let state = world.recorder.until(|state| state.stage == Stage::Flashing).await;
        world.recorder.set_login(Login { password: "another one".into(), ..state.login });
        world.recorder.set_faults(Faults::default());
    };
    let (run, ()) = tokio::join!(world.apply("--return-timeout 2"), changed);
    let words = ["unknown-after-push", "login was refused"];
    assert_eq!(run.fails(8, "password refused while it flashes", &words).pushes, 1);
    assert_eq!(world.recorder.state().counters.wrong_logins, 1);

    // the same password is not sent once more: two more lock the account
    let before = world.recorder.state().counters.connections;
    let inspect = format!("inspect {} --password-file password.txt", world.recorder.address());
    world.applier(&inspect).await.ends(9).says(&[
        "a login was refused",
        "2 wrong ones more",
        "--risk-lockout",
    ]);
    assert_eq!(world.recorder.state().counters.connections, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn recorder_busy() {
    let mut busy = recorder();
    busy.faults = Faults { busy: true, ..Faults::default() };
    let world = World::loaded_with(busy).await;
    assert_eq!(world.apply("").await.fails(4, "recorder busy", &["busy with an upgrade"]).pushes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn package_refused_by_the_device() {
    let mut refusing = recorder();
    refusing.faults = Faults { refuse: Some("badDevType".into()), ..Faults::default() };
    let world = World::loaded_with(refusing).await;
    let apply = world.apply("").await.fails(7, "package refused by the device", &["badDevType"]);
    assert_eq!((apply.pushes, world.recorder.state().revision), (1, revision(BEFORE)));
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_lost_before_the_last_byte() {
    let mut cutting = recorder();
    cutting.faults = Faults { cut_after: Some(1_000_000), ..Faults::default() };
    let world = World::with(cutting).await;
    world.init().await;
    // more than the kernel takes in advance on both sides: the last byte has not left the laptop
    world.approve_and_load(&world.release_of_size(48 << 20, "V4.61.025:230421", &[MODEL])).await;
    world.trust().await;
    let apply = world.apply("").await.fails(7, "connection lost before the last byte", &["V4.30.097"]);
    assert_eq!((apply.pushes, world.recorder.state().counters.bodies), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_lost_after_the_last_byte() {
    let mut cutting = recorder();
    cutting.faults = Faults { cut_at_end: true, ..Faults::default() };
    // it comes back as it was, and later than the applier is told to wait
    cutting.after = revision(BEFORE);
    cutting.down = Duration::from_secs(8);
    // and nothing proves that it has restarted
    cutting.content.missing = vec!["/ISAPI/System/status".into()];
    let world = World::loaded_with(cutting).await;
    let apply = world.apply("--quiet-period 2 --return-timeout 2").await;
    let words = ["unknown-after-push", "do not push again"];
    let apply = apply.fails(8, "connection lost after the last byte", &words);
    assert_eq!((apply.pushes, world.recorder.state().counters.bodies), (1, 1));
    // it answers, with its old version, which proves nothing: it is not pushed to again
    world.recorder.until(|state| state.stage == Stage::Idle).await;
    assert_eq!(world.apply("").await.ends(8).pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_not_reached() {
    let mut stubborn = recorder();
    stubborn.after = revision("V4.50.000:220101");
    let world = World::loaded_with(stubborn).await;
    let apply = world.apply("").await.fails(3, "version not reached", &["V4.50.000", "V4.61.025"]);
    assert_eq!((apply.pushes, world.recorder.state().revision), (1, revision("V4.50.000:220101")));
}

#[tokio::test(flavor = "multi_thread")]
async fn recorder_unreachable() {
    let world = World::loaded().await;
    // port 9, discard, which nobody listens on
    let apply = "apply 127.0.0.1:9 --stick stick --password-file password.txt --yes";
    world.applier(apply).await.fails(6, "recorder unreachable", &["127.0.0.1:9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn address_beyond_this_laptop() {
    let world = World::loaded().await;
    let apply = "apply 192.0.2.1 --stick stick --password-file password.txt --yes";
    let words = ["192.0.2.1", "not alone with it", "neither private nor link-local"];
    world.applier(apply).await.fails(11, "address beyond this laptop", &words);
}

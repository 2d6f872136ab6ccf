//! From the catalogue to the ledger, and every further run that must change nothing.

use serde_json::json;

use crate::world::{MODEL, RELEASE, World, files, revision};

#[tokio::test(flavor = "multi_thread")]
async fn from_the_catalogue_to_the_ledger() {
    let world = World::new().await;
    world.init().await;
    world.release("V4.61.025:230421", &[MODEL]);
    world.fetcher("releases --check").await.ends(0).says(&["1 releases, 1 models", "0 pinned"]);
    world.pin(RELEASE).await.ends(0).says(&["trust on first use"]);
    world.approve(RELEASE).await.ends(0);
    world.fetcher(&format!("load --to stick --model {MODEL}")).await.ends(0).says(&["good until"]);
    world.trust().await;
    world.applier(&format!("verify --stick stick --model {MODEL}")).await.ends(0).says(&[RELEASE]);

    let address = world.recorder.address();
    let plan = format!("plan {address} --stick stick --password-file password.txt");
    world.applier(&plan).await.ends(0).says(&[RELEASE, "V4.30.097", "V4.61.025"]);
    assert_eq!(world.recorder.state().counters.pushes, 0, "planning pushes nothing");
    let apply = world.apply("--operator Ada").await.ends(0).says(&["V4.61.025"]);
    let seen = world.recorder.state();
    assert_eq!((apply.pushes, seen.counters.bodies, seen.counters.reboots), (1, 1, 1));
    assert_eq!(seen.revision, revision("V4.61.025:230421"));
    assert_eq!(seen.counters.wrong_logins, 0);
    let pinned = world.fetcher("releases --json").await.ends(0).json();
    let pin = &pinned["releases"][0]["pin"];
    assert_eq!(pin["sha256"], seen.last_package.unwrap().sha256.to_string(), "pinned is what was pushed");

    // home again
    world.fetcher("collect --from stick").await.ends(0).says(&["not enrolled"]);
    world.enrol_laptop().await;
    let fleet = world.fetcher("fleet --json").await.ends(0).json();
    let recorder = &fleet["recorders"][0];
    assert_eq!(recorder["serial"], world.recorder.serial().to_string());
    assert_eq!(recorder["runs"], json!({ "version": "V4.61.025", "build": "230421" }));
    assert_eq!(
        (&recorder["last_result"], &recorder["state"]["state"]),
        (&json!("applied"), &json!("current"))
    );
    world.fetcher("fleet").await.ends(0).says(&[MODEL, "V4.61.025", "applied"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_apply_finds_nothing_to_do() {
    let world = World::loaded().await;
    assert_eq!(world.apply("").await.ends(0).pushes, 1);
    assert_eq!(world.apply("").await.ends(0).says(&["already"]).pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_load_changes_nothing_and_keeps_what_is_not_ours() {
    let world = World::loaded().await;
    crate::world::write(&world.path("stick/holiday.jpg"), b"not ours");
    let before = files(&world.path("stick"));
    world.fetcher("load --to stick --all").await.ends(0);
    assert_eq!(files(&world.path("stick")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_release_is_refused_where_the_withdrawal_is_known() {
    let world = World::loaded().await;
    world.fetcher(&format!("withdraw {RELEASE} --yes --passphrase-file pass.txt")).await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    assert_eq!(world.apply("").await.ends(4).pushes, 0);
}

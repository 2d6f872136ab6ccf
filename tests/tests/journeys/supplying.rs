//! What goes along to a site: what its recorders need by what came home from them, and nothing else.

use std::fs::{create_dir, remove_dir_all};
use std::process::Command;

use nvr_sim::{Faults, Stage};
use serde_json::{Value, json};

use crate::drives::{plug_mounted, run};
use crate::world::{MODEL, World, files, revision, write};
use journeys::site::AFTER;

const STEP: &str = "nvr-synthetic-4.40.000-210101";
const TARGET: &str = "nvr-synthetic-4.61.025-230421";

/// A depot that has approved a release, one that comes before it, and one for another model; a stick without any of
/// them, and a laptop that is enrolled.
async fn depot() -> World {
    let world = World::new().await;
    world.init().await;
    world.release("V4.40.000:210101", &[MODEL]);
    world.release(AFTER, &[MODEL]);
    world.last_release_needs(STEP);
    let other = world.release("V4.50.000:220101", &["DS-7616NI-I2"]);
    for id in [STEP, TARGET, &other] {
        world.pin(id).await.ends(0);
    }
    world.approve(&format!("{STEP} {TARGET} {other}")).await.ends(0);
    world.fetcher("load --to stick --metadata-only").await.ends(0);
    world.trust().await;
    world.enrol_laptop().await;
    site_file(&world, "");
    world
}

/// A site file of the recorder and of another one, of which nothing is ever known.
fn site_file(world: &World, more: &str) {
    let serial = world.recorder.state().serial.to_string();
    let file = format!(
        "name = \"Harbour\"\n{more}[[recorder]]\naddress = \"192.0.2.1\"\nserial = \"{serial}\"\n\
         [[recorder]]\naddress = \"192.0.2.2\"\nname = \"gate\"\nmodel = \"DS-7616NI-I2\"\n"
    );
    write(&world.path("harbour.toml"), file.as_bytes());
}

/// Inspects the recorder, which tells the depot what it is.
async fn tell(world: &World) {
    world.plan("--site-name Harbour").await.ends(4);
    world.fetcher("collect --from stick").await.ends(0);
}

/// Loads a fresh folder; gives the ids of the firmware on it and what was told of the first site.
async fn load(world: &World, name: &str, what: &str) -> (Vec<String>, Value) {
    create_dir(world.path(name)).unwrap();
    let ran = world.fetcher(&format!("load --to {name} {what} --json")).await.ends(0);
    let loaded: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    let there = files(&world.path(name).join("COURIER")).into_keys();
    let ids = there.filter_map(|path| Some(path.strip_prefix("targets/")?.split_once('/')?.0.to_owned()));
    (ids.collect(), loaded["sites"][0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_its_recorders_need_and_who_is_not_known_is_named() {
    let world = depot().await;
    let (ids, site) = load(&world, "first", "--site harbour.toml").await;
    assert_eq!((ids, &site["recorders"]), (vec![], &json!([])), "nothing is known yet");
    assert_eq!(site["unknown"], json!(["192.0.2.1", "192.0.2.2 (gate)"]));

    tell(&world).await;
    let serial = world.recorder.state().serial.to_string();
    let (ids, site) = load(&world, "known", "--site harbour.toml").await;
    assert_eq!(ids, [STEP, TARGET]);
    assert_eq!((&site["recorders"], &site["unknown"]), (&json!([serial]), &json!(["192.0.2.2 (gate)"])));
    assert_eq!((&site["releases"], &site["undecided"]), (&json!([STEP, TARGET]), &json!([])));
    let told = world.fetcher("load --to known --site harbour.toml").await.ends(0);
    told.says(&[
        &format!("site Harbour: 1 recorder known, needed: {STEP} {TARGET}"),
        "nothing is known of 192.0.2.2 (gate)",
        "--model MODEL",
    ]);
    // by the name that was given there; more adds up
    assert_eq!(load(&world, "named", "--site Harbour").await.0, [STEP, TARGET]);
    assert_eq!(load(&world, "more", "--site Harbour --model DS-7616NI-I2").await.0.len(), 3);

    // what is on its way home on the very stick counts
    world.fetcher("load --to stick --site harbour.toml").await.ends(0);
    world.recorder.set_faults(Faults { back_as: Some(revision("V4.40.000:210101")), ..Faults::default() });
    let restarted = async {
        world.recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
        world.recorder.set_faults(Faults::default());
    };
    let applied = tokio::join!(world.apply("--site-name Harbour"), restarted).0.ends(0);
    assert_eq!(applied.pushes, 2);
    create_dir(world.path("fresh")).unwrap();
    let (from, to) = (world.path("stick/COURIER"), world.path("fresh"));
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    remove_dir_all(world.path("fresh/COURIER/targets")).unwrap();
    let loaded = world.fetcher("load --to fresh --site harbour.toml").await.ends(0);
    loaded.says(&["new statements", "site Harbour: 1 recorder known, needed: nothing", "0 releases carried"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_approved_or_not_in_the_depot_is_named_with_what_to_type() {
    let world = depot().await;
    tell(&world).await;
    let newer = "nvr-synthetic-4.70.000-240101";
    world.list(&format!(
        "id = \"{newer}\"\nfamily = \"nvr\"\nmodels = [\"{MODEL}\"]\nversion = \"V4.70.000\"\nbuild = \"240101\"\nsources = [\"synthetic\"]\n"
    ));
    let (ids, site) = load(&world, "approved", "--site harbour.toml").await;
    assert_eq!((ids.len(), &site["not_approved"]), (2, &json!([newer])));
    let told = world.fetcher("load --to approved --site harbour.toml").await.ends(0);
    told.says(&[&format!("not approved: {newer}; fetcher sync --wanted, then fetcher approve {newer}")]);
    remove_dir_all(world.path("home/depot").join(STEP)).unwrap();
    create_dir(world.path("other")).unwrap();
    let missing = world.fetcher("load --to other --site harbour.toml").await;
    missing.fails(4, "release of a site not in the depot", &[STEP, "not in it", "fetcher sync"]);
    assert!(files(&world.path("other")).is_empty());
    // withdrawn, it is no way any more, and a person must know
    let withdraw = format!("withdraw {STEP} --yes --passphrase-file pass.txt");
    world.fetcher(&withdraw).await.ends(0);
    let (ids, site) = load(&world, "without", "--site harbour.toml").await;
    assert_eq!(ids, [""; 0]);
    assert!(site["undecided"][0]["reason"].as_str().unwrap().contains(STEP), "{site}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_was_only_audited_is_known() {
    let world = depot().await;
    let address = world.recorder.address();
    let audit = "--stick stick --password-file password.txt --site-name Harbour";
    world.applier(&format!("audit {address} {audit}")).await.ends(0);
    world.fetcher("collect --from stick").await.ends(0);
    assert_eq!(load(&world, "audited", "--site Harbour").await.0, [STEP, TARGET]);
    for id in [STEP, TARGET] {
        remove_dir_all(world.path("home/depot").join(id)).unwrap();
    }
    world.fetcher("sync --wanted").await.ends(0).says(&["0 in the depot, 2 fetched"]);
    let fleet = world.fetcher("fleet --site Harbour --json").await.ends(0).json();
    assert_eq!(fleet["recorders"][0]["state"]["release"], TARGET);
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_nobody_knows_are_refused_and_a_station_serves_one() {
    let world = depot().await;
    tell(&world).await;
    let unknown = world.fetcher("load --to stick --site Harbor").await;
    unknown.fails(
        2,
        "site that is neither a file nor known",
        &["site Harbor", "there is no such file", "Harbour"],
    );
    write(&world.path("slip.toml"), b"name = \"Harbour\"\nrecorders = 1\n");
    world.fetcher("load --to stick --site slip.toml").await.fails(2, "site file for load", &["slip.toml"]);
    world.fetcher("load --to stick --site Harbour --all").await.ends(2);
    let exported = world.fetcher("export harbour.tar --site Harbour").await.ends(0);
    exported.says(&["2 releases carried"]);
    let stick = plug_mounted(&world, "sdy", "A1");
    let empty = "mkdir mnt/A1/COURIER";
    let served =
        run(&world, &[&stick, empty], "fetcher", "station --site Harbour --once", "true").await.ends(0);
    served.says(&["A1 sdy  publication", "2 releases carried"]);
}

//! The scheduled job of a depot: what is wanted is brought in, whatever its sources do.

use std::fs::{remove_dir_all, remove_file};

use serde_json::Value;

use crate::world::{MODEL, RELEASE, World, files, write};

/// A release for another model.
const OTHER: &str = "nvr-synthetic-4.50.000-220101";

/// A depot of two approved releases, with neither of their files in it any more.
async fn emptied() -> World {
    let world = World::loaded().await;
    world.release("V4.50.000:220101", &["DS-7616NI-I2"]);
    world.pin(OTHER).await.ends(0);
    for id in [RELEASE, OTHER] {
        remove_dir_all(world.path("home/depot").join(id)).unwrap();
    }
    world
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_recorders_wait_for_is_brought() {
    let world = emptied().await;
    let nothing = world.fetcher("sync --wanted").await.ends(0);
    nothing.says(&["0 in the depot, 0 fetched"]);
    let stick = world.path("stick");
    let carried = files(&stick).into_keys().find(|name| name.contains(RELEASE)).unwrap();
    remove_file(stick.join(carried)).unwrap();
    world.plan("").await.ends(4);
    world.enrol_laptop().await;
    world.list(&format!(
        "id = \"nvr-synthetic-4.70.000-240101\"\nfamily = \"nvr\"\nmodels = [\"{MODEL}\"]\nversion = \"V4.70.000\"\nbuild = \"240101\"\nsources = [\"synthetic\"]\n"
    ));
    let sync = world.fetcher("sync --wanted").await.ends(0);
    sync.says(&[
        &format!("{RELEASE}  fetched, matches its pin"),
        "nvr-synthetic-4.70.000-240101  a recorder waits for it, and it is not pinned: fetcher pin",
        "0 in the depot, 1 fetched, 0 for a person to bring, 0 failed; 1 other release not pinned",
    ]);
    assert!(!world.path("home/depot").join(OTHER).exists(), "no recorder of that model is known");
    let again = lines(&world.fetcher("sync --wanted --json").await.ends(0).out);
    assert_eq!((&again[0]["release"], &again[0]["state"]), (&RELEASE.into(), &"in-depot".into()));
    assert_eq!(again[1]["state"], "unpinned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_file_says_which_models() {
    let world = emptied().await;
    let site = "name = \"Harbour\"\n[[recorder]]\naddress = \"192.0.2.1\"\nmodel = \"DS-7616NI-I2\"\n[[recorder]]\naddress = \"192.0.2.2\"\nmodel = \"DS-1\"\n[[recorder]]\naddress = \"192.0.2.3\"\n";
    write(&world.path("harbour.toml"), site.as_bytes());
    let sync = world.fetcher("sync --site harbour.toml").await.ends(0);
    sync.says(&[
        &format!("{OTHER}  fetched, matches its pin"),
        "site Harbour: model DS-1: no release of the catalogue lists it",
        "site Harbour: 1 recorder without a model",
        "0 in the depot, 1 fetched",
    ]);
    world.fetcher("sync --site harbour.toml --wanted").await.ends(0).says(&["1 in the depot, 0 fetched"]);
    write(&world.path("harbour.toml"), site.replace("address = \"192.0.2.2\"", "").as_bytes());
    let words = ["site harbour.toml", "address"];
    world.fetcher("sync --site harbour.toml").await.fails(2, "site file for sync", &words);
}

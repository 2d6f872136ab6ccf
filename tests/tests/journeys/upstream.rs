//! A saved vendor listing: what is new in it becomes a patch that a person reads and applies.

use std::process::Command;

use crate::world::{MODEL, RELEASE, World, files, write};

const LISTING: &str = r#"{"format": 1, "source": "vendor portal", "saved": "2026-11-30"}
{"family": "nvr", "version": "V4.61.025", "build": "230421", "models": ["DS-7608NI-I2", "DS-7608NI-I2/8P"]}
{"family": "nvr", "version": "V4.84.101", "build": "251212", "package": "S3000568898", "models": ["DS-7608NI-I2"], "platform": "synthetic"}
{"family": "nvr", "version": "V4.84.101", "build": "251212", "package": "S3000568898", "models": ["DS-7616NI-I2", "76 series ("]}
{"family": "dvr", "version": "V4.70.140", "build": "231101", "url": "http://vendor.example/dvr.zip", "models": ["DS-7216HUHI-K2"]}
"#;

async fn world() -> World {
    let world = World::new().await;
    assert_eq!(world.release("V4.61.025:230421", &[MODEL]), RELEASE);
    write(&world.path("portal.jsonl"), LISTING.as_bytes());
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_is_a_patch_that_passes_the_check() {
    let world = world().await;
    let before = files(&world.path("manifests"));
    let printed = world.fetcher("watch-upstream portal.jsonl").await.ends(0);
    printed.says(&["# nvr/synthetic.toml\n[[release]]\nid = \"nvr-synthetic-4.84.101-251212\"\n"]);
    let found = world.fetcher("watch-upstream portal.jsonl --propose new.patch").await.ends(0);
    found.says(&[
        "nvr-synthetic-4.84.101-251212  DS-7608NI-I2 DS-7616NI-I2",
        "dvr-portal-4.70.140-231101  DS-7216HUHI-K2",
        "76 series ( is no model name",
        &format!("{RELEASE}: the listing also names DS-7608NI-I2/8P"),
        "2 releases proposed, 1 known, 0 lines left out",
    ]);
    assert_eq!(files(&world.path("manifests")), before, "only a person changes the manifests");
    let twice = world.fetcher("watch-upstream portal.jsonl --propose new.patch").await;
    twice.fails(2, "proposal that would replace a file", &["proposal new.patch", "not there yet"]);

    let patch = std::fs::File::open(world.path("new.patch")).unwrap();
    let mut apply = Command::new("patch");
    apply.args(["-p1", "-d"]).arg(world.path("manifests")).stdin(patch);
    let applied = apply.output().unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stdout));
    world.fetcher("releases --check").await.ends(0).says(&["3 releases, 3 models", "0 pinned"]);
    let again =
        world.fetcher("watch-upstream portal.jsonl --json --propose other.patch").await.ends(0).json();
    assert_eq!((again["new"].as_array().unwrap().len(), &again["known"]), (0, &3.into()));
    assert!(!world.path("other.patch").exists(), "nothing is new");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_told() {
    let world = world().await;
    let broken = LISTING.replace("\"package\": \"S3000568898\"", "\"pin\": 1").replace("http:", "ftp:");
    write(&world.path("portal.jsonl"), broken.as_bytes());
    let told = world.fetcher("watch-upstream portal.jsonl").await.ends(5);
    told.says(&[
        "portal.jsonl:3: unknown field `pin`",
        "portal.jsonl:5: ",
        "scheme is \"ftp\", expected http or https",
        "0 releases proposed, 1 known, 3 lines left out",
    ]);
    write(&world.path("portal.jsonl"), b"<html>");
    let words = ["listing portal.jsonl", "line 1: not the head of a listing"];
    world.fetcher("watch-upstream portal.jsonl").await.fails(5, "listing that is none", &words);
    world.fetcher("watch-upstream gone.jsonl").await.fails(2, "listing that is not there", &["gone.jsonl"]);
}

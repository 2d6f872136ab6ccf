//! The scheduled job of a depot: what is wanted is brought in, whatever its sources do.

use std::fs::{Permissions, read_to_string, remove_dir_all, remove_file, set_permissions};
use std::os::unix::fs::PermissionsExt;

use journeys::download_server::Faults;
use journeys::running::Running;
use keys::durable::DirLock;
use serde_json::Value;

use crate::world::{MODEL, RELEASE, World, files, mounting, write};

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

/// A depot that pins so many more releases, and has none of their files.
async fn with_pins(count: usize) -> (World, Vec<String>) {
    let world = emptied().await;
    let mut ids = Vec::new();
    for n in 0..count {
        let id = world.release(&format!("V4.40.00{n}:210101"), &["DS-7616NI-I2"]);
        world.pin(&id).await.ends(0);
        remove_dir_all(world.path("home/depot").join(&id)).unwrap();
        ids.push(id);
    }
    (world, ids)
}

/// Says in the catalogue that these are at another place.
fn move_sources(world: &World, ids: &[String], to: &str) {
    let manifest = world.path("manifests/nvr/synthetic.toml");
    let text = ids.iter().fold(read_to_string(&manifest).unwrap(), |text, id| {
        let zip = format!("{id}.zip");
        text.replace(&world.source.url(&zip), &format!("{to}/{zip}"))
    });
    write(&manifest, text.as_bytes());
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

#[tokio::test(flavor = "multi_thread")]
async fn several_are_fetched_at_once_and_only_so_many_from_one_host() {
    let (world, ids) = with_pins(4).await;
    let before = world.source.counters();
    assert_eq!(before.most_at_once, 1, "pins are fetched one by one");
    world.source.set_faults(Faults { slow: Some(600_000), ..Faults::default() });
    let sync = world.fetcher("sync --all --jobs 6 --per-host 2").await.ends(0);
    sync.says(&["receiving 6 releases", "0 in the depot, 6 fetched, 0 for a person to bring, 0 failed"]);
    assert_eq!(world.source.counters().most_at_once, 2);
    for id in &ids {
        remove_dir_all(world.path("home/depot").join(id)).unwrap();
    }
    world.fetcher("sync --all --jobs 4 --per-host 4").await.ends(0).says(&["2 in the depot, 4 fetched"]);
    assert_eq!(world.source.counters().most_at_once, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_away_is_given_up_and_others_are_asked() {
    let (world, ids) = with_pins(3).await;
    // nobody listens there
    move_sources(&world, &ids, "http://127.0.0.1:9");
    let sync = world.fetcher("sync --all --per-host 1 --retries 1 --retry-delay 10ms").await.ends(6);
    assert_eq!(sync.err.matches("trying again in 0.0 s").count(), 1, "{}", sync.err);
    assert_eq!(sync.err.matches("not asked: its host failed before in this run").count(), 2, "{}", sync.err);
    sync.says(&["0 in the depot, 2 fetched, 0 for a person to bring, 3 failed", "asked again 1 time"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_cannot_hold_is_not_begun() {
    let world = emptied().await;
    let under = mounting("mount -t tmpfs -o size=8m tmpfs home/depot");
    let under: Vec<&str> = under.iter().map(String::as_str).collect();
    let requests = world.source.counters().requests;
    let full = world.run(&under, "fetcher", "sync --all").await;
    let full = full.fails(4, "disk too small for a sync", &["bytes are free", "nothing was fetched"]);
    full.says(&["0 fetched", "publication good until"]);
    assert_eq!(world.source.counters().requests, requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publication_is_kept_good() {
    let world = World::loaded().await;
    let at = async |days: &str, args: &str| world.run(&["faketime", "-f", days], "fetcher", args).await;
    let version =
        async || world.fetcher("status --json").await.ends(0).json()["expiries"][3]["version"].clone();
    let before = version().await;
    at("+10d", "sync --all").await.ends(0).says(&["; publication good until "]);
    assert_eq!(version().await, before);
    let renewed = at("+20d", "sync --all --json").await.ends(0);
    let summary = lines(&renewed.out).pop().unwrap();
    assert_eq!((&summary["publication"]["renewed"], &summary["exit"]), (&true.into(), &0.into()));
    assert_eq!(version().await, before.as_u64().unwrap() + 1);

    let reminded = at("+160d", "sync --all").await.ends(0);
    reminded.says(&[
        "warning: publication: targets version ",
        "(fetcher approve --renew)",
        "publication renewed, good until",
    ]);
    let over = at("+190d", "sync --all").await;
    let over = over.fails(10, "approval expired before a sync", &["its targets expired", "approve --renew"]);
    over.says(&["1 in the depot, 0 fetched"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_unattended_keys_what_is_due_is_said() {
    let world = World::loaded().await;
    for key in ["snapshot", "timestamp"] {
        remove_file(world.path(&format!("home/keys/{key}.pem"))).unwrap();
    }
    let at = async |days: &str| world.run(&["faketime", "-f", days], "fetcher", "sync --all").await;
    let fresh = at("+10d").await.ends(0);
    assert!(!fresh.err.contains("not renewed"), "{}", fresh.err);
    at("+20d").await.ends(0).says(&["warning: publication: not renewed, good until "]);
    let over = at("+40d").await;
    over.fails(10, "publication expired before a sync", &["fetcher load where they are"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_have_headers_and_proxies_of_their_own() {
    let (world, ids) = with_pins(1).await;
    // no such host: only who is asked to pass it on has it
    move_sources(&world, &ids, "http://vendor.invalid");
    let settings = world.path("home/fetcher.toml");
    let own = read_to_string(&settings).unwrap();
    let proxy = format!("http://{}", world.source.address());
    let source = |more: &str| {
        let text = format!("{own}\n[[source]]\nhost = \"vendor.invalid\"\n{more}\n");
        write(&settings, text.as_bytes());
    };
    let secret = world.path("home/token");
    write(&secret, b"t0ken\n");
    set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let sync = async || {
        let ran = world.fetcher("sync --all --retries 0").await;
        assert!(!ran.err.contains("t0ken") && !ran.out.contains("t0ken"), "{}", ran.err);
        ran
    };
    source("");
    sync().await.ends(6);
    source(&format!("proxy = \"{proxy}\"\nheaders = {{ Authorization = {{ file = \"token\" }} }}"));
    sync().await.fails(2, "secret header in the clear", &["fetcher.toml has a secret header", "https"]);
    source(&format!(
        "proxy = \"{proxy}\"\nproxy_user = \"depot\"\nproxy_password_file = \"token\"\nheaders = {{ X-Depot = \"t0ken\" }}"
    ));
    sync().await.ends(0).says(&["2 in the depot, 1 fetched"]);
    source("headers = { Range = \"t0ken\" }");
    sync().await.fails(2, "header that is the downloader's", &["source vendor.invalid", "header range"]);
    source("headers = \"t0ken\"");
    sync().await.fails(2, "headers of another form", &["fetcher.toml:", "headers is no table"]);
    set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
    source("headers = { Authorization = { file = \"token\" } }");
    sync().await.fails(2, "secret that others can read", &["mode 0644", "chmod 600"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_in_the_home_is_waited_for() {
    let world = World::loaded().await;
    let lock = DirLock::acquire(&world.path("home")).unwrap();
    let mut sync = Running::start(world.command(&[], "fetcher", "sync --all"), "fetcher sync --all".into());
    sync.until("another program works in the depot's home; waiting for it").await;
    drop(lock);
    sync.ended(&world).await.ends(0).says(&["1 in the depot, 0 fetched"]);
}

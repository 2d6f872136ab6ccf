//! Statements into the ledger, in a file and on a server: a collection that is killed, laptops that are revoked, and
//! servers that are not used.

use std::fs::{create_dir_all, remove_file};
use std::path::Path;

use firmware::{Device, Sha256Digest, Text};
use journeys::postgresql::Cluster;
use journeys::site::AFTER;
use keys::SigningKey;
use receipt::{Body, Head, InventoryTaken, LaptopId, Link, Need, Publication, Statement, Subject, Times};
use serde_json::{Value, json};

use crate::world::{MODEL, Site, write};

/// More than go into the ledger at once, twice over.
const STATEMENTS: u64 = 1_200;

/// A depot, and a stick with so many statements of a laptop; gives the laptop and how it is enrolled.
async fn site(statements: u64) -> (Site, String, String) {
    let site = Site::new().await;
    site.init().await;
    site.release(AFTER, &[MODEL]);
    let key = SigningKey::generate();
    let laptop = LaptopId::of(&key.public());
    lay(&site.path("stick/COURIER/receipts").join(laptop.as_str()), &laptop, &key, statements);
    write(&site.path("laptop.pub"), key.public().to_spki_pem().as_bytes());
    let enrol = format!("laptops enrol laptop.pub --fingerprint {}", key.public().fingerprint());
    (site, laptop.to_string(), enrol)
}

fn lay(folder: &Path, laptop: &LaptopId, key: &SigningKey, statements: u64) {
    create_dir_all(folder).unwrap();
    let mut previous = None;
    for counter in 1..=statements {
        let bytes = statement(laptop, counter, previous).sign(key).unwrap();
        write(&folder.join(format!("{counter}.json")), &bytes);
        previous = Some(Sha256Digest::of(&bytes));
    }
}

/// What a recorder is and needs.
fn statement(laptop: &LaptopId, counter: u64, previous: Option<Sha256Digest>) -> Statement {
    let (text, sha256) = (Text::cleaned, Sha256Digest::of(b"timestamp"));
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let device = json!({"model": "DS-7608NI-I2", "serial": format!("S{}", counter % 7), "version": "V4.30.097", "build": "200101"});
    let device: Device = serde_json::from_value(device).unwrap();
    let need = Need { release: "nvr-1".parse().ok(), at_least: None, reason: text("not-carried") };
    let publication = Publication {
        root: 1,
        targets: 1,
        snapshot: 1,
        timestamp: 1,
        timestamp_sha256: sha256,
        forgiven: vec![],
    };
    Statement {
        head: Head {
            laptop: laptop.clone(),
            counter,
            previous,
            applier: text("0.1.0"),
            operator: None,
            site: None,
            times: Times { claimed: now, floor: now, clock_trusted: true, resets: vec![] },
            publication,
        },
        subject: Subject { name: "timestamp.json".into(), sha256 },
        body: Body::Inventory(Box::new(InventoryTaken {
            device,
            needs: vec![need],
            cameras: receipt::CamerasTold::default(),
            link: Link::new(text("isolated"), text("192.168.1.64")),
            taken: now,
        })),
    }
}

/// Says where the ledger of a depot is.
fn keep_on(site: &Site, url: &str, password_file: &str) {
    let settings = format!("[ledger]\nurl = \"{url}\"\n{password_file}");
    write(&site.path("home/fetcher.toml"), settings.as_bytes());
}

/// Kills `collect` at one call of the system after the other, until it comes to its end; whatever was kept then is
/// completed by the next one.
async fn killed_and_repeated(calls: &str, renew: impl Fn(&Site, usize), cuts: &[u32]) {
    let (site, _, enrol) = site(STATEMENTS).await;
    let (mut kept_some, mut kept_none) = (false, false);
    for (case, cut) in cuts.iter().enumerate() {
        renew(&site, case);
        site.fetcher(&enrol).await.ends(0);
        let inject = format!("--inject={calls}:signal=KILL:when={cut}");
        let trace = format!("--trace={calls}");
        let under = ["strace", "--follow-forks", "--output=/dev/null", &trace, &inject];
        let killed = site.run(&under, "fetcher", "collect --from stick").await;
        if killed.code == 0 {
            break;
        }
        killed.ends(137);
        let again = site.fetcher("collect --from stick --json").await.ends(0).json();
        let (new, known) = (again["new_count"].as_u64().unwrap(), again["known"].as_u64().unwrap());
        assert_eq!(new + known, STATEMENTS, "killed at {calls} {cut}");
        kept_some |= known > 0;
        kept_none |= known == 0;
        complete(&site).await;
    }
    assert!(kept_some && kept_none, "it was never killed in the middle, or never at the beginning");
}

/// Everything is in the ledger, once.
async fn complete(site: &Site) {
    let laptops = site.fetcher("laptops list --json").await.ends(0).json();
    let laptop = &laptops["laptops"][0];
    assert_eq!((&laptop["statements"], &laptop["complete_to"]), (&json!(STATEMENTS), &json!(STATEMENTS)));
    let fleet = site.fetcher("fleet --json").await.ends(0).json();
    assert_eq!((fleet["findings"].clone(), fleet["recorders"].as_array().unwrap().len()), (json!([]), 7));
    let third = site.fetcher("collect --from stick --json").await.ends(0).json();
    assert_eq!((&third["new_count"], &third["known"]), (&json!(0), &json!(STATEMENTS)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_is_killed_loses_nothing_in_a_file() {
    let renew = |site: &Site, _| {
        for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            // a database that was closed has no log
            let _ = remove_file(site.path("home").join(file));
        }
    };
    killed_and_repeated("fdatasync,fsync", renew, &[1, 2, 3, 4]).await;
    killed_and_repeated("pwrite64", renew, &[1, 200, 700, 1_500]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_is_killed_loses_nothing_on_a_server() {
    let cluster = Cluster::start();
    let renew = |site: &Site, case| keep_on(site, &cluster.database(&format!("case_{case}")), "");
    killed_and_repeated("sendto,writev", renew, &[9, 1_700, 3_400]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_is_revoked_and_what_comes_later_is_shown_and_not_believed() {
    let (site, laptop, enrol) = site(5).await;
    let revoke = |after: u64| format!("laptops revoke {laptop} --after {after}");
    site.fetcher(&revoke(3)).await.fails(2, "revoking a stranger", &["is not enrolled"]);
    site.fetcher(&enrol).await.ends(0);
    site.fetcher(&revoke(3)).await.ends(0).says(&["up to statement 3 and no further"]);
    let collected = site.fetcher("collect --from stick").await.ends(0);
    collected.says(&["3 new statements", &format!("laptop {laptop} is revoked")]);
    site.fetcher("laptops list")
        .await
        .ends(0)
        .says(&["revoked after 3, 2 statements beyond it not believed"]);
    site.fetcher("fleet").await.ends(0).says(&["revoked after statement 3", "3 recorders"]);
    site.fetcher(&revoke(4)).await.fails(
        2,
        "believing a revoked laptop again",
        &["revoked after statement 3"],
    );
    // the alias, and what was believed until now
    site.fetcher(&format!("laptops revoke {laptop} --at 1")).await.ends(0).says(&["4 statements beyond it"]);
    site.fetcher("fleet").await.ends(0).says(&["1 recorder"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_on_a_stick_is_told() {
    let (site, laptop, enrol) = site(2).await;
    site.fetcher(&enrol).await.ends(0);
    site.fetcher("collect --from stick").await.ends(0);
    let folder = site.path("stick/COURIER/receipts").join(&laptop);
    let first = std::fs::read(folder.join("1.json")).unwrap();
    let envelope: Value = serde_json::from_slice(&first).unwrap();
    write(&folder.join("1.json"), serde_json::to_string_pretty(&envelope).unwrap().as_bytes());
    write(&folder.join("9.json"), &first);
    let told = site.fetcher("collect --from stick").await.ends(0);
    told.says(&[
        "0 new statements, 1 known",
        "9.json arrived before: it is statement 1",
        "1.json arrived before",
    ]);
    let fleet = site.fetcher("fleet").await.ends(0);
    fleet.says(&["in other bytes around the same signed words", "lay in the place of"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_used_are_told_without_a_password() {
    let (site, ..) = site(1).await;
    let run = |url: &'static str, password: &'static str| {
        keep_on(&site, url, password);
        site.fetcher("laptops list")
    };
    let open = run("postgresql://courier@192.0.2.1/ledger?sslmode=disable", "").await;
    open.fails(2, "ledger over a network in the clear", &["without TLS"]);
    let told = run("postgresql://courier:hunter2@localhost/ledger", "").await;
    assert!(!told.err.contains("hunter2"), "{}", told.err);
    told.fails(2, "password of the ledger in its url", &["holds a password"]);
    write(&site.path("home/secret"), b"hunter2\n");
    let readable = run("postgresql://courier@localhost/ledger", "password_file = \"secret\"\n").await;
    readable.fails(2, "password of the ledger that others can read", &["lets others read it"]);
    // port 1 of this machine: nobody listens there
    let closed = run("postgresql://courier@127.0.0.1:1/ledger", "").await;
    closed.fails(6, "server of the ledger not there", &["cannot be reached; nothing was changed"]);
}

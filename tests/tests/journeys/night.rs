//! A night's `sync` among sources that fail in every way that is known of them, as `docs/sync.md` tells of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, read_to_string, remove_dir_all};
use std::path::Path;

use journeys::download_server::Faults;
use nvr_sim::synthetic::Synthetic;
use serde_json::Value;

use crate::world::{MODEL, World, revision, write};

/// Set, it writes what is generated instead of comparing it.
const UPDATE: &str = "COURIER_UPDATE_DOCS";
/// What stands behind this in the document is made here.
const BEGIN: &str = "\n## A night\n";
/// Nobody listens there.
const AWAY: &str = "http://127.0.0.1:9";

/// One release of the night.
struct Case {
    /// What its source does.
    source: &'static str,
    faults: Faults,
    state: &'static str,
    exit: Option<u64>,
    /// Words that are said of it.
    says: &'static str,
}

fn case(
    source: &'static str,
    faults: Faults,
    state: &'static str,
    exit: Option<u64>,
    says: &'static str,
) -> Case {
    Case { source, faults, state, exit, says }
}

fn cases() -> Vec<Case> {
    let good = Faults::default;
    let cut = Some(100_000);
    let busy = Faults { status: Some(503), status_times: Some(2), ..good() };
    let busy = Faults { retry_after: Some("1".into()), ..busy };
    let hours = Faults { status: Some(429), retry_after: Some("7200".into()), ..good() };
    vec![
        case("is in good order", good(), "fetched", None, ""),
        case("is not asked: the file is in the depot", good(), "in-depot", None, ""),
        case(
            "cuts the connection once",
            Faults { cut_after: cut, ..good() },
            "fetched",
            None,
            "going on behind",
        ),
        case(
            "cuts it, and knows no ranges",
            Faults { cut_after: cut, no_range: true, ..good() },
            "fetched",
            None,
            "connection cut after",
        ),
        case(
            "answers 503 twice, with Retry-After: 1",
            busy,
            "fetched",
            None,
            "left alone for 1 s; trying again in",
        ),
        case(
            "announces ten bytes more than it sends",
            Faults { excess: Some(10), ..good() },
            "failed",
            Some(5),
            "twice",
        ),
        case("has another file under the same address", good(), "failed", Some(5), "pin mismatch"),
        case(
            "sends a web page",
            Faults { block_page: true, ..good() },
            "failed",
            Some(5),
            "it sent a web page",
        ),
        case(
            "has no such file any more",
            Faults { status: Some(404), ..good() },
            "failed",
            Some(6),
            "404 Not Found",
        ),
        case("has a file that never was online", good(), "needs-a-person", None, ""),
        case("is away", good(), "failed", Some(6), "no answer"),
        case(
            "is the same host, which is away",
            good(),
            "failed",
            Some(6),
            "its host failed before in this run",
        ),
        // the last: nothing of its host is asked for after it
        case("answers 429, with Retry-After: 7200", hours, "failed", Some(6), "left alone for 7200 s"),
    ]
}

/// A depot that has pinned the release of each case and lost their files; and their ids.
async fn depot(cases: &[Case]) -> (World, Vec<String>) {
    let world = World::new().await;
    world.init().await;
    let mut ids = Vec::new();
    for n in 0..cases.len() {
        let id = world.release(&format!("V4.61.{n:03}:230421"), &[MODEL]);
        world.pin(&id).await.ends(0);
        ids.push(id);
    }
    for (id, case) in ids.iter().zip(cases) {
        world.source.set_faults_of(&format!("{id}.zip"), case.faults.clone());
        if case.state != "in-depot" {
            remove_dir_all(world.path("home/depot").join(id)).unwrap();
        }
        if case.source.contains("another file") {
            let package = Synthetic {
                size: 300_000,
                revision: revision("V4.61.006:230421"),
                language: 1,
                device_class: 1,
                seed: 7,
            };
            package
                .write_zip(File::create(world.path("packages").join(format!("{id}.zip"))).unwrap())
                .unwrap();
        }
    }
    let manifest = world.path("manifests/nvr/synthetic.toml");
    let mut text = read_to_string(&manifest).unwrap();
    for (id, case) in ids.iter().zip(cases) {
        let url = world.source.url(&format!("{id}.zip"));
        if case.source.contains("away") {
            text = text.replace(&url, &format!("{AWAY}/{id}.zip"));
        } else if case.source.contains("never was online") {
            text = text.replace(&format!("url = \"{url}\"\n"), "");
        }
    }
    write(&manifest, text.as_bytes());
    (world, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_sources_do_the_night_ends_with_one_line() {
    let cases = cases();
    let (world, ids) = depot(&cases).await;
    // what a timer gives: two at a time, so that the host that wants to be left alone is the last
    let args = "sync --all --json --jobs 2 --per-host 1 --retries 2 --retry-delay 50ms";
    let sync = world.fetcher(args).await.ends(5);
    let mut lines: Vec<Value> = sync.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().unwrap();
    let of_release: BTreeMap<&str, &Value> =
        lines.iter().map(|line| (line["release"].as_str().unwrap(), line)).collect();
    assert_eq!(of_release.len(), cases.len());
    let mut table = String::from(
        "| a release whose source … | what is said meanwhile | and in the end | exit |\n|---|---|---|---|\n",
    );
    for (id, case) in ids.iter().zip(&cases) {
        let line = of_release[id.as_str()];
        assert_eq!(
            (line["state"].as_str().unwrap(), line["exit"].as_u64()),
            (case.state, case.exit),
            "{line}"
        );
        let start = format!("{id}: ");
        let remarks: Vec<&str> = sync.err.lines().filter_map(|line| line.strip_prefix(&start)).collect();
        let error = line["error"].as_str().unwrap_or_default();
        assert!(
            remarks.iter().any(|remark| remark.contains(case.says)) || error.contains(case.says),
            "{sync:?}"
        );
        let end = if error.is_empty() { case.state } else { error };
        let exit = case.exit.map_or_else(|| "-".into(), |exit| exit.to_string());
        let remarks: Vec<String> = remarks.iter().map(|remark| plain(remark, &world, id)).collect();
        writeln!(
            table,
            "| {} | {} | {} | {exit} |",
            case.source,
            remarks.join("<br>"),
            plain(end, &world, id)
        )
        .unwrap();
    }
    let counts =
        ["in_depot", "fetched", "needs_a_person", "failed"].map(|count| summary[count].as_u64().unwrap());
    assert_eq!(counts, [1, 4, 1, 7], "{summary}");
    let parts = world.path("home/depot/incoming").read_dir().unwrap();
    assert_eq!(parts.count(), 0, "nothing half is left of what came whole or was rejected");

    // the next night, with all sources in good order again
    for id in &ids {
        world.source.set_faults_of(&format!("{id}.zip"), Faults::default());
    }
    let again = world.fetcher("sync --all --per-host 1 --retries 1 --retry-delay 50ms").await.ends(5);
    let last = again.out.lines().last().unwrap();
    let expected = "5 in the depot, 4 fetched, 1 for a person to bring, 3 failed; 0 other releases not pinned; asked again 1 time";
    assert!(last.starts_with(expected), "{last}");
    is_current(&table, &summary, &plain(last, &world, ""));
}

/// Without what differs from run to run.
fn plain(text: &str, world: &World, id: &str) -> String {
    let mut text = text.replace(&world.source.url(""), "http://vendor.example/");
    text = text.replace(AWAY, "http://away.example").replace('|', "\\|");
    if !id.is_empty() {
        text = text.replace(id, "ID");
    }
    for (before, behind) in [
        ("trying again in ", " s"),
        ("cut after ", " bytes"),
        ("going on behind ", " of"),
        ("ended after ", " and"),
        ("good until ", ""),
        ("SHA-256 ", ""),
        ("cut after ", " of"),
    ] {
        text = without(&text, before, behind);
    }
    text
}

/// Puts `…` for the word between the two.
fn without(text: &str, before: &str, behind: &str) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| {
        let end = part.find([' ', ',', ';', ':']).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        let word = if rest.starts_with(behind) { "…" } else { word };
        done + before + word + rest
    })
}

fn is_current(table: &str, summary: &Value, next: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sync.md");
    let there = read_to_string(&path).unwrap();
    let before = there.split_once(BEGIN).map_or(&*there, |(before, _)| before);
    let mut summary = summary.clone();
    summary["publication"] = "…".into();
    let text = format!(
        "{before}{BEGIN}\nSources with every fault that the tests can inject, in one run; made by\n`COURIER_UPDATE_DOCS=1 cargo test -p journeys --test journeys night`. `…` differs from run to run.\n\n{table}\nThe last line of `--json`:\n\n```json\n{summary}\n```\n\nThe night after, with the vendor's server in good order again, but for the file that changed and the host that is away:\n\n```text\n{next}\n```\n"
    );
    if std::env::var_os(UPDATE).is_some() {
        write(&path, text.as_bytes());
    }
    let there = read_to_string(&path).unwrap();
    let differs = there.lines().zip(text.lines()).find(|(there, made)| there != made);
    assert!(there == text, "docs/sync.md is not current: {differs:?}: run again with {UPDATE}=1");
}

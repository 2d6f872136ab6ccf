//! The program against a download server: what a person and a timer see of `pin` and `sync`.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use journeys::download_server::{Faults, Handle, start};
use keys::durable::write_atomic;
use nvr_sim::synthetic::Synthetic;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const ID: &str = "nvr-synthetic-4.61.025-230421";

/// A depot whose catalogue has one release, and the server that has its package.
struct World {
    dir: TempDir,
    server: Handle,
    _runtime: Runtime,
}

/// How a run ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn synthetic(seed: u64) -> Synthetic {
    let revision = "V4.61.025:230421".parse().unwrap();
    Synthetic { size: 300_000, revision, language: 1, device_class: 1, seed }
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        for folder in ["www", "manifests/nvr"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let listen = "127.0.0.1:0".parse().unwrap();
        let started = start(dir.path().join("www"), listen, Faults::default());
        let server = runtime.block_on(started).unwrap();
        let manifest = format!(
            "# by hand\n[[release]]\nid = \"{ID}\"\nfamily = \"nvr\"\nmodels = [\"DS-7608NI-I2\"]\nversion = \"V4.61.025\"\nbuild = \"230421\"\nurl = \"{}\"\nsources = [\"test\"]\n",
            server.url("package.zip")
        );
        let world = Self { dir, server, _runtime: runtime };
        write_atomic(&world.manifest(), manifest.as_bytes(), 0o644).unwrap();
        world.publish(1);
        assert_eq!(world.run(&["init", "--unencrypted"]).code, 0);
        world
    }

    fn manifest(&self) -> PathBuf {
        self.dir.path().join("manifests/nvr/synthetic.toml")
    }

    /// Puts a package onto the server.
    fn publish(&self, seed: u64) {
        synthetic(seed)
            .write_zip(fs::File::create(self.dir.path().join("www/package.zip")).unwrap())
            .unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = Command::cargo_bin("fetcher").unwrap();
        let (home, manifests) = (self.dir.path().join("home"), self.dir.path().join("manifests"));
        command.args(args).arg("--home").arg(home).arg("--manifests").arg(manifests);
        let output = command.write_stdin("").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Names of the files below a folder of the depot.
    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path().join("home/depot").join(folder));
        entries.map_or_else(|_| Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect())
    }

    /// The only file of the release.
    fn firmware(&self) -> PathBuf {
        let [file] = &self.files(ID)[..] else { panic!("{:?}", self.files(ID)) };
        file.clone()
    }
}

fn sha256(path: &Path) -> String {
    firmware::Sha256Digest::of(&fs::read(path).unwrap()).to_string()
}

#[test]
fn a_pin_is_written_once_and_holds_every_later_copy() {
    let world = World::new();
    let manifest = fs::read_to_string(world.manifest()).unwrap();
    let asked = world.run(&["pin", ID]);
    assert_eq!(asked.code, 2, "{}", asked.err);
    assert!(asked.out.contains("trust on first use") && asked.err.ends_with("hint: give --yes\n"));
    assert_eq!(fs::read_to_string(world.manifest()).unwrap(), manifest, "nobody said yes");

    let pinned = world.run(&["pin", ID, "--yes", "--json"]);
    assert_eq!(pinned.code, 0, "{}", pinned.err);
    let json: Value = serde_json::from_str(&pinned.out).unwrap();
    let digest = sha256(&world.firmware());
    assert_eq!(json["pin"]["sha256"], Value::from(digest.as_str()));
    let text = fs::read_to_string(world.manifest()).unwrap();
    assert!(text.starts_with(&manifest) && text.contains(&digest), "{text}");
    assert_eq!(world.files("incoming"), [""; 0].map(PathBuf::from), "the download is done with");

    let again = world.run(&["pin", ID]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.out.contains("matches the pin"));

    fs::remove_file(world.firmware()).unwrap();
    assert_eq!(world.run(&["sync", "--all"]).code, 0);
    assert_eq!(sha256(&world.firmware()), digest);
}

#[test]
fn another_file_under_the_same_name_is_refused_and_kept_apart() {
    let world = World::new();
    assert_eq!(world.run(&["pin", ID, "--yes"]).code, 0);
    let digest = sha256(&world.firmware());
    fs::remove_file(world.firmware()).unwrap();
    world.publish(2);
    let refused = world.run(&["sync", "--all", "--json"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(world.files(ID).is_empty());
    let [kept] = &world.files("quarantine")[..] else { panic!("{:?}", world.files("quarantine")) };
    for digest in [digest, sha256(kept)] {
        assert!(refused.err.contains(&digest), "{}", refused.err);
    }
    let lines: Vec<Value> = refused.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["state"], &lines[0]["exit"]), (&"failed".into(), &5.into()));
    assert_eq!(lines[1]["failed"], 1);
}

#[test]
fn a_sync_with_nothing_to_do_asks_nobody() {
    let world = World::new();
    assert_eq!(world.run(&["pin", ID, "--yes"]).code, 0);
    let before = world.server.counters();
    let sync = world.run(&["sync", "--model", "DS-7608NI-I2"]);
    assert_eq!((sync.code, world.server.counters()), (0, before));
    assert!(sync.out.contains("1 in the depot, 0 fetched"), "{}", sync.out);
}

#[test]
fn a_file_that_changed_in_the_depot_is_put_away_and_fetched_again() {
    let world = World::new();
    assert_eq!(world.run(&["pin", ID, "--yes"]).code, 0);
    let (file, digest) = (world.firmware(), sha256(&world.firmware()));
    write_atomic(&file, &vec![0; 300_000], 0o644).unwrap();
    let damaged = world.run(&["pin", ID]);
    assert_eq!(damaged.code, 5, "{}", damaged.err);
    assert_eq!((world.files(ID).len(), world.files("quarantine").len()), (0, 1));
    assert_eq!(world.run(&["pin", ID]).code, 0);
    assert_eq!(sha256(&file), digest);
}

#[test]
fn sync_reads_the_depot_again_and_mends_it() {
    let world = World::new();
    assert_eq!(world.run(&["pin", ID, "--yes"]).code, 0);
    let (file, digest) = (world.firmware(), sha256(&world.firmware()));
    let whole = world.run(&["sync", "--all"]);
    assert!(whole.out.contains("in the depot, checked"), "{}", whole.out);
    write_atomic(&file, &vec![0; 300_000], 0o644).unwrap();
    let mended = world.run(&["sync", "--all", "--json"]);
    assert_eq!(mended.code, 0, "{}", mended.err);
    assert!(
        mended.err.contains("pin mismatch") && mended.err.contains("it is fetched anew"),
        "{}",
        mended.err
    );
    let line: Value = serde_json::from_str(mended.out.lines().next().unwrap()).unwrap();
    assert_eq!(line["state"], "fetched");
    assert!(line["damaged"].as_str().unwrap().contains(&digest) && line.get("error").is_none(), "{line}");
    assert_eq!((sha256(&file), world.files("quarantine").len()), (digest, 1));
}

#[test]
fn a_damaged_file_that_only_a_person_can_bring_is_not_passed_over() {
    let world = World::new();
    assert_eq!(world.run(&["pin", ID, "--yes"]).code, 0);
    let text = fs::read_to_string(world.manifest()).unwrap();
    let without_url: String = text.split_inclusive('\n').filter(|line| !line.starts_with("url")).collect();
    write_atomic(&world.manifest(), without_url.as_bytes(), 0o644).unwrap();
    write_atomic(&world.firmware(), &vec![0; 300_000], 0o644).unwrap();
    let lost = world.run(&["sync", "--all", "--json"]);
    assert_eq!(lost.code, 5, "{}", lost.err);
    assert!(lost.err.contains(&format!("fetcher pin {ID} --file PATH")), "{}", lost.err);
    let line: Value = serde_json::from_str(lost.out.lines().next().unwrap()).unwrap();
    assert_eq!((&line["state"], &line["exit"]), (&"needs-a-person".into(), &5.into()));
    assert!(line["error"].as_str().unwrap().contains("pin mismatch"), "{line}");
    let missing = world.run(&["sync", "--all"]);
    assert_eq!(missing.code, 0, "that it is not there was said: {}", missing.err);
}

#[test]
fn a_damaged_depot_is_noticed_by_load_and_the_way_out_is_named() {
    let world = World::new();
    assert_eq!(world.run(&["pin", ID, "--yes"]).code, 0);
    let approved = world.run(&["approve", ID, "--yes"]);
    assert_eq!(approved.code, 0, "{}", approved.err);
    let stick = tempfile::tempdir().unwrap();
    let load = || world.run(&["load", "--all", "--to", stick.path().to_str().unwrap()]);
    write_atomic(&world.firmware(), &vec![0; 300_000], 0o644).unwrap();
    let damaged = load();
    assert_eq!(damaged.code, 5, "{}", damaged.err);
    assert!(
        damaged.err.contains("fetcher sync") && damaged.err.contains("fetcher pin ID"),
        "{}",
        damaged.err
    );
    assert_eq!(world.run(&["sync", "--all"]).code, 0);
    let loaded = load();
    assert_eq!(loaded.code, 0, "{}", loaded.err);
}

/// The release is gone from its manifest by the time its package is here.
#[test]
fn a_pin_that_cannot_be_written_costs_no_download() {
    let world = World::new();
    let package = fs::read(world.dir.path().join("www/package.zip")).unwrap();
    let (size, manifest) = (package.len() as u64, world.manifest());
    let text = fs::read_to_string(&manifest).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let other = text.replace(&world.server.address().to_string(), &address.to_string());
    write_atomic(&manifest, other.as_bytes(), 0o644).unwrap();
    let emptied = manifest.clone();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = BufReader::new(&stream).lines();
        while !asked.next().unwrap().unwrap().is_empty() {}
        write_atomic(&emptied, b"# nothing any more\n", 0o644).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nETag: \"v\"\r\nContent-Length: {size}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &package].concat()).unwrap();
    });
    let failed = world.run(&["pin", ID, "--yes"]);
    server.join().unwrap();
    assert_eq!(failed.code, 5, "{}", failed.err);
    assert!(failed.err.contains("is not in it"), "{}", failed.err);
    assert!(world.files(ID).is_empty(), "nothing without a pin is in the depot");
    let kept: Vec<u64> =
        world.files("incoming").iter().map(|file| fs::metadata(file).unwrap().len()).collect();
    assert!(kept.contains(&size), "{kept:?}");
}

#[test]
fn a_release_without_models_is_remarked_upon() {
    let world = World::new();
    let text = fs::read_to_string(world.manifest()).unwrap();
    write_atomic(&world.manifest(), text.replace("\"DS-7608NI-I2\"", "").as_bytes(), 0o644).unwrap();
    let remark = format!("add the exact model names to models in {}", world.manifest().display());
    let pinned = world.run(&["pin", ID, "--yes"]);
    assert!(pinned.code == 0 && pinned.err.contains(&remark), "{}", pinned.err);
    let refused = world.run(&["approve", ID, "--yes"]);
    assert!(refused.code == 4 && refused.err.contains(&remark), "{}", refused.err);
}

#[test]
fn what_is_fetched_is_said_before_anybody_answers() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/package.zip", listener.local_addr().unwrap());
    drop(listener);
    let text = fs::read_to_string(world.manifest()).unwrap();
    let text = text.replace(&world.server.url("package.zip"), &url);
    write_atomic(&world.manifest(), text.as_bytes(), 0o644).unwrap();
    let Ran { code, err, .. } = world.run(&["pin", ID, "--yes"]);
    assert_eq!(code, 6, "{err}");
    assert!(err.starts_with(&format!("{ID}: fetching {url}\n")), "{err}");
}

#[test]
fn sources_that_have_no_file_are_told_apart() {
    let world = World::new();
    let faulty = |faults: Faults| {
        world.server.set_faults(faults);
        let Ran { code, err, .. } = world.run(&["pin", ID, "--yes"]);
        assert!(err.contains(&format!("fetcher pin {ID} --file PATH")), "{err}");
        code
    };
    assert_eq!(faulty(Faults { block_page: true, ..Faults::default() }), 5);
    assert_eq!(faulty(Faults { status: Some(404), ..Faults::default() }), 6);
    assert_eq!(faulty(Faults { status: Some(500), ..Faults::default() }), 6);
    assert!(world.files("incoming").is_empty() && world.files(ID).is_empty());
}

#[test]
fn a_rejected_package_is_kept_as_evidence() {
    let world = World::new();
    let package = world.dir.path().join("www/package.zip");
    let bytes = fs::read(&package).unwrap();
    write_atomic(&package, &bytes[..bytes.len() - 1], 0o644).unwrap();
    let cut = world.run(&["pin", ID, "--yes"]);
    assert_eq!(cut.code, 5, "{}", cut.err);
    assert!(cut.err.contains("hint: what came is kept as "), "{}", cut.err);
    assert_eq!((world.files("incoming").len(), world.files("quarantine").len()), (0, 1));
}

#[test]
fn an_expected_digest_decides_before_any_pin() {
    let world = World::new();
    let package = sha256(&world.dir.path().join("www/package.zip"));
    let wrong = world.run(&["pin", ID, "--yes", "--expect-sha256", &"0".repeat(64)]);
    assert_eq!(wrong.code, 5, "{}", wrong.err);
    assert!(wrong.err.contains(&package) && world.files("quarantine").len() == 1);
    let right = world.run(&["pin", ID, "--yes", "--expect-sha256", &package]);
    assert_eq!(right.code, 0, "{}", right.err);
    let text = fs::read_to_string(world.manifest()).unwrap();
    assert!(text.contains("; a person expected this SHA-256 of the package"), "{text}");
}

#[test]
fn firmware_without_a_zip_is_judged_like_any_other() {
    let world = World::new();
    let bare = world.dir.path().join("www/digicap.dav");
    synthetic(1).write_dav(&mut fs::File::create(&bare).unwrap()).unwrap();
    let manifest = fs::read_to_string(world.manifest()).unwrap().replace("package.zip", "digicap.dav");
    write_atomic(&world.manifest(), manifest.as_bytes(), 0o644).unwrap();
    let digest = sha256(&bare);
    let wrong = world.run(&["pin", ID, "--yes", "--expect-sha256", &"0".repeat(64)]);
    assert_eq!(wrong.code, 5, "{}", wrong.err);
    assert!(wrong.err.contains(&digest) && wrong.err.contains("moved to"), "{}", wrong.err);
    assert_eq!((world.files("incoming").len(), world.files("quarantine").len()), (0, 1));
    let right = world.run(&["pin", ID, "--yes", "--expect-sha256", &digest]);
    assert_eq!(right.code, 0, "{}", right.err);
    fs::remove_file(world.firmware()).unwrap();
    let synced = world.run(&["sync", "--all"]);
    assert_eq!(synced.code, 0, "{}", synced.err);
    assert_eq!((sha256(&world.firmware()), world.files("incoming").len()), (digest, 0));
    // another one in its place, under the same name
    fs::remove_file(world.firmware()).unwrap();
    synthetic(2).write_dav(&mut fs::File::create(&bare).unwrap()).unwrap();
    let other = world.run(&["sync", "--all"]);
    assert_eq!(other.code, 5, "{}", other.err);
    assert_eq!((world.files("incoming").len(), world.files("quarantine").len()), (0, 2));
}

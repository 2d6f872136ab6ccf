//! The program against a download server: what a person and a timer see of `pin` and `sync`.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

use std::fs;
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
        let revision = "V4.61.025:230421".parse().unwrap();
        let synthetic = Synthetic { size: 300_000, revision, language: 1, device_class: 1, seed };
        synthetic.write_zip(fs::File::create(self.dir.path().join("www/package.zip")).unwrap()).unwrap();
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

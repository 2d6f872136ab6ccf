//! Everything of a journey but the recorder: a depot, a source of firmware, a stick and a laptop, in one
//! directory that goes away with them.
// helpers of tests are tests: where something is not as it should be, they panic
#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc)]

use std::collections::BTreeMap;
use std::fs::{
    File, OpenOptions, Permissions, create_dir, create_dir_all, read, read_to_string, set_permissions,
};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use firmware::{Build, FirmwareVersion, Revision};
use nvr_sim::synthetic::Synthetic;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::download_server::{self, Faults};
use crate::programs::program;
use crate::ran::Ran;

/// What the recorder runs first.
pub const BEFORE: &str = "V4.30.097:200101";
/// What it runs after an upgrade.
pub const AFTER: &str = "V4.61.025:230421";
/// The release of [`Site::load`].
pub const RELEASE: &str = "nvr-synthetic-4.61.025-230421";
/// The recorder's model.
pub const MODEL: &str = "DS-7608NI-I2";
/// The recorder's password, in `password.txt`.
pub const PASSWORD: &str = "Recorder123";
/// That of all keys, in `pass.txt`.
pub const PASSPHRASE: &str = "correct horse";

/// A depot, a source, a stick and a laptop.
pub struct Site {
    dir: TempDir,
    /// Where firmware is downloaded from.
    pub source: download_server::Handle,
}

/// A version and a build, with a colon between them.
pub fn revision(text: &str) -> Revision {
    let (version, build) = text.split_once(':').unwrap();
    Revision { version: version.parse::<FirmwareVersion>().unwrap(), build: build.parse::<Build>().unwrap() }
}

impl Site {
    /// Nothing has been done yet: there is a source without files, an empty catalogue and an empty stick.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["packages", "manifests", "manifests/nvr", "stick"] {
            create_dir(dir.path().join(folder)).unwrap();
        }
        for (name, secret) in [("pass.txt", PASSPHRASE), ("password.txt", PASSWORD)] {
            write(&dir.path().join(name), secret.as_bytes());
            set_permissions(dir.path().join(name), Permissions::from_mode(0o600)).unwrap();
        }
        let listen = "127.0.0.1:0".parse().unwrap();
        let source =
            download_server::start(dir.path().join("packages"), listen, Faults::default()).await.unwrap();
        Self { dir, source }
    }

    /// Firmware of so many bytes is approved as [`RELEASE`] and on the stick, and the laptop believes the
    /// depot.
    pub async fn load(&self, size: u64) {
        self.init().await;
        let release = self.release_of_size(size, AFTER, &[MODEL]);
        self.approve_and_load(&release).await;
        self.trust().await;
    }

    /// Makes the depot.
    pub async fn init(&self) {
        self.fetcher("init --passphrase-file pass.txt").await.ends(0);
    }

    /// Pins and approves a release of the catalogue, and loads the stick with all that is approved.
    pub async fn approve_and_load(&self, id: &str) {
        self.pin(id).await.ends(0);
        self.approve(id).await.ends(0);
        self.fetcher("load --to stick --all").await.ends(0);
    }

    /// Pins a release from its source, whatever is found there.
    pub async fn pin(&self, id: &str) -> Ran {
        self.fetcher(&format!("pin {id} --yes")).await
    }

    /// Approves a release.
    pub async fn approve(&self, id: &str) -> Ran {
        self.fetcher(&format!("approve {id} --yes --passphrase-file pass.txt")).await
    }

    /// Makes the laptop believe the depot.
    pub async fn trust(&self) {
        let root = self.fetcher("root show --json").await.ends(0).json();
        let fingerprint = root["fingerprint"].as_str().unwrap();
        self.applier(&format!("trust add --stick stick --fingerprint {fingerprint}")).await.ends(0);
    }

    /// Carries the laptop's key to the depot and then its statements.
    pub async fn enrol_laptop(&self) {
        let laptop = self.applier("trust show --laptop --json").await.ends(0).json();
        let (file, fingerprint) =
            (laptop["public_key"].as_str().unwrap(), laptop["fingerprint"].as_str().unwrap());
        self.fetcher(&format!("laptops enrol {file} --fingerprint {fingerprint}")).await.ends(0);
        self.fetcher("collect --from stick").await.ends(0);
    }

    /// Puts a synthetic package on the source and its release into the catalogue; gives its id.
    pub fn release(&self, text: &str, models: &[&str]) -> String {
        self.release_of_size(300_000, text, models)
    }

    /// The same with firmware of so many bytes.
    pub fn release_of_size(&self, size: u64, text: &str, models: &[&str]) -> String {
        self.release_of_family("nvr", size, text, models)
    }

    /// The same of another family.
    pub fn release_of_family(&self, family: &str, size: u64, text: &str, models: &[&str]) -> String {
        let revision = revision(text);
        let (version, build) = (revision.version.to_string(), revision.build.to_string());
        let id = format!("{family}-synthetic-{}-{build}", version.trim_start_matches('V'));
        let package = Synthetic { size, revision, language: 1, device_class: 1, seed: 0 };
        let zip = format!("{id}.zip");
        package.write_zip(File::create(self.path("packages").join(&zip)).unwrap()).unwrap();
        let entry = format!(
            "id = \"{id}\"\nfamily = \"{family}\"\nmodels = {models:?}\nversion = \"{version}\"\nbuild = \"{build}\"\n\
             url = \"{}\"\nsources = [\"synthetic\"]\n",
            self.source.url(&zip)
        );
        self.list_in(family, &entry);
        id
    }

    /// Says in the catalogue that the release that was listed last needs this one first.
    pub fn last_release_needs(&self, id: &str) {
        let manifest = self.path("manifests/nvr/synthetic.toml");
        let mut manifest = OpenOptions::new().append(true).open(manifest).unwrap();
        writeln!(manifest, "via = [\"{id}\"]").unwrap();
    }

    /// Adds a release to the catalogue as it is written here.
    pub fn list(&self, release: &str) {
        self.list_in("nvr", release);
    }

    fn list_in(&self, family: &str, release: &str) {
        let folder = self.path("manifests").join(family);
        create_dir_all(&folder).unwrap();
        let manifest = folder.join("synthetic.toml");
        let text = if manifest.exists() { read_to_string(&manifest).unwrap() } else { String::new() };
        write(&manifest, format!("{text}[[release]]\n{release}\n").as_bytes());
    }

    /// Where something of this world lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `fetcher` with this site's home and catalogue.
    pub async fn fetcher(&self, args: &str) -> Ran {
        self.run(&[], "fetcher", args).await
    }

    /// Runs `applier` with this site's state.
    pub async fn applier(&self, args: &str) -> Ran {
        self.run(&[], "applier", args).await
    }

    /// Runs a program under others, which are given before it: `faketime -f +40d`.
    pub async fn run(&self, under: &[&str], name: &str, args: &str) -> Ran {
        let output = self.command(under, name, args).output().await.unwrap();
        let before = under.join(" ");
        Ran {
            name: name.to_owned(),
            command: [&before, name, args].join(" ").trim().to_owned(),
            // as a shell tells of a signal
            code: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap()),
            out: self.plain(output.stdout),
            err: self.plain(output.stderr),
            pushes: 0,
        }
    }

    /// The same, to be started.
    pub fn command(&self, under: &[&str], name: &str, args: &str) -> Command {
        let own = match name {
            "fetcher" => ["--home", "home", "--manifests", "manifests"].as_slice(),
            _ => &["--state", "state"],
        };
        let under = under.iter().map(Path::new);
        let words = own.iter().copied().chain(args.split_whitespace()).map(Path::new);
        let line: Vec<&Path> = under.chain([program(name)]).chain(words).collect();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).current_dir(self.dir.path()).stdin(Stdio::null()).kill_on_drop(true);
        // monotonic time stays: only the date is another
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env_remove("XDG_DATA_HOME");
        // whoever runs these tests may have a logind, and this machine need not be kept awake
        command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.path("no-bus").display()));
        command
    }

    /// What a program said, without the directory of this site.
    pub fn plain(&self, bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap().replace(&format!("{}/", self.dir.path().display()), "")
    }

    /// What each statement on the stick says, in order.
    pub fn statements(&self) -> Vec<Value> {
        let receipts = files(&self.path("stick/COURIER/receipts"));
        let payload = |bytes: &Vec<u8>| {
            let envelope: Value = serde_json::from_slice(bytes).unwrap();
            let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
            serde_json::from_slice::<Value>(&payload).unwrap()["predicate"].clone()
        };
        receipts.values().map(payload).collect()
    }
}

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Every file below a directory, by its path from there.
pub fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in directory.read_dir().unwrap() {
        let (path, name) = entry.map(|e| (e.path(), e.file_name().into_string().unwrap())).unwrap();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, read(&path).unwrap());
        }
    }
    found
}

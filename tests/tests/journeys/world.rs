use std::collections::BTreeMap;
use std::fs::{File, Permissions, create_dir, read, read_to_string, set_permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use firmware::{Build, FirmwareVersion, Revision};
use jiff::Timestamp;
use journeys::download_server::{self, Faults};
use journeys::programs::program;
use nvr_sim::Builder;
use nvr_sim::synthetic::Synthetic;
use tempfile::TempDir;
use tokio::process::Command;

use crate::ran::Ran;

/// What the recorder runs first.
pub(crate) const BEFORE: &str = "V4.30.097:200101";
/// The release of [`World::loaded`].
pub(crate) const RELEASE: &str = "nvr-synthetic-4.61.025-230421";
pub(crate) const MODEL: &str = "DS-7608NI-I2";
pub(crate) const PASSWORD: &str = "Recorder123";
pub(crate) const PASSPHRASE: &str = "correct horse";

/// A depot, a source, a stick, a laptop and a recorder, in one directory that goes away with them.
pub(crate) struct World {
    dir: TempDir,
    pub(crate) source: download_server::Handle,
    pub(crate) recorder: nvr_sim::Handle,
}

pub(crate) fn revision(text: &str) -> Revision {
    let (version, build) = text.split_once(':').unwrap();
    Revision { version: version.parse::<FirmwareVersion>().unwrap(), build: build.parse::<Build>().unwrap() }
}

/// A recorder in good order that takes [`RELEASE`].
pub(crate) fn recorder() -> Builder {
    recorder_of(MODEL, BEFORE, "V4.61.025:230421")
}

/// A recorder in good order that runs `from` and takes firmware of `to`.
pub(crate) fn recorder_of(model: &str, from: &str, to: &str) -> Builder {
    #[allow(clippy::disallowed_methods)] // a recorder whose clock is right
    let now = Timestamp::now();
    Builder::new(model.parse().unwrap(), revision(from), revision(to), PASSWORD, now)
}

impl World {
    /// Nothing has been done yet: there is a source without files, an empty catalogue and an empty stick.
    pub(crate) async fn new() -> Self {
        Self::with(recorder()).await
    }

    /// The same with another recorder.
    pub(crate) async fn with(recorder: Builder) -> Self {
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
        Self { dir, source, recorder: recorder.start().await.unwrap() }
    }

    /// The firmware is approved and on the stick, and the laptop believes the depot.
    pub(crate) async fn loaded() -> Self {
        Self::loaded_with(recorder()).await
    }

    /// The same with another recorder.
    pub(crate) async fn loaded_with(recorder: Builder) -> Self {
        let world = Self::with(recorder).await;
        world.init().await;
        world.release("V4.61.025:230421", &[MODEL]);
        world.approve_and_load(RELEASE).await;
        world.trust().await;
        world
    }

    /// The same stick and the same laptop, as they are now, at another recorder: copies that know nothing
    /// of these.
    pub(crate) async fn at(&self, recorder: Builder) -> Self {
        let world = Self::with(recorder).await;
        let mut copy = Command::new("cp");
        copy.args(["--archive", "--reflink=auto", "state", "stick"]).arg(world.dir.path());
        assert!(copy.current_dir(self.dir.path()).status().await.unwrap().success());
        world
    }

    /// Makes the depot.
    pub(crate) async fn init(&self) {
        self.fetcher("init --passphrase-file pass.txt").await.ends(0);
    }

    /// Pins and approves a release of the catalogue, and loads the stick with all that is approved.
    pub(crate) async fn approve_and_load(&self, id: &str) {
        self.pin(id).await.ends(0);
        self.approve(id).await.ends(0);
        self.fetcher("load --to stick --all").await.ends(0);
    }

    /// Pins a release from its source, whatever is found there.
    pub(crate) async fn pin(&self, id: &str) -> Ran {
        self.fetcher(&format!("pin {id} --yes")).await
    }

    /// Approves a release.
    pub(crate) async fn approve(&self, id: &str) -> Ran {
        self.fetcher(&format!("approve {id} --yes --passphrase-file pass.txt")).await
    }

    /// Makes the laptop believe the depot.
    pub(crate) async fn trust(&self) {
        let root = self.fetcher("root show --json").await.ends(0).json();
        let fingerprint = root["fingerprint"].as_str().unwrap();
        self.applier(&format!("trust add --stick stick --fingerprint {fingerprint}")).await.ends(0);
    }

    /// Carries the laptop's key to the depot and then its statements.
    pub(crate) async fn enrol_laptop(&self) {
        let laptop = self.applier("trust show --laptop --json").await.ends(0).json();
        let (file, fingerprint) =
            (laptop["public_key"].as_str().unwrap(), laptop["fingerprint"].as_str().unwrap());
        self.fetcher(&format!("laptops enrol {file} --fingerprint {fingerprint}")).await.ends(0);
        self.fetcher("collect --from stick").await.ends(0);
    }

    /// Puts a synthetic package on the source and its release into the catalogue; gives its id.
    pub(crate) fn release(&self, text: &str, models: &[&str]) -> String {
        self.release_of_size(300_000, text, models)
    }

    /// The same with firmware of so many bytes.
    pub(crate) fn release_of_size(&self, size: u64, text: &str, models: &[&str]) -> String {
        let revision = revision(text);
        let (version, build) = (revision.version.to_string(), revision.build.to_string());
        let id = format!("nvr-synthetic-{}-{build}", version.trim_start_matches('V'));
        let package = Synthetic { size, revision, language: 1, device_class: 1, seed: 0 };
        let zip = format!("{id}.zip");
        package.write_zip(File::create(self.path("packages").join(&zip)).unwrap()).unwrap();
        self.list(&format!(
            "id = \"{id}\"\nfamily = \"nvr\"\nmodels = {models:?}\nversion = \"{version}\"\nbuild = \"{build}\"\n\
             url = \"{}\"\nsources = [\"synthetic\"]\n",
            self.source.url(&zip)
        ));
        id
    }

    /// Adds a release to the catalogue as it is written here.
    pub(crate) fn list(&self, release: &str) {
        let manifest = self.path("manifests/nvr/synthetic.toml");
        let text = if manifest.exists() { read_to_string(&manifest).unwrap() } else { String::new() };
        write(&manifest, format!("{text}[[release]]\n{release}\n").as_bytes());
    }

    /// Where something of this world lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `fetcher` with this world's home and catalogue.
    pub(crate) async fn fetcher(&self, args: &str) -> Ran {
        self.run(&[], "fetcher", args).await
    }

    /// Runs `applier` with this world's state.
    pub(crate) async fn applier(&self, args: &str) -> Ran {
        self.run(&[], "applier", args).await
    }

    /// Runs `applier apply` on the recorder, agreeing to whatever is planned.
    pub(crate) async fn apply(&self, more: &str) -> Ran {
        let address = self.recorder.address();
        self.applier(&format!("apply {address} --stick stick --password-file password.txt --yes {more}"))
            .await
    }

    /// Runs a program under others, which are given before it: `faketime -f +40d`.
    pub(crate) async fn run(&self, under: &[&str], name: &str, args: &str) -> Ran {
        let own = match name {
            "fetcher" => ["--home", "home", "--manifests", "manifests"].as_slice(),
            _ => &["--state", "state"],
        };
        let before = under.join(" ");
        let under = under.iter().map(Path::new);
        let words = own.iter().copied().chain(args.split_whitespace()).map(Path::new);
        let line: Vec<&Path> = under.chain([program(name)]).chain(words).collect();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).current_dir(self.dir.path()).stdin(Stdio::null()).kill_on_drop(true);
        // monotonic time stays: only the date is another
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env_remove("XDG_DATA_HOME");
        let output = command.output().await.unwrap();
        let text =
            |bytes| String::from_utf8(bytes).unwrap().replace(&format!("{}/", self.dir.path().display()), "");
        Ran {
            name: name.to_owned(),
            command: [&before, name, args].join(" ").trim().to_owned(),
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
            pushes: self.recorder.state().counters.pushes,
        }
    }
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Every file below a directory, by its path from there.
pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
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

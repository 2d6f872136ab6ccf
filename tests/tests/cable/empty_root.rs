//! The static applier on a system that has nothing: its root holds the program and the stick.

use std::fs::{copy, create_dir, read_dir};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use journeys::programs::as_from_a_shell;
use journeys::ran::Ran;
use journeys::site::{AFTER, MODEL, PASSWORD};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::simulator::{SERIAL, scenario};
use crate::world::World;

/// The longest run takes some seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// The program as `scripts/static-applier` makes it.
fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut script = Command::new("scripts/static-applier");
        as_from_a_shell(&mut script);
        // what it uses is built for this alone: it has to be quick to build
        script.args(["--profile", "dev", "--config", "profile.dev.package.\"*\".opt-level=0"]);
        let built = script.env("CARGO_PROFILE_DEV_DEBUG", "0").stderr(Stdio::inherit()).output().unwrap();
        assert!(built.status.success(), "see above");
        String::from_utf8(built.stdout).unwrap().trim().into()
    })
}

/// A depot whose stick lies in such a root, and a recorder at the other end of the laptop's cable.
struct Empty(World);

impl Empty {
    async fn new() -> Self {
        let world = World::cabled(&scenario("", "")).await;
        create_dir(world.path("root")).unwrap();
        copy(program(), world.path("root/applier")).unwrap();
        world.init().await;
        let release = world.release(AFTER, &[MODEL]);
        world.pin(&release).await.ends(0);
        world.approve(&release).await.ends(0);
        create_dir(world.path("root/stick")).unwrap();
        world.fetcher("load --to root/stick --all").await.ends(0);
        let there: Vec<_> =
            read_dir(world.path("root")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(there.len() == 2, "{there:?}");
        Self(world)
    }

    /// Runs it as the first process there, with nothing in its environment.
    async fn applier(&self, namespaces: &[&str], args: &str) -> Ran {
        let world = &self.0;
        let mut command = tokio::process::Command::from(world.laptop.command("unshare"));
        command.args(["--mount", "--pid", "--fork", "--kill-child"]).args(namespaces);
        command.arg(format!("--root={}", world.path("root").display())).args(["--wd=/", "--", "/applier"]);
        command.args(args.split_whitespace()).env_clear();
        command.kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        // a command that wants no password may have ended before it is written
        let _ = program.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).await;
        let ended = timeout(PATIENCE, program.wait_with_output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("applier {args} does not end")).unwrap();
        Ran {
            name: "applier".into(),
            command: format!("applier {args}"),
            code: ended.status.code().unwrap(),
            out: world.plain(ended.stdout),
            err: world.plain(ended.stderr),
            pushes: world.seen("pushes"),
        }
    }

    async fn fingerprint(&self) -> String {
        let root = self.0.fetcher("root show --json").await.ends(0).json();
        root["fingerprint"].as_str().unwrap().to_owned()
    }
}

const TO_THE_RECORDER: &str = "192.168.1.64 --state /state --stick /stick --password-stdin";

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_is_verified_and_what_cannot_be_done_is_said() {
    let empty = Empty::new().await;
    empty.applier(&[], "--version").await.ends(0).says(&["applier"]);
    let trust = format!("trust add --stick /stick --fingerprint {}", empty.fingerprint().await);
    let words = ["neither --state nor $HOME", "--state"];
    empty.applier(&[], &trust).await.fails(2, "laptop without a home directory", &words);
    empty.applier(&[], &format!("{trust} --state /state")).await.ends(0);
    let verified = empty.applier(&[], &format!("verify --state /state --stick /stick --model {MODEL}")).await;
    verified.ends(0).says(&[MODEL]);

    let words = ["removable drives", "/proc"];
    empty.applier(&[], "sticks").await.fails(1, "laptop without proc and sys", &words);
    let words = ["/proc/sys/net/ipv4/conf/all/forwarding is not there", "mount -t proc"];
    let refused = empty.applier(&[], &format!("apply {TO_THE_RECORDER} --yes")).await;
    refused.fails(2, "laptop without proc", &words);
    assert_eq!(empty.0.seen("connections"), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_is_updated_from_there() {
    let empty = Empty::new().await;
    let trust =
        format!("trust add --state /state --stick /stick --fingerprint {}", empty.fingerprint().await);
    empty.applier(&[], &trust).await.ends(0);
    create_dir(empty.0.path("root/proc")).unwrap();
    let with_proc = "--mount-proc=/proc";
    let words = ["removable drives", "/sys"];
    empty.applier(&[with_proc], "sticks").await.fails(1, "laptop without sys", &words);
    let applied = empty.applier(&[with_proc], &format!("apply {TO_THE_RECORDER} --yes")).await;
    applied.ends(0).says(&["confirmed", SERIAL, "nobody knows what this laptop runs on"]);
    assert_eq!((empty.0.seen("pushes"), empty.0.seen("bodies")), (1, 1));
    let stated = empty.applier(&[], "receipts --state /state --json").await.ends(0).json();
    assert!(stated.to_string().contains("applied"), "{stated}");
}

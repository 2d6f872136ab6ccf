//! The configuration of a recorder: kept before a push and by itself, opened by others' programs, put back.

use std::fs::{read, read_dir, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use journeys::ran::Ran;
use nvr_sim::{AnswerFault, Builder, Document, Faults, How, KeyRule, Stage};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::world::{World, recorder, revision, write};

/// A recorder in good order that is away long enough for its uptime to tell that it restarted, in whole seconds.
pub(crate) fn restarting() -> Builder {
    let mut recorder = recorder();
    recorder.down = Duration::from_millis(2500);
    recorder
}

impl World {
    pub(crate) async fn backup(&self, more: &str) -> Ran {
        let address = self.recorder.address();
        self.applier(&format!("backup {address} --password-file password.txt {more}")).await
    }

    pub(crate) async fn restore(&self, more: &str) -> Ran {
        self.applier(&self.restore_line(more)).await
    }

    pub(crate) fn restore_line(&self, more: &str) -> String {
        let address = self.recorder.address();
        format!("restore {address} --stick stick --password-file password.txt --yes {more}")
    }

    /// A secret of somebody in a file.
    fn secret(&self, name: &str, secret: &str) {
        write(&self.path(name), secret.as_bytes());
        set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// Backups in the state, oldest first.
    fn kept(&self) -> Vec<PathBuf> {
        let folders = read_dir(self.path("state/backups")).into_iter().flatten();
        let files = folders.flat_map(|folder| read_dir(folder.unwrap().path()).unwrap());
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    fn export_fails(&self, how: How, text: &str) {
        let fault =
            json!({"path": "/ISAPI/System/configurationData", "method": "GET", "how": how, "text": text});
        let fault: AnswerFault = serde_json::from_value(fault).unwrap();
        self.recorder.set_faults(Faults { answers: vec![fault], ..Faults::default() });
    }

    pub(crate) fn last_statement(&self) -> Value {
        self.statements().into_iter().max_by_key(|statement| statement["counter"].as_u64()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_opened_by_age_and_put_back() {
    let world = World::loaded_with(restarting()).await;
    world.applier("backups").await.ends(0).says(&["no configuration is kept here"]);
    let backup = world.backup("--json").await.ends(0).json();
    let [file] = &world.kept()[..] else { panic!("{:?}", world.kept()) };
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    world.applier("backups").await.ends(0).says(&["DS-7608NI-I2", "V4.30.097", "65536 bytes"]);

    // whoever has the key needs no program of ours
    let key = world.path("state/backup-key.txt");
    let opened = Command::new("age").args(["-d", "-i"]).args([&key, file]).output().await.unwrap();
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let line = opened.stdout.iter().position(|byte| *byte == b'\n').unwrap();
    let manifest: Value = serde_json::from_slice(&opened.stdout[..line]).unwrap();
    assert_eq!(manifest["sha256"], backup["backup"]["sha256"]);
    assert_eq!(opened.stdout[line + 1..].len(), 65_536);
    assert!(opened.stdout[line + 1..].starts_with(b"NVRSIM01"));

    let restored = world.restore(file.to_str().unwrap()).await.ends(0);
    restored.says(&["users and passwords", "the recorder restarts", "restored: "]);
    let seen = world.recorder.state();
    assert_eq!((seen.counters.restores, seen.counters.reboots), (1, 1));
    assert_eq!(seen.last_restore.unwrap().sha256.to_string(), manifest["sha256"]);
    let statements = world.statements();
    let [started, ended] = &statements[..] else { panic!("{statements:?}") };
    assert_eq!((&started["run"], &started["plan"]), (&ended["run"], &ended["plan"]));
    assert_eq!((&ended["result"], &ended["reason"]), (&"restored".into(), &"restored".into()));
    world.applier("receipts").await.ends(0).says(&["restore of the configuration", "restore: restored"]);
    world.enrol_laptop().await;
    world.fetcher("fleet").await.ends(0).says(&["restored", "V4.30.097"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_before_a_push_or_refused_or_left_out_with_a_reason() {
    let world = World::loaded_with(restarting()).await;
    for (name, how, text) in [
        ("configuration not offered", How::Code, "notSupport"),
        ("configuration refused", How::Code, "deviceError"),
        ("page instead of a configuration", How::Html, ""),
        ("endless configuration", How::Endless, ""),
    ] {
        world.export_fails(how, text);
        let apply = world.apply("").await.fails(4, name, &["no backup", "--no-backup REASON"]);
        assert_eq!(apply.pushes, 0, "{name}");
        assert_eq!(world.last_statement()["reason"], "no-backup");
    }
    world.export_fails(How::Cut, "");
    assert_eq!(world.apply("").await.fails(6, "configuration cut off", &["connection lost"]).pushes, 0);
    assert!(world.kept().is_empty());
    let apply = world.apply("--no-backup replaced-tomorrow").await.ends(0);
    assert_eq!(apply.says(&["--no-backup: replaced-tomorrow", "backup     not taken"]).pushes, 1);
    let ended = world.last_statement();
    assert_eq!(
        (&ended["backup"], &ended["overrides"][0]["flag"]),
        (&"not taken".into(), &"no-backup".into())
    );
    assert!(world.kept().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_key_that_the_recorder_does_not_take_is_told_by_both() {
    let mut unkeyed = restarting();
    unkeyed.content.backup.key = KeyRule::WithoutKey;
    let world = World::loaded_with(unkeyed).await;
    world.secret("device-key.txt", "hush-1234");
    let words = ["the recorder did not take the device key: its export is as it makes it without one"];
    world.backup("--device-key-file device-key.txt").await.ends(0).says(&words);
    world.apply("--device-key-file device-key.txt").await.ends(0).says(&words);
    assert!(world.last_statement()["backup"].as_str().unwrap().ends_with("without a device key"));
    let not_wished = world.backup("").await.ends(0);
    assert!(!not_wished.err.contains(words[0]), "{}", not_wished.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_key_is_the_recorders_and_is_needed_again() {
    let mut keyed = restarting();
    keyed.content.backup.key = KeyRule::WithKey;
    let world = World::loaded_with(keyed).await;
    let words = ["under a device key only", "--device-key-file"];
    world.backup("").await.fails(2, "device key wanted", &words);
    world.apply("").await.ends(4).says(&words);
    world.secret("device-key.txt", "hush-1234");
    let apply = world.apply("--device-key-file device-key.txt").await.ends(0);
    assert_eq!(apply.pushes, 1);
    assert!(world.last_statement()["backup"].as_str().unwrap().ends_with("under a device key"));
    let kept = world.kept();
    let file = kept[0].to_str().unwrap();
    // the recorder runs another version since: that is to be meant
    let args = format!("{file} --device-key-file device-key.txt");
    let other = ["exported by V4.30.097", "--allow-other-version REASON"];
    world.restore(&args).await.fails(4, "configuration of another version", &other);
    let args = format!("{file} --allow-other-version only-copy");
    world.restore(&args).await.fails(2, "device key missing", &["no terminal", "--device-key-file"]);
    world.secret("wrong.txt", "hush-1235");
    let wrong = world.restore(&format!("{args} --device-key-file wrong.txt")).await;
    wrong.fails(7, "wrong device key", &["importCfgFilePasswordErr", "as before"]);
    world.secret("odd.txt", "a key with blanks");
    world.restore(&format!("{args} --device-key-file odd.txt")).await.ends(2).says(&["1 to 32 letters"]);
    assert_eq!(world.recorder.state().counters.restores, 0);
    world.restore(&format!("{args} --device-key-file device-key.txt")).await.ends(0);
    let ended = world.last_statement();
    assert_eq!(ended["overrides"][0]["flag"], "allow-other-version");
    // the key is in no file of the laptop or the stick
    for (name, bytes) in crate::world::files(&world.path("state")) {
        assert!(!bytes.windows(9).any(|found| found == b"hush-1234"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn put_back_on_its_own_recorder_only() {
    let world = World::loaded_with(restarting()).await;
    world.backup("--to yard.age").await.ends(0).says(&["only this laptop's local key opens that file"]);
    world.backup("--to yard.age").await.fails(4, "backup is there already", &["is there already"]);
    let nowhere = world.backup("--to nowhere/yard.age").await;
    nowhere.fails(1, "backup cannot be written", &["cannot be written", "has room"]);
    // the recorder was exchanged
    world.recorder.set_faults(Faults { back_serial: Some("DS-1A".parse().unwrap()), ..Faults::default() });
    world.recorder.reboot();
    world.recorder.until(|state| state.stage == Stage::Idle && state.serial.as_str() == "DS-1A").await;
    let words = ["is that of recorder DS-7608NI-I2", "this is DS-1A", "no override"];
    let refused = world.restore("yard.age --allow-other-version x").await;
    refused.fails(4, "configuration of another recorder", &words);
    assert_eq!(world.last_statement()["reason"], "other-origin");
    assert_eq!(world.recorder.state().counters.restores, 0);

    let mut bytes = read(world.path("yard.age")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    write(&world.path("damaged.age"), &bytes);
    world.restore("damaged.age").await.fails(5, "backup damaged", &["rejected", "damaged"]);
    world.restore("stick").await.fails(5, "no backup file", &["it is no file"]);
    world.restore("missing.age").await.fails(2, "backup missing", &["cannot be read", "applier backups"]);
    let key = Command::new("age-keygen").output().await.unwrap();
    world.secret("other-key.txt", &String::from_utf8(key.stdout).unwrap());
    let other = world.restore("yard.age --local-key-file other-key.txt").await;
    other.fails(2, "local key of somebody else", &["the local key does not open it", "no device key"]);
    let beyond = "restore 192.0.2.1 --stick stick --password-file password.txt --yes yard.age";
    world.applier(beyond).await.ends(11).says(&["not alone with it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_it_was_made_for_opens_it() {
    let world = World::loaded_with(restarting()).await;
    let key = Command::new("age-keygen").output().await.unwrap();
    let key = String::from_utf8(key.stdout).unwrap();
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    world.secret("depot.txt", &key);
    world.backup(&format!("--to yard.age --recipient {recipient}")).await.ends(0);
    world.backup("--recipient age1nobody").await.ends(2);
    std::fs::remove_file(world.path("state/backup-key.txt")).unwrap();
    world.restore("yard.age").await.fails(2, "local key missing", &["backup-key.txt"]);
    world.restore("yard.age --local-key-file depot.txt").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_restore_is_known() {
    let world = World::loaded_with(restarting()).await;
    world.backup("--to yard.age").await.ends(0);
    world.recorder.set_faults(Faults { never_back: true, ..Faults::default() });
    let line = world.restore_line("yard.age");
    let mut interrupted = world.command(&[], "applier", &line).spawn().unwrap();
    world.recorder.until(|state| state.stage == Stage::Down).await;
    interrupted.kill().await.unwrap();
    world.recorder.set_faults(Faults::default());
    world.recorder.until(|state| state.stage == Stage::Idle).await;
    let words = ["an earlier restore", "not known to be over", "do not cut the power"];
    world.restore("yard.age").await.fails(8, "restored again within the quiet period", &words);
    assert_eq!(world.apply("").await.ends(8).says(&words).pushes, 0);
    let words = ["an earlier restore", "--push-again REASON"];
    world.restore("yard.age --quiet-period 0").await.fails(8, "state unknown since a restore", &words);
    world.restore("yard.age --quiet-period 0 --push-again looked").await.ends(0);
    assert_eq!(world.recorder.state().counters.restores, 2);
    assert_eq!(world.last_statement()["overrides"][0]["flag"], "push-again");
    assert_eq!(world.apply("").await.ends(0).pushes, 1, "what is over forbids nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_stays_away_after_a_restore() {
    let world = World::loaded_with(restarting()).await;
    world.backup("--to yard.age").await.ends(0);
    world.recorder.set_faults(Faults { never_back: true, ..Faults::default() });
    let away = world.restore("yard.age --return-timeout 2").await;
    let words = ["unknown-after-restore", "it has not answered for", "applier find"];
    away.fails(8, "never came back after a restore", &words);
    assert_eq!(world.last_statement()["reason"], "never-returned");
    world.enrol_laptop().await;
    world.fetcher("fleet").await.says(&["unknown-after-restore"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_push_changed_besides_is_told() {
    let mut watched = restarting();
    let status = |online| Document {
        path: "/ISAPI/ContentMgmt/InputProxy/channels/status".into(),
        text: format!(
            "<InputProxyChannelStatusList><InputProxyChannelStatus><id>1</id><online>{online}</online></InputProxyChannelStatus></InputProxyChannelStatusList>"
        ),
    };
    watched.content.documents = vec![status(true)];
    watched.faults.never_back = true;
    let mut changed = watched.content.clone();
    changed.disks[0].status = "error".into();
    changed.documents = vec![status(false)];
    changed.users.push(nvr_sim::User { name: "eve".into(), level: "Administrator".into() });
    let world = World::loaded_with(watched).await;
    let change = async {
        world.recorder.until(|state| state.stage == Stage::Down).await;
        world.recorder.set_content(changed);
        world.recorder.set_faults(Faults::default());
    };
    let (apply, ()) = tokio::join!(world.apply("--settle-time 0"), change);
    assert_eq!(world.recorder.state().revision, revision(journeys::site::AFTER));
    let differences = [
        "disk 1 was ok and is error",
        "connection of camera 1 was online and is offline",
        "user eve is new: Administrator",
    ];
    apply.ends(0).says(&differences).says(&["confirmed"]);
    assert_eq!(world.last_statement()["differences"], json!(differences));
}

//! Statements encrypted to the depot: a stick that is lost tells nothing of the recorders, and what comes home opens.

use std::fs::{Permissions, create_dir, create_dir_all, read, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use keys::durable;
use tokio::process::Command;

use crate::drives::{plug_mounted, run};
use crate::world::{World, files, write};

/// What is said where the signed recipient is none of this home.
const LOST: &str = "no identity of this home opens what laptops encrypt to its depot_recipient";
/// What is to be done then.
const WAY_OUT: [&str; 2] =
    ["hint: bring keys/depot-identity.txt back from the backup", "applier receipts --copy-to PATH --all"];

/// A laptop that has stated something in the clear, before its depot named a recipient.
pub(crate) async fn in_the_clear() -> World {
    let world = World::loaded().await;
    world.apply("").await.ends(0);
    world
}

/// The depot's recipient is in the policy, which is signed and on the stick.
pub(crate) async fn name_recipient(world: &World) -> String {
    let shown = world.fetcher("keys recipient --json").await.ends(0).json();
    let recipient = shown["recipient"].as_str().unwrap().to_owned();
    write(&world.path("manifests/policy.toml"), format!("depot_recipient = \"{recipient}\"\n").as_bytes());
    let approved = world.approve("--policy").await.ends(0);
    let approved = approved.says(&[&format!("depot recipient      {recipient}  (signed now: none)")]);
    assert!(!approved.err.contains("is not that of this home"), "{}", approved.err);
    world.fetcher("load --to stick --all").await.ends(0);
    recipient
}

/// What it stated then and since is encrypted on the stick, and it is enrolled; what came in the clear is in the ledger.
pub(crate) async fn sealed() -> (World, String) {
    let world = in_the_clear().await;
    let recipient = name_recipient(&world).await;
    world.apply("").await.ends(0);
    let laptop = world.applier("trust show --laptop --json").await.ends(0).json();
    let (file, print) = (laptop["public_key"].as_str().unwrap(), laptop["fingerprint"].as_str().unwrap());
    world.fetcher(&format!("laptops enrol {file} --fingerprint {print}")).await.ends(0);
    (world, recipient)
}

/// Whether these bytes hold the word, as it is or in base64 at any place.
fn holds(bytes: &[u8], word: &str) -> bool {
    let found = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let in_base64 = |before: usize| {
        let text = BASE64_STANDARD_NO_PAD.encode([&vec![0; before], word.as_bytes()].concat());
        // the digits that only the word decides
        let (first, last) = ((before * 8).div_ceil(6), (before + word.len()) * 8 / 6);
        found(&text.as_bytes()[first..last])
    };
    found(word.as_bytes()) || (0..3).any(in_base64)
}

/// The names of the statements in a folder.
pub(crate) fn names(world: &World, stick: &str) -> Vec<String> {
    let statements = files(&world.path(stick).join("COURIER/receipts")).into_keys();
    statements.map(|path| path.rsplit('/').next().unwrap().to_owned()).collect()
}

async fn age(world: &World, args: &[&str]) -> Vec<u8> {
    let ran = Command::new("age").args(args).current_dir(world.path("")).output().await.unwrap();
    assert!(ran.status.success(), "age {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// The folder of the laptop's statements on a stick.
async fn folder(world: &World, stick: &str) -> String {
    let laptop = world.applier("receipts --json").await.ends(0).json()["laptop"].as_str().unwrap().to_owned();
    let folder = format!("{stick}/COURIER/receipts/{laptop}");
    create_dir_all(world.path(&folder)).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_stick_tells_nothing_of_the_recorders() {
    let world = in_the_clear().await;
    let (serial, address) = (world.recorder.state().serial.to_string(), world.recorder.address().to_string());
    let tells = |world: &World| {
        let all = files(&world.path("stick"));
        all.into_iter().any(|(_, bytes)| holds(&bytes, &serial) || holds(&bytes, &address))
    };
    assert!(tells(&world), "in the clear it does");
    name_recipient(&world).await;
    world.apply("").await.ends(0);
    assert!(!tells(&world), "{:?}", names(&world, "stick"));
    assert_eq!(names(&world, "stick"), ["1.json.age", "2.json.age", "3.json.age"]);
    // what is refused, asked for and audited goes the same way
    let at = format!("{address} --stick stick --password-file password.txt");
    world.fetcher("load --to stick --metadata-only").await.ends(0);
    world.applier(&format!("audit {at}")).await.ends(0);
    world.applier(&format!("inspect {at}")).await;
    assert!(!tells(&world) && names(&world, "stick").len() > 3, "{:?}", names(&world, "stick"));
    // the laptop itself still reads them
    world.applier("receipts").await.ends(0).says(&[&serial]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_the_stick_already_is_not_written_again() {
    let (world, _) = sealed().await;
    let before = files(&world.path("stick/COURIER/receipts"));
    world.applier("receipts --copy-to stick").await.ends(0).says(&["0 statements copied"]);
    assert_eq!(files(&world.path("stick/COURIER/receipts")), before);
    // a stick without a policy is no reason to write in the clear, and neither is one of which nothing is known
    create_dir(world.path("other")).unwrap();
    world.applier("receipts --copy-to other").await.ends(0).says(&["3 statements copied"]);
    assert_eq!(files(&world.path("other/COURIER/receipts")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_open_with_age_and_those_that_age_made_are_taken() {
    let (world, recipient) = sealed().await;
    let collected = world.fetcher("collect --from stick --json").await.ends(0).json();
    assert_eq!((&collected["new_count"], &collected["known"]), (&1.into(), &2.into()), "{collected}");
    let there = folder(&world, "stick").await;
    let opened =
        age(&world, &["-d", "-i", "home/keys/depot-identity.txt", &format!("{there}/3.json.age")]).await;
    assert_eq!(opened, read(world.path("state/receipts/3.json")).unwrap());

    world.apply("").await.ends(0);
    let other = folder(&world, "other").await;
    let made = format!("{other}/4.json.age");
    age(&world, &["-r", &recipient, "-o", &made, "state/receipts/4.json"]).await;
    let collected = world.fetcher("collect --from other").await.ends(0);
    collected.says(&["already-current", "1 new statement, 0 known"]);
    // another encryption of the same envelope is the same statement
    world.fetcher("collect --from stick").await.ends(0).says(&["0 new statements, 4 known"]);
    world.fetcher("fleet --json").await.ends(0).says(&["\"findings\":[]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_open_is_named_and_stays_on_the_stick() {
    let (world, recipient) = sealed().await;
    let (there, key) = (folder(&world, "bad").await, Command::new("age-keygen").output().await.unwrap());
    write(&world.path("stranger.txt"), &key.stdout);
    let stranger =
        Command::new("age-keygen").arg("-y").arg(world.path("stranger.txt")).output().await.unwrap();
    let stranger = String::from_utf8(stranger.stdout).unwrap();
    let name = |n: u32| format!("{there}/{n}.json.age");
    age(&world, &["-r", stranger.trim(), "-o", &name(1), "state/receipts/1.json"]).await;
    let whole = read(world.path("stick").join(name(2).trim_start_matches("bad/"))).unwrap();
    write(&world.path(&name(2)), &whole[..whole.len() - 1]);
    write(&world.path("huge"), &vec![b' '; 256 * 1024 + 1]);
    age(&world, &["-r", &recipient, "-o", &name(3), "huge"]).await;
    write(&world.path(&name(4)), &vec![b' '; 1 << 20]);
    let collected = world.fetcher("collect --from bad").await.ends(5);
    collected.says(&[
        "1.json.age rejected: sealed statement is encrypted to another recipient",
        "2.json.age rejected: sealed statement is no whole age file",
        "3.json.age rejected: sealed statement of 262145 bytes is larger",
        "4.json.age is larger than",
        "0 new statements, 0 known",
    ]);
    assert_eq!(names(&world, "bad").len(), 4);
    // without the identity nothing opens, and with it everything does: nothing was taken or thrown away
    let identity = world.path("home/keys/depot-identity.txt");
    durable::rename(&identity, &world.path("away")).unwrap();
    let closed = world.fetcher("collect --from stick").await.ends(5);
    closed.says(&[
        "3.json.age rejected: it is encrypted, and this home has no identity to open it",
        "3 statements encrypted to a recipient for which this home has no identity",
        WAY_OUT[0],
    ]);
    durable::rename(&world.path("away"), &identity).unwrap();
    world.fetcher("collect --from stick").await.ends(0).says(&["1 new statement, 2 known"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_is_replaced_and_what_was_encrypted_to_the_old_one_still_opens() {
    let (world, old) = sealed().await;
    let identity = world.path("home/keys/depot-identity.txt");
    create_dir(world.path("older")).unwrap();
    world.applier("receipts --copy-to older").await.ends(0);
    let made = Command::new("age-keygen").output().await.unwrap().stdout;
    write(&identity, &[made, read(&identity).unwrap()].concat());
    let approved = world.approve("--policy").await.ends(0).says(&["is an earlier recipient of this home"]);
    assert!(!approved.err.contains("not that of this home"), "{}", approved.err);
    let exported = world.fetcher("export courier.tar --all").await.ends(0);
    assert!(!exported.err.contains(LOST), "{}", exported.err);
    let new = world.fetcher("keys recipient --json").await.ends(0).json()["recipient"].clone();
    assert_ne!(new, *old);
    write(&world.path("manifests/policy.toml"), format!("depot_recipient = {new}\n").as_bytes());
    world.approve("--policy").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world.applier("verify --stick stick").await.ends(0).says(&[new.as_str().unwrap()]);
    world.applier("receipts --copy-to stick --all").await.ends(0).says(&["3 statements copied"]);
    for stick in ["older", "stick"] {
        world.fetcher(&format!("collect --from {stick}")).await.ends(0).says(&["3 known"]);
    }
    // the new one alone opens what was written since, and nothing else
    let text = String::from_utf8(read(&identity).unwrap()).unwrap();
    let first = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    write(&identity, first.as_bytes());
    world.fetcher("collect --from stick").await.ends(0);
    world.fetcher("collect --from older").await.ends(5).says(&["encrypted to another recipient"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_identity_is_said_with_the_way_out() {
    let (world, recipient) = sealed().await;
    let identity = world.path("home/keys/depot-identity.txt");
    durable::rename(&identity, &world.path("away")).unwrap();
    let lost = format!("{LOST} {recipient}");
    let words = [&lost, WAY_OUT[0], WAY_OUT[1]];
    let loaded = world.fetcher("load --to stick --all").await.ends(0).says(&words);
    loaded.says(&["3 statements encrypted to a recipient for which this home has no identity"]);
    assert_eq!(names(&world, "stick").len(), 3);
    world.fetcher("export courier.tar --all").await.ends(0).says(&words);

    // a new one is made, and opens nothing of what is under way
    for _ in 0..2 {
        let shown = world.fetcher("keys recipient --json").await.ends(0).says(&words).json();
        assert_ne!(shown["recipient"], *recipient);
        assert_eq!(
            (&shown["signed_recipient"], &shown["signed_is"]),
            (&(*recipient).into(), &"foreign".into())
        );
    }
    world.approve("--policy").await.ends(0).says(&["is not that of this home"]);
    world.fetcher("load --to stick --all").await.ends(0).says(&words);
    let closed = world.fetcher("collect --from stick").await.ends(5);
    closed.says(&["3.json.age rejected: sealed statement is encrypted to another recipient", WAY_OUT[0]]);

    // the old one is brought back below it
    let both = [read(&identity).unwrap(), read(world.path("away")).unwrap()].concat();
    write(&identity, &both);
    let shown = world.fetcher("keys recipient --json").await.ends(0);
    assert!(!shown.err.contains(LOST), "{}", shown.err);
    assert_eq!(shown.json()["signed_is"], "earlier");
    let loaded = world.fetcher("load --to stick --all").await.ends(0);
    assert!(!loaded.err.contains(LOST), "{}", loaded.err);
    loaded.says(&["1 new statement, 2 known", "3 statements removed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_cannot_be_used_stops_no_stick() {
    let (world, _) = sealed().await;
    let identity = world.path("home/keys/depot-identity.txt");
    let whole = read(&identity).unwrap();
    create_dir(world.path("fresh")).unwrap();
    let stick = plug_mounted(&world, "sdy", "A1");
    let unusable: [(&[u8], u32, &[&str]); 2] = [
        (&whole, 0o644, &["mode 0644 lets others read it", "hint: chmod 600"]),
        (b"nothing\n", 0o600, &["it holds something else", "hint: bring the file back from a backup"]),
    ];
    for (bytes, mode, words) in unusable {
        write(&identity, bytes);
        set_permissions(&identity, Permissions::from_mode(mode)).unwrap();
        world.fetcher("load --to fresh --all").await.ends(0).says(words);
        world.fetcher("load --to stick --all").await.ends(0).says(words).says(&["3.json.age rejected"]);
        let served = run(&world, &[&stick], "fetcher", "station --all --once --any-stick", "true").await;
        served.ends(0).says(words).says(&["read back and verified"]);
    }
    assert_eq!(names(&world, "stick").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_from_before_gets_its_identity_and_one_that_others_can_read_is_refused() {
    let world = in_the_clear().await;
    let identity = world.path("home/keys/depot-identity.txt");
    std::fs::remove_file(&identity).unwrap();
    world.fetcher("collect --from stick").await.ends(0);
    world.fetcher("keys recipient").await.ends(0).says(&["depot_recipient = \"age1"]);
    assert_eq!(mode(&identity), 0o600);
    set_permissions(&identity, Permissions::from_mode(0o644)).unwrap();
    let open = world.fetcher("collect --from stick").await;
    open.fails(2, "depot identity that others can read", &["mode 0644 lets others read it", "chmod 600"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_opens_them() {
    let (world, _) = sealed().await;
    let stick = plug_mounted(&world, "sdy", "A1");
    let copy = "cp -r stick/COURIER mnt/A1";
    let served = run(&world, &[&stick, copy], "fetcher", "station --all --once", "true").await.ends(0);
    served.says(&["A1 sdy  1 new statement, 2 known"]);
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

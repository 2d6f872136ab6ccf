//! People who sign on different machines, keys that change, and keys that were stolen.

use std::fs::{copy, create_dir};

use journeys::programs::program;
use tokio::process::Command;

use crate::world::{RELEASE, World, write};

/// A depot at which two of three have to approve: its own approver, Kim and Lee.
async fn with_three_approvers() -> World {
    let world = World::new().await;
    create_dir(world.path("keys")).unwrap();
    world.fetcher("init --offline-keys keys --passphrase-file pass.txt").await.ends(0);
    for name in ["kim", "lee"] {
        let key = world.fetcher(&format!("keys new {name} --unencrypted --json")).await.ends(0).json();
        let fingerprint = key["fingerprint"].as_str().unwrap();
        let add = format!("root add-key targets {name}.pub --fingerprint {fingerprint}");
        root(&world, &add).await.ends(0);
    }
    let raised = root(&world, "root threshold targets 2 --json").await.ends(0).json();
    assert_eq!((&raised["published"], &raised["standing"][1]["met"]), (&false.into(), &false.into()));
    sign(&world, "kim.pem").await.ends(0);
    let shown = world.fetcher("root show").await.ends(0);
    assert!(shown.out.contains("targets    2 of 3 keys"), "{}", shown.out);
    world.release("V4.61.025:230421", &[crate::world::MODEL]);
    world.pin(RELEASE).await.ends(0);
    world
}

async fn root(world: &World, args: &str) -> journeys::ran::Ran {
    world.fetcher(&format!("{args} --keys keys --passphrase-file pass.txt --yes")).await
}

/// The fingerprint of the depot's root, as a person there reads it out.
async fn fingerprint(world: &World) -> String {
    let root = world.fetcher("root show --json").await.ends(0).json();
    root["fingerprint"].as_str().unwrap().to_owned()
}

/// Carries what is open to a machine that is no depot, has it signed there, and brings it back.
async fn sign(world: &World, key: &str) -> journeys::ran::Ran {
    copy(world.path("home/publication/signing-event.json"), world.path("carried.json")).unwrap();
    let elsewhere = Command::new(program("fetcher"))
        .args(["--home", "no-depot", "sign", "carried.json", "--yes", "--key", key])
        .args(["--root-fingerprint", &fingerprint(world).await])
        .current_dir(world.path("."))
        .output()
        .await
        .unwrap();
    assert!(elsewhere.status.success(), "{}", String::from_utf8_lossy(&elsewhere.stderr));
    world.fetcher("sign carried.json").await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_approve_on_different_machines() {
    let world = with_three_approvers().await;
    let approve = format!("approve {RELEASE}");
    let begun = root(&world, &approve).await.ends(0);
    assert!(begun.out.contains("targets signed by 1 of 2 approvers"), "{}", begun.out);
    assert!(
        world.fetcher("status").await.ends(0).out.contains("waiting for signatures: targets signed by 1")
    );
    world.fetcher("load --to stick --all").await.ends(0);
    world.trust().await;
    let refused = world.apply("").await.ends(4);
    assert!(refused.err.contains("no release of this publication"), "one of two is nothing: {}", refused.err);
    root(&world, &approve).await.ends(4);
    root(&world, "root renew").await.ends(4);

    sign(&world, "lee.pem").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world.apply("").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_prepared_is_signed_by_those_who_may_and_as_it_was_prepared() {
    let world = with_three_approvers().await;
    world.fetcher(&format!("approve {RELEASE} --stage --yes")).await.ends(0);
    copy(world.path("home/publication/signing-event.json"), world.path("carried.json")).unwrap();
    world.fetcher("sign carried.json --key keys/root.pem --passphrase-file pass.txt --yes").await.ends(2);
    sign(&world, "kim.pem").await.ends(0);

    // somebody on the way exchanges the digest: no signature that is there fits it
    let text = std::fs::read_to_string(world.path("carried.json")).unwrap();
    let event: serde_json::Value = serde_json::from_str(&text).unwrap();
    let name = format!("{RELEASE}/digicap.dav");
    let digest =
        event["proposed"]["targets"]["signed"]["targets"][&name]["hashes"]["sha256"].as_str().unwrap();
    write(&world.path("carried.json"), text.replace(digest, &"0".repeat(64)).as_bytes());
    let exchanged = world.fetcher("sign carried.json --key lee.pem --yes").await.ends(4);
    assert!(exchanged.err.contains("something else than the event that is open here"), "{}", exchanged.err);
    for (bytes, code) in [(b"{}".as_slice(), 5), (b"\xff", 5), (b"", 5)] {
        write(&world.path("carried.json"), bytes);
        world.fetcher("sign carried.json").await.ends(code);
    }
    world.fetcher("sign none.json").await.ends(2);

    sign(&world, "lee.pem").await.ends(0);
    let again = world.fetcher("sign carried.json").await.ends(4);
    assert!(again.err.contains("published already"), "{}", again.err);
    // and what nobody wants any more is dropped
    root(&world, &format!("withdraw {RELEASE}")).await.ends(0);
    world.fetcher("sign --discard --yes").await.ends(0);
    assert!(world.fetcher("sign --discard --yes").await.ends(0).out.contains("nothing is open"));
    root(&world, "root renew").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_read_by_the_second_approver_before_it_is_signed() {
    let world = with_three_approvers().await;
    write(&world.path("manifests/policy.toml"), b"forbidden_overrides = [\"allow-downgrade\"]\n");
    root(&world, "approve --policy").await.ends(0);
    copy(world.path("home/publication/signing-event.json"), world.path("carried.json")).unwrap();
    let elsewhere = world.run(&[], "fetcher", "sign carried.json --key lee.pem --yes").await.ends(0);
    assert!(elsewhere.out.contains("forbidden overrides  --allow-downgrade"), "{}", elsewhere.out);
    world.fetcher("load --to stick --metadata-only").await.ends(0);
    world.trust().await;
    assert!(world.applier("verify --stick stick").await.ends(0).out.contains("policy"));
}

/// Runs `fetcher` with another home; there may be none.
async fn at(home: &str, world: &World, args: &str) -> std::process::Output {
    Command::new(program("fetcher"))
        .args(["--home", home, "--manifests", "manifests"])
        .args(args.split_whitespace())
        .current_dir(world.path("."))
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_under_a_root_of_somebody_else_is_found_out_by_its_fingerprint() {
    let world = with_three_approvers().await;
    // whoever has taken over the depot shows Kim firmware that nobody approved as approved before
    for args in [
        "init --unencrypted",
        "root add-key targets kim.pub --yes",
        &format!("pin {RELEASE} --yes"),
        &format!("approve {RELEASE} --yes"),
        "approve --renew --stage",
    ] {
        let ran = at("evil", &world, args).await;
        assert!(ran.status.success(), "{args}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    copy(world.path("evil/publication/signing-event.json"), world.path("carried.json")).unwrap();
    let fingerprint = fingerprint(&world).await;
    let sign = "sign carried.json --key kim.pem --yes";
    let before = std::fs::read(world.path("carried.json")).unwrap();
    let refused = at("no-depot", &world, &format!("{sign} --root-fingerprint {fingerprint}")).await;
    let words = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(5), "{words}");
    assert!(words.contains(&format!("expected {fingerprint}; nothing was signed")), "{words}");
    assert_eq!(std::fs::read(world.path("carried.json")).unwrap(), before);
    // who does not give it signs nothing, and is told what to ask for
    let unknown = at("no-depot", &world, sign).await;
    let words = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(2), "{words}");
    assert!(
        words.contains("as the depot reads it to you") && words.contains("--root-fingerprint HEX"),
        "{words}"
    );
    assert_eq!(std::fs::read(world.path("carried.json")).unwrap(), before);

    root_is_right(&world, &fingerprint).await;
}

/// The same approver, with a file of the true depot.
async fn root_is_right(world: &World, fingerprint: &str) {
    world.fetcher(&format!("approve {RELEASE} --stage")).await.ends(0);
    copy(world.path("home/publication/signing-event.json"), world.path("carried.json")).unwrap();
    let sign =
        format!("sign carried.json --key kim.pem --yes --root-fingerprint {}", fingerprint.to_uppercase());
    let signed = at("no-depot", world, &sign).await;
    let words = String::from_utf8(signed.stderr).unwrap();
    assert!(signed.status.success() && !words.contains("warning"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dropped_is_not_published_by_a_copy_that_comes_back() {
    let world = with_three_approvers().await;
    root(&world, &format!("approve {RELEASE}")).await.ends(0);
    copy(world.path("home/publication/signing-event.json"), world.path("carried.json")).unwrap();
    let sign =
        format!("sign carried.json --key lee.pem --yes --root-fingerprint {}", fingerprint(&world).await);
    assert!(at("no-depot", &world, &sign).await.status.success());
    world.fetcher("sign --discard --yes").await.ends(0);
    let asked = world.fetcher("sign carried.json").await.ends(2);
    assert!(asked.err.contains("not open at this depot"), "{}", asked.err);
    assert!(world.fetcher("status").await.ends(0).out.contains("0 releases approved"));
    world.fetcher("sign carried.json --yes").await.ends(0);
    assert!(world.fetcher("status").await.ends(0).out.contains("1 release approved"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_refused_leaves_no_key_behind() {
    let world = World::new().await;
    create_dir(world.path("keys")).unwrap();
    world.fetcher("init --offline-keys keys --passphrase-file pass.txt").await.ends(0);
    let before = crate::world::files(&world.path("."));
    for role in ["timestamp", "targets"] {
        let refused =
            world.fetcher(&format!("root rotate {role} --passphrase-file pass.txt --yes")).await.ends(2);
        assert!(refused.err.contains("nothing to sign with"), "{}", refused.err);
    }
    assert_eq!(crate::world::files(&world.path(".")), before);
    root(&world, "root rotate timestamp").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_follows_every_key_to_its_successor() {
    let world = World::loaded().await;
    world.applier("verify --stick stick").await.ends(0);
    for role in ["timestamp", "snapshot", "root", "targets"] {
        let rotate = format!("root rotate {role} --passphrase-file pass.txt --yes");
        world.fetcher(&rotate).await.ends(0);
        world.fetcher("load --to stick --all").await.ends(0);
        let verified = world.applier("verify --stick stick").await.ends(0);
        assert!(verified.out.contains("1 release carried and whole"), "{role}: {}", verified.out);
    }
    let shown = world.fetcher("root show --json").await.ends(0).json();
    assert_eq!(shown["version"], 5);
    world.fetcher("approve --renew --passphrase-file pass.txt --yes").await.ends(0);
    world.fetcher("load --to stick --all").await.ends(0);
    world.apply("").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unattended_keys_may_come_from_the_service_manager() {
    let world = World::loaded().await;
    create_dir(world.path("credentials")).unwrap();
    for key in ["snapshot", "timestamp"] {
        let (from, to) = (format!("home/keys/{key}.pem"), format!("credentials/{key}.pem"));
        copy(world.path(&from), world.path(&to)).unwrap();
        std::fs::remove_file(world.path(&from)).unwrap();
    }
    let due = ["faketime", "-f", "+20d"];
    let gone = world.run(&due, "fetcher", "load --to stick --all").await.ends(2);
    assert!(gone.err.contains("fetcher root rotate snapshot"), "{}", gone.err);
    let with = format!("CREDENTIALS_DIRECTORY={}", world.path("credentials").display());
    world.run(&["env", &with, "faketime", "-f", "+20d"], "fetcher", "load --to stick --all").await.ends(0);
    world.run(&due, "applier", "verify --stick stick").await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_change_nothing() {
    let world = World::loaded().await;
    world.fetcher("keys new kim --unencrypted").await.ends(0);
    let before = world.fetcher("root show --json").await.ends(0).json();
    for (args, code, says) in [
        ("root add-key timestamp kim.pub", 2, "signs unattended"),
        ("root add-key targets none.pub", 2, "none.pub"),
        ("root add-key targets kim.pem", 2, "kim.pem"),
        ("root add-key targets kim.pub --fingerprint 00", 5, "expected 00"),
        ("root add-key targets home/keys/targets.pub", 2, "already"),
        ("root add-key targets home/keys/timestamp.pub", 2, "unattended"),
        ("root threshold targets 2", 2, "threshold"),
        ("root threshold targets 0", 2, "threshold"),
        ("root remove-key targets 0123456789", 2, "does not name one key"),
        ("root rotate root --replace 0123456789", 2, "does not name one key"),
        ("root renew --keys stick", 2, "nothing to sign with"),
        ("root renew --key kim.pem", 2, "not asked for"),
        ("approve --renew --key kim.pem", 2, "not asked for"),
        ("keys new kim --unencrypted", 2, "is not replaced"),
        ("keys new ../kim --unencrypted", 2, "key name"),
    ] {
        let yes = if args.starts_with("keys") { "" } else { "--passphrase-file pass.txt --yes" };
        let ran = world.fetcher(&format!("{args} {yes}")).await.ends(code);
        assert!(ran.err.contains(says), "{args}: {}", ran.err);
    }
    assert_eq!(world.fetcher("root show --json").await.ends(0).json(), before);
    assert!(!world.path("home/publication/signing-event.json").exists());
    let only = before["roles"][3]["keys"][0].as_str().unwrap();
    let removed = format!("root remove-key targets {only} --passphrase-file pass.txt --yes");
    assert!(world.fetcher(&removed).await.ends(4).err.contains("only key"));
}

use std::time::Duration;

use firmware::Sha256Digest;
use nvr_sim::{Counters, Faults, Handle, Package, Stage};

use crate::{Transfer, ask, builder, dav, faulty, push, put};

fn sub_status(answer: &Transfer) -> &str {
    answer.node("subStatusCode")
}

async fn reboot(recorder: &Handle) -> Transfer {
    put(recorder, "System/reboot").await
}

#[tokio::test]
async fn package_is_taken_flashed_and_runs_after_the_reboot() {
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 3_000_000);
    let recorder = faulty(Faults { stall: true, ..Faults::default() }).await;

    let meanwhile = async {
        recorder.until(|state| state.stage == Stage::Flashing).await;
        let status = ask(&recorder, "right", "System/upgradeStatus").await;
        let second = push(&recorder, &file).await;
        let early = reboot(&recorder).await;
        recorder.set_faults(Faults::default());
        (status, second, early)
    };
    let (first, (status, second, early)) = tokio::join!(push(&recorder, &file), meanwhile);

    assert!(status.text.contains("<upgrading>true</upgrading>\n<percent>99</percent>"), "{status:?}");
    assert_eq!((second.status, sub_status(&second)), (200, "upgrading"));
    assert_eq!((early.status, sub_status(&early)), (200, "upgrading"));
    assert_eq!((first.status, sub_status(&first)), (200, "rebootRequired"));
    let done = ask(&recorder, "right", "System/upgradeStatus").await;
    assert!(done.text.contains("<percent>100</percent>\n<reboot>true</reboot>"), "{done:?}");
    let before = ask(&recorder, "right", "System/deviceInfo").await;
    assert!(before.text.contains("<firmwareVersion>V4.30.097<"), "still the old one: {before:?}");

    let answer = reboot(&recorder).await;
    assert_eq!((answer.status, sub_status(&answer)), (200, "ok"));
    let state = recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    assert_eq!(state.revision.to_string(), "V4.61.025 build 230421");
    let after = ask(&recorder, "right", "System/deviceInfo").await;
    assert!(after.text.contains("<firmwareVersion>V4.61.025<"), "{after:?}");
    let realm = after.text.split("realm=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(realm, realm.to_ascii_lowercase());

    let bytes = std::fs::read(&file).unwrap();
    let Counters { pushes, bodies, bytes: taken, .. } = state.counters;
    assert_eq!((pushes, bodies, taken), (2, 2, 6_000_000));
    assert_eq!(state.last_package, Some(Package { size: 3_000_000, sha256: Sha256Digest::of(&bytes) }));
}

#[tokio::test]
async fn percentage_moves_on_another_connection_and_100_means_done() {
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 5000);
    let mut recorder = builder();
    recorder.flash = Duration::from_secs(1);
    let recorder = recorder.start().await.unwrap();
    let percent = async || {
        let status = ask(&recorder, "right", "System/upgradeStatus").await;
        let (_, after) = status.text.split_once("<percent>").unwrap();
        after.split('<').next().unwrap().parse::<u8>().unwrap()
    };
    let watch = async {
        let mut seen = vec![percent().await];
        while seen.last() != Some(&100) {
            seen.push(percent().await);
        }
        seen
    };
    let (pushed, seen) = tokio::join!(push(&recorder, &file), watch);
    assert_eq!(sub_status(&pushed), "rebootRequired");
    assert!(seen.is_sorted() && seen.iter().any(|percent| (1..=99).contains(percent)), "{seen:?}");
}

#[tokio::test]
async fn reboot_without_an_upgrade_changes_nothing() {
    let recorder = faulty(Faults::default()).await;
    assert_eq!(sub_status(&reboot(&recorder).await), "ok");
    let state = recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    assert_eq!(state.revision.to_string(), "V4.30.097 build 200101");
}

#[tokio::test]
async fn refusal_comes_under_the_status_asked_for_and_leaves_the_recorder_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 5000);
    let recorder = faulty(Faults { refuse: Some("badDevType".into()), ..Faults::default() }).await;
    let refused = push(&recorder, &file).await;
    assert_eq!((refused.status, sub_status(&refused)), (403, "badDevType"));
    assert!(refused.text.contains("Upgrade capability mismatch"), "{refused:?}");
    recorder.set_faults(Faults {
        refuse: Some("badLanguage".into()),
        refuse_status: Some(200),
        ..Faults::default()
    });
    let refused = push(&recorder, &file).await;
    assert_eq!((refused.status, sub_status(&refused)), (200, "badLanguage"));
    recorder.set_faults(Faults {
        refuse: Some("badLanguage".into()),
        refuse_code: Some(4),
        refuse_text: Some("Invalid Format".into()),
        ..Faults::default()
    });
    let refused = push(&recorder, &file).await;
    assert_eq!(
        (refused.node("statusCode"), refused.node("statusString"), sub_status(&refused)),
        ("4", "Invalid Format", "badLanguage")
    );
    for (busy_status, expected) in [(None, 200), (Some(503), 503)] {
        recorder.set_faults(Faults { busy: true, busy_status, ..Faults::default() });
        let busy = push(&recorder, &file).await;
        assert_eq!((busy.status, busy.node("statusCode"), sub_status(&busy)), (expected, "2", "upgrading"));
    }
    let state = recorder.state();
    assert_eq!((state.stage, state.counters.bodies), (Stage::Idle, 5));
}

#[tokio::test]
async fn what_is_no_container_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let recorder = faulty(Faults::default()).await;
    let file = dav(directory.path(), 5000);
    let mut damaged = std::fs::read(&file).unwrap();
    damaged[0x40] ^= 1;
    for (bytes, code) in [
        (&b"PK\x03\x04 and so on"[..], "fileError"),
        (&damaged[..], "badUpgradePackage"),
        (&[0; 100], "badUpgradePackage"),
        (b"", "badUpgradePackage"),
    ] {
        std::fs::File::create(&file)
            .and_then(|mut file| std::io::Write::write_all(&mut file, bytes))
            .unwrap();
        let refused = push(&recorder, &file).await;
        assert_eq!((refused.status, sub_status(&refused)), (403, code), "{refused:?}");
    }
    assert_eq!(recorder.state().stage, Stage::Idle);
}

#[tokio::test]
async fn connection_cut_in_the_middle_leaves_the_old_firmware() {
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 4_000_000);
    let recorder = faulty(Faults { cut_after: Some(1_000_000), ..Faults::default() }).await;
    let cut = push(&recorder, &file).await;
    assert!(!cut.ended_well && !cut.text.contains("HTTP/1.1 200"), "{cut:?}");
    let state = recorder.until(|state| state.stage == Stage::Idle).await;
    let Counters { pushes, bodies, bytes, reboots, .. } = state.counters;
    assert_eq!((pushes, bodies, reboots), (1, 0, 0));
    assert!((1_000_000..4_000_000).contains(&bytes), "{bytes}");
    assert_eq!(state.revision.to_string(), "V4.30.097 build 200101");
}

#[tokio::test]
async fn connection_cut_at_the_end_is_followed_by_the_new_firmware() {
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 5000);
    let recorder = faulty(Faults { cut_at_end: true, ..Faults::default() }).await;
    let cut = push(&recorder, &file).await;
    assert!(!cut.ended_well && !cut.text.contains("HTTP/1.1 200"), "{cut:?}");
    let state = recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    assert_eq!((state.counters.bodies, state.revision.to_string().as_str()), (1, "V4.61.025 build 230421"));
}

#[tokio::test]
async fn a_large_package_arrives_byte_by_byte_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 32 << 20);
    let recorder = faulty(Faults::default()).await;
    assert_eq!(sub_status(&push(&recorder, &file).await), "rebootRequired");
    let sha256 = Sha256Digest::of(&std::fs::read(&file).unwrap());
    assert_eq!(recorder.state().last_package, Some(Package { size: 32 << 20, sha256 }));
}

use std::time::Duration;

use nvr_sim::{Faults, Handle, Stage, Verdict, WhileFlashing};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::{Transfer, dav, faulty, get, push, put, raw, start};

async fn upgrade(recorder: &Handle) -> Transfer {
    let directory = TempDir::new().unwrap();
    push(recorder, &dav(directory.path(), 5000)).await
}

/// Upgrades and reboots; what it says of itself when it is back.
async fn upgraded(recorder: &Handle) -> Transfer {
    upgrade(recorder).await;
    put(recorder, "System/reboot").await;
    recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    get(recorder, "System/deviceInfo").await
}

#[tokio::test]
async fn success_is_said_in_four_ways() {
    for (verdict, code, sub) in [
        (Verdict::RebootRequired, "7", "rebootRequired"),
        (Verdict::AutoReboot, "7", "autoReboot"),
        (Verdict::Ok, "1", "ok"),
        (Verdict::Zero, "0", "ok"),
    ] {
        let recorder = faulty(Faults { verdict, ..Faults::default() }).await;
        let taken = upgrade(&recorder).await;
        assert_eq!((taken.status, taken.node("statusCode"), taken.node("subStatusCode")), (200, code, sub));
        assert_eq!(recorder.state().counters.reboots, 0);
    }
}

#[tokio::test]
async fn it_reboots_by_itself_once_the_verdict_is_out() {
    let recorder = faulty(Faults { reboots_itself: true, ..Faults::default() }).await;
    assert_eq!(upgrade(&recorder).await.node("subStatusCode"), "rebootRequired");
    let state = recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    assert_eq!(
        (state.revision.to_string().as_str(), state.counters.reboot_requests),
        ("V4.61.025 build 230421", 0)
    );
}

#[tokio::test]
async fn it_refuses_to_reboot() {
    let recorder = faulty(Faults { refuse_reboot: Some("lowPrivilege".into()), ..Faults::default() }).await;
    let refused = put(&recorder, "System/reboot").await;
    assert_eq!((refused.status, refused.node("subStatusCode")), (403, "lowPrivilege"));
    let counters = recorder.state().counters;
    assert_eq!((counters.reboot_requests, counters.reboots), (1, 0));
}

#[tokio::test]
async fn it_comes_back_older_or_as_another_recorder() {
    let faults = Faults {
        back_as: Some("V4.22.000:180101".parse().unwrap()),
        back_serial: Some("DS-7608NI-I20120200101CCRRE99999999WCVU".parse().unwrap()),
        ..Faults::default()
    };
    let recorder = faulty(faults).await;
    let back = upgraded(&recorder).await;
    assert_eq!(back.node("firmwareVersion"), "V4.22.000");
    assert_eq!(back.node("firmwareReleasedDate"), "build 180101");
    assert_eq!(back.node("serialNumber"), recorder.serial().as_str());
    assert!(recorder.serial().as_str().contains("E99999999"));
}

#[tokio::test]
async fn it_comes_back_at_another_address() {
    let recorder =
        faulty(Faults { back_at: Some("127.0.0.1:0".parse().unwrap()), ..Faults::default() }).await;
    let before = recorder.address();
    let back = upgraded(&recorder).await;
    assert!(back.status == 200 && recorder.address() != before, "{back:?}");
    assert!(TcpStream::connect(before).await.is_err());
    assert_eq!(recorder.state().faults.back_at, None, "it stays there");
}

#[tokio::test]
async fn a_reboot_takes_its_time() {
    let recorder = start(|recorder| recorder.down = Duration::from_secs(3600)).await;
    put(&recorder, "System/reboot").await;
    while TcpStream::connect(recorder.address()).await.is_ok() {}
    assert_eq!(recorder.state().stage, Stage::Down);
}

#[tokio::test]
async fn it_stays_down_while_that_is_wanted() {
    let recorder = faulty(Faults { never_back: true, ..Faults::default() }).await;
    put(&recorder, "System/reboot").await;
    recorder.until(|state| state.stage == Stage::Down).await;
    // the listener goes a moment after the state: wait for the refusal itself
    while TcpStream::connect(recorder.address()).await.is_ok() {}
    assert_eq!(recorder.state().stage, Stage::Down);
    recorder.set_faults(Faults::default());
    recorder.until(|state| state.stage == Stage::Idle).await;
    assert_eq!(get(&recorder, "System/deviceInfo").await.status, 200);
}

#[tokio::test]
async fn while_it_flashes_it_may_be_silent() {
    let recorder =
        faulty(Faults { while_flashing: WhileFlashing::Silent, stall: true, ..Faults::default() }).await;
    let meanwhile = async {
        recorder.until(|state| state.stage == Stage::Flashing).await;
        let mut stream = raw(&recorder, "GET /ISAPI/System/upgradeStatus").await;
        recorder.until(|state| state.counters.requests_of("GET /ISAPI/System/upgradeStatus") == 1).await;
        assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        recorder.set_faults(Faults { while_flashing: WhileFlashing::Silent, ..Faults::default() });
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    };
    let (taken, ()) = tokio::join!(upgrade(&recorder), meanwhile);
    assert_eq!(taken.node("subStatusCode"), "rebootRequired");
    assert_eq!(get(&recorder, "System/upgradeStatus").await.status, 200);
}

#[tokio::test]
async fn the_old_version_may_answer_while_the_new_one_is_written() {
    let unseen = |stall| Faults { while_flashing: WhileFlashing::Unseen, stall, ..Faults::default() };
    let recorder = faulty(unseen(true)).await;
    let cut = upgrade(&recorder).await;
    assert!(!cut.ended_well && !cut.text.contains("HTTP/1.1 200"), "{cut:?}");
    recorder.until(|state| state.stage == Stage::Flashing).await;
    assert_eq!(get(&recorder, "System/deviceInfo").await.node("firmwareVersion"), "V4.30.097");
    let status = get(&recorder, "System/upgradeStatus").await;
    assert_eq!((status.node("upgrading"), status.node("percent")), ("false", "0"));
    recorder.set_faults(unseen(false));
    let state = recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    assert_eq!(state.revision.to_string(), "V4.61.025 build 230421");
}

#[tokio::test]
async fn an_idle_recorder_may_not_know_its_status() {
    for status in [403, 404] {
        let recorder = faulty(Faults { idle_status: Some(status), ..Faults::default() }).await;
        let idle = get(&recorder, "System/upgradeStatus").await;
        assert_eq!((idle.status, idle.node("subStatusCode")), (status, "notSupport"));
        upgrade(&recorder).await;
        assert_eq!(get(&recorder, "System/upgradeStatus").await.node("percent"), "100");
    }
    let recorder = faulty(Faults { idle_percent: Some(100), ..Faults::default() }).await;
    let idle = get(&recorder, "System/upgradeStatus").await;
    assert_eq!((idle.node("upgrading"), idle.node("percent")), ("false", "100"));
}

#[tokio::test]
async fn uptime_falls_with_a_reboot_and_with_nothing_else() {
    let recorder = start(|recorder| recorder.content.uptime_seconds = 5000).await;
    let uptime = async || get(&recorder, "System/status").await.node("deviceUpTime").parse::<u64>().unwrap();
    assert!(uptime().await >= 5000);
    upgrade(&recorder).await;
    assert!(uptime().await >= 5000);
    recorder.reboot();
    recorder.until(|state| state.counters.reboots == 1 && state.stage == Stage::Idle).await;
    assert!(uptime().await < 5000);
}

//! A camera has to be told to restart after an import; a recorder restarts by itself (reference: ISAPI §6).

use super::*;

async fn camera() -> Bench {
    bench_with(|builder| builder.profile = Profile::Camera).await
}

#[tokio::test]
async fn a_camera_is_told_to_restart_once() {
    let bench = camera().await;
    let (steps, outcome) = bench.run().await;
    assert_eq!(outcome.result, RestoreResult::Restored, "{}", outcome.detail);
    let counters = bench.sim.state().counters;
    assert_eq!((counters.restores, counters.reboot_requests, counters.reboots), (1, 1, 1));
    assert_eq!(steps.last(), Some(&Step::Ended(RestoreResult::Restored)));
    assert!(outcome.detail.starts_with("camera took the configuration"), "{}", outcome.detail);
}

#[tokio::test]
async fn a_camera_that_does_not_agree_is_not_restored() {
    let bench = camera().await;
    bench.sim.set_faults(Faults { refuse_reboot: Some("lowPrivilege".into()), ..Faults::default() });
    let (_, outcome) = bench.run().await;
    assert_eq!(
        (outcome.result, outcome.reason),
        (RestoreResult::UnknownAfterRestore, Reason::NeverRestarted)
    );
    assert!(outcome.detail.contains("did not agree to restart (lowPrivilege: "), "{}", outcome.detail);
}

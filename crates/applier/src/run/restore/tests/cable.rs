//! A cable that is pulled and put back: only the uptime tells that from a restart.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::presence::moment::Moment;

/// Where the recorder is reached while the cable is plugged in.
struct Cable {
    here: SocketAddr,
    there: SocketAddr,
    passing: Option<JoinHandle<()>>,
}

impl Cable {
    /// One that is not plugged in.
    async fn to(there: SocketAddr) -> Self {
        let here = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        Self { here, there, passing: None }
    }

    fn plug_in(&mut self) {
        let there = self.there;
        let listener = std::net::TcpListener::bind(self.here).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        self.passing = Some(tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut there = TcpStream::connect(there).await.unwrap();
                    let _ = copy_bidirectional(&mut here, &mut there).await;
                });
            }
        }));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.passing.as_ref().inspect(|passing| passing.abort());
    }
}

#[tokio::test]
async fn a_recorder_that_was_only_unplugged_is_not_restored() {
    for restarts in [false, true] {
        let bench = bench_with(|builder| builder.down = Duration::ZERO).await;
        let mut cable = Cable::to(bench.sim.address()).await;
        let address: Address = cable.here.to_string().parse().unwrap();
        let behind = Recorder::new(address, Credentials::new("admin", PASSWORD.into())).unwrap();
        let gone = |event: &Event| {
            if matches!(event, Event::Stage { stage: Stage::Rebooting }) {
                if restarts {
                    bench.sim.reboot();
                }
                cable.plug_in();
            }
        };
        let end = bench.wait(&behind, Reboot::Due, gone).await;
        let expected = if restarts { Reason::Restored } else { Reason::NeverRestarted };
        assert_eq!(end.reason, expected, "{}", end.detail);
        assert_eq!(end.detail.contains("it was gone and answers as before"), !restarts, "{}", end.detail);
    }
}

#[tokio::test]
async fn a_recorder_that_tells_no_uptime_is_not_believed_to_have_restarted() {
    let bench = bench_with(|builder| builder.content.missing = vec!["/ISAPI/System/status".into()]).await;
    let (_, outcome) = bench.run().await;
    assert_eq!(
        (outcome.result, outcome.reason, bench.sim.state().counters.reboots),
        (RestoreResult::UnknownAfterRestore, Reason::NeverRestarted, 1)
    );
}

#[test]
fn an_uptime_proves_a_restart_by_what_it_must_be_without_one() {
    let at = |boot: u64| Moment { boot: Duration::from_secs(boot), awake: Duration::from_secs(boot) };
    let running = Running { seconds: 20, at: Some(at(1000)) };
    assert!(running.has_restarted(19, false, at(1001)), "less than before");
    assert!(!running.has_restarted(20, false, at(1300)), "a counter that stands still");
    assert!(running.has_restarted(200, true, at(1300)));
    // seconds are whole, and two clocks are never quite alike
    assert!(!running.has_restarted(319, true, at(1300)) && !running.has_restarted(316, true, at(1300)));
    let pushed = Running { at: None, ..running };
    assert!(!pushed.has_restarted(20, true, at(1300)));
}

use std::time::Duration;

use firmware::Device;
use tokio::time::{Instant, sleep};

use super::ledger::Ledger;
use super::{Going, chain};
use crate::event::Event;
use crate::stage::Stage;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Any identity.
    Answers,
    /// Another identity than before, or the same after the recorder was gone.
    Restarted,
    /// Another identity than before. A recorder that was gone may only have been unplugged.
    Changed,
}

/// What came of waiting.
pub(super) enum Back {
    /// The identity that answers.
    Answered(Device),
    /// It refuses the login; no other is sent.
    LoginRefused(String),
    /// It does not answer, and how it does not.
    Not(String),
}

/// Silence is told after this and then as often.
const SILENCE: u64 = 10;

impl Going<'_> {
    /// Asks for the identity, with a fresh challenge each time, until it is what is waited for or
    /// `limit` is over; then with what was read last. An upgrade that is said to be under way is
    /// waited for, too.
    pub(super) async fn wait_for(self, ledger: &mut Ledger<'_>, until: Until, limit: Duration) -> Back {
        let back = self.poll(ledger, until, limit).await;
        if let Back::Answered(device) = &back {
            ledger.note(&Event::Read { device: Box::new(device.clone()) });
        }
        back
    }

    async fn poll(self, ledger: &mut Ledger<'_>, until: Until, limit: Duration) -> Back {
        let began = Instant::now();
        let (mut heard, mut silent, mut gone) = (began, 0, false);
        let mut last = Back::Not("no answer yet".into());
        while began.elapsed() < limit {
            match self.recorder.device_info().await {
                Ok(device) => {
                    (heard, silent) = (Instant::now(), 0);
                    let before = &self.plan.device;
                    let same = device.serial == before.serial && device.revision == before.revision;
                    let enough = match until {
                        Until::Answers => true,
                        Until::Restarted => !same || gone && !self.is_upgrading().await,
                        Until::Changed => !same,
                    };
                    if enough {
                        return Back::Answered(device);
                    }
                    last = Back::Answered(device);
                }
                Err(error) if error.is_login() => return Back::LoginRefused(chain(&error)),
                Err(error) => {
                    if error.is_absence() && until != Until::Answers && !gone {
                        gone = true;
                        ledger.go(Stage::go_down);
                    }
                    last = Back::Not(chain(&error));
                    let seconds = heard.elapsed().as_secs();
                    if seconds >= silent + SILENCE {
                        silent = seconds;
                        ledger.note(&Event::Silent { seconds });
                    }
                }
            }
            // a restart that is told to begin now must not fall between two looks
            let hurry = until == Until::Restarted && !gone;
            sleep(if hurry { self.deadlines.poll / 8 } else { self.deadlines.poll }).await;
        }
        last
    }

    async fn is_upgrading(self) -> bool {
        matches!(self.recorder.upgrade_status().await, Ok(Some(status)) if status.in_progress())
    }
}

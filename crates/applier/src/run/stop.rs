use std::cell::Cell;

use tokio::sync::watch;

use super::job::Payload;
use super::ledger::Ledger;
use super::{End, Going};
use crate::event::{Event, Outcome, Reason};
use crate::stage::Stage;

/// Somebody wants the program to end.
///
/// Before anything was sent once is enough. After that the first time is answered with a warning, and it
/// takes a second: an upload is then broken off, whose last block is still here and which the recorder
/// throws away; what comes after it goes on in the recorder whether somebody watches or not.
pub struct Stop<'a> {
    asked: watch::Receiver<u32>,
    /// How often it was asked for when that was last looked at.
    heard: u32,
    warn: &'a dyn Fn(Stage),
}

impl<'a> Stop<'a> {
    /// `asked` is how often it was asked for; `warn` tells of what that would do at a stage.
    pub fn new(asked: watch::Receiver<u32>, warn: &'a dyn Fn(Stage)) -> Self {
        Self { asked, heard: 0, warn }
    }

    /// What `work` gives, or `None` if it was stopped and is dropped.
    pub(super) async fn or_end_of<T>(
        &mut self,
        stage: &Cell<Stage>,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        self.unless_asked(stage, false, work).await
    }

    /// The same after a warning: once is enough.
    async fn unless_asked<T>(
        &mut self,
        stage: &Cell<Stage>,
        warned: bool,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = self.meant(stage, warned) => None,
        }
    }

    /// Returns once it was asked for and is meant.
    async fn meant(&mut self, stage: &Cell<Stage>, mut warned: bool) {
        let Self { asked, heard, warn } = self;
        while let Ok(now) = asked.wait_for(|asked| *asked > *heard).await.map(|asked| *asked) {
            let before = std::mem::replace(heard, now);
            if warned || !stage.get().has_begun() || now > before + 1 {
                return;
            }
            warned = true;
            warn(stage.get());
        }
        // nobody can ask any more
        std::future::pending::<()>().await;
    }
}

impl Going<'_> {
    /// Ends a run whose work was dropped, or leaves it.
    pub(super) async fn stopped(
        self,
        mut ledger: Ledger<'_>,
        stage: &Cell<Stage>,
        stop: &mut Stop<'_>,
    ) -> Outcome {
        match stage.get() {
            Stage::Planned | Stage::BackedUp => {
                let detail = "stopped before anything was sent";
                return ledger.end(End::new(Stage::fail, Reason::Interrupted, detail));
            }
            Stage::Uploading => {
                let how = "upload broken off before its last block";
                let handed = ledger.handed();
                ledger.note(&Event::Uploaded { handed, released: false, answer: None, how: how.into() });
                let reading = Box::pin(self.untouched(&mut ledger, Reason::Interrupted, how.into()));
                if let Some(end) = stop.unless_asked(stage, true, reading).await {
                    return ledger.end(end);
                }
            }
            _ => {}
        }
        let why = "the program was asked to end";
        match self.job.payload {
            Payload::Firmware => ledger.leave(why),
            // nothing takes it up again: a person looks at the recorder
            Payload::Configuration => {
                let detail = format!("{why} while the {} was being watched", self.job.before.noun());
                ledger.end(End::new(Stage::lose_sight, Reason::Interrupted, detail))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The stages of which was warned, and whether it was stopped; `asked` is what comes in, one after
    /// the other.
    async fn stopped(at: Stage, asked: &[u32]) -> (Vec<Stage>, bool) {
        let (ask, receiver) = watch::channel(0);
        let warned = RefCell::new(Vec::new());
        let warn = |stage| warned.borrow_mut().push(stage);
        let mut stop = Stop::new(receiver, &warn);
        let work = async {
            for times in asked {
                ask.send_replace(*times);
                tokio::task::yield_now().await;
            }
        };
        let done = stop.or_end_of(&Cell::new(at), work).await;
        drop(stop);
        (warned.into_inner(), done.is_none())
    }

    #[tokio::test]
    async fn once_before_anything_was_sent_and_twice_after() {
        assert_eq!(stopped(Stage::Planned, &[1, 1]).await, (vec![], true));
        for stage in [Stage::Uploading, Stage::Flashing, Stage::Rebooting] {
            assert_eq!(stopped(stage, &[]).await, (vec![], false));
            assert_eq!(stopped(stage, &[1]).await, (vec![stage], false));
            assert_eq!(stopped(stage, &[1, 2, 2]).await, (vec![stage], true));
            assert_eq!(stopped(stage, &[2, 2]).await, (vec![], true), "a signal that is no question");
        }
    }
}

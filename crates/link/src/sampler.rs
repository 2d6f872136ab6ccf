//! The same question again, for as long as a run takes: a push lasts minutes, and a radio that joins a
//! network in the middle of it must be noticed then, not afterwards.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::announcements::Announcements;
use crate::difference::{Change, difference};
use crate::error::Error;
use crate::judge::{Isolation, judge};
use crate::snapshot::Snapshot;
use crate::target::Target;

/// The kernel announces everything that a snapshot holds; this is for what it forgets, and costs nothing.
const AGAIN_ANYHOW: Duration = Duration::from_secs(5);
/// Neighbours can be made to change as fast as somebody on the link sends ARP: looking is limited.
const AT_MOST_EVERY: Duration = Duration::from_millis(100);

/// Judges a target again whenever the network of this laptop changes.
pub struct Sampler {
    announcements: Announcements,
    anyhow: tokio::time::Interval,
    started: Instant,
    looked: Instant,
    known: Isolation,
    changes: VecDeque<Event>,
}

/// A change, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// How long after the sampler was started.
    pub after: Duration,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

impl Sampler {
    /// Starts sampling, beside the judgement that holds now. Needs a tokio runtime.
    pub fn start(target: &Target) -> Result<Self, Error> {
        // listening comes first: what changes while the snapshot is taken is announced
        let announcements = Announcements::open()?;
        let known = judge(&Snapshot::read()?, target);
        Ok(Self::beside(announcements, known))
    }

    /// The same beside an earlier judgement: what has changed since then is the first that is told.
    pub fn since(known: Isolation) -> Result<Self, Error> {
        Ok(Self::beside(Announcements::open()?, known))
    }

    fn beside(announcements: Announcements, known: Isolation) -> Self {
        // it ticks at once
        let mut anyhow = interval(AGAIN_ANYHOW);
        anyhow.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let now = Instant::now();
        Self { announcements, anyhow, started: now, looked: now, known, changes: VecDeque::new() }
    }

    /// The judgement as of the last look.
    pub fn isolation(&self) -> &Isolation {
        &self.known
    }

    /// Waits for the next change. May be dropped and called again: nothing is lost.
    pub async fn changed(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.changes.pop_front() {
                return Ok(event);
            }
            tokio::select! {
                announced = self.announcements.wait() => {
                    announced?;
                    sleep_until(self.looked + AT_MOST_EVERY).await;
                }
                _ = self.anyhow.tick() => {}
            }
            self.look()?;
        }
    }

    /// Looks now, without waiting: the changes since the last look, those that [`Sampler::changed`] has not
    /// handed out included.
    pub fn look_now(&mut self) -> Result<Vec<Event>, Error> {
        self.look()?;
        Ok(self.changes.drain(..).collect())
    }

    fn look(&mut self) -> Result<(), Error> {
        self.announcements.drain()?;
        let now = judge(&Snapshot::read()?, &self.known.target);
        self.looked = Instant::now();
        let after = self.looked - self.started;
        let changes = difference(&self.known, &now).into_iter();
        self.changes.extend(changes.map(|change| Event { after, change }));
        self.known = now;
        Ok(())
    }
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler").field("known", &self.known).finish_non_exhaustive()
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "after {} s: {}", self.after.as_secs(), self.change)
    }
}

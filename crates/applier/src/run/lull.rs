use std::time::Duration;

use isapi::{Error, UpgradeStatus};

use super::Deadlines;
use crate::event::Event;
use crate::presence::deadline::{Deadline, Silence};
use crate::presence::moment::Moment;

/// What is told while a package is sent and flashed and nothing happens (`docs/safety.md`, rule 10). Pure.
pub(super) struct Lull {
    deadline: Deadline,
    stalled: Duration,
    slept: bool,
    flashing: bool,
    /// Since it took a byte.
    taken: Silence,
    /// Since it answered how far it is.
    heard: Silence,
    /// Since that was something new.
    news: Silence,
    says: &'static str,
    percent: Option<u8>,
    asked: bool,
}

impl Lull {
    pub(super) fn new(deadlines: Deadlines, now: Moment) -> Self {
        let silence = Silence::from(now);
        Self {
            deadline: Deadline::new(deadlines.whole, now),
            stalled: deadlines.stalled,
            slept: false,
            flashing: false,
            taken: silence.clone(),
            heard: silence.clone(),
            news: silence,
            says: "it does not say how far it is",
            percent: None,
            asked: true,
        }
    }

    /// Bytes were taken.
    pub(super) fn took(&mut self, now: Moment) {
        let silence = Silence::from(now);
        (self.taken, self.heard, self.news) = (silence.clone(), silence.clone(), silence);
    }

    /// It was asked how far it is.
    pub(super) fn looked(&mut self, status: &Result<Option<UpgradeStatus>, Error>, now: Moment) {
        match status {
            Err(error) if error.is_absence() => return,
            Err(error) if error.is_login() => {
                (self.asked, self.says) = (false, "it refuses the login, and is not asked how far it is");
            }
            _ => {}
        }
        self.heard = Silence::from(now);
        let percent = status.as_ref().ok().and_then(|status| status.as_ref()?.percent);
        if percent.is_some() && percent != self.percent {
            (self.percent, self.news) = (percent, Silence::from(now));
        }
    }

    /// What is to be told now.
    pub(super) fn tick(&mut self, flashing: bool, now: Moment) -> Vec<Event> {
        let mut told = Vec::new();
        if let Some(seconds) = self.deadline.slept(now) {
            self.slept = true;
            told.push(Event::Slept { seconds });
        }
        if flashing && !self.flashing {
            // an upload that was slept through may have left no time to flash in
            self.flashing = true;
            self.deadline.put_off(now);
        }
        let left = self.deadline.left(now).as_secs();
        if !flashing {
            let stalled = self.taken.due(now);
            told.extend(stalled.map(|seconds| {
                let left = self.stalled.as_secs().saturating_sub(seconds);
                Event::Stalled { seconds, left }
            }));
        } else if let Some(seconds) = self.heard.due(now).filter(|_| self.asked) {
            self.news = Silence::from(now);
            told.push(Event::Silent { seconds, left });
        } else if let Some(seconds) = self.news.due(now) {
            let what = self
                .percent
                .filter(|_| self.asked)
                .map_or_else(|| self.says.into(), |percent| format!("it says that it is at {percent} %"));
            told.push(Event::Still { what, seconds, left });
        }
        told
    }

    /// Whether the time for the whole is over and the upload's own timer does not know, because it stood still
    /// while this laptop slept.
    pub(super) fn overslept(&self, now: Moment) -> bool {
        self.slept && self.deadline.is_over(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: u64, awake: u64) -> Moment {
        Moment { boot: Duration::from_secs(boot), awake: Duration::from_secs(awake) }
    }

    fn lull() -> Lull {
        Lull::new(Deadlines::default(), at(0, 0))
    }

    fn status(percent: u8) -> UpgradeStatus {
        UpgradeStatus { percent: Some(percent), ..UpgradeStatus::default() }
    }

    #[test]
    fn an_upload_that_takes_nothing_says_when_it_is_given_up() {
        let mut lull = lull();
        lull.took(at(5, 5));
        assert!(lull.tick(false, at(14, 14)).is_empty());
        assert_eq!(lull.tick(false, at(15, 15)), [Event::Stalled { seconds: 10, left: 590 }]);
        lull.took(at(20, 20));
        assert!(lull.tick(false, at(29, 29)).is_empty());
    }

    #[test]
    fn a_recorder_that_flashes_is_never_a_mere_silence() {
        let mut lull = lull();
        lull.took(at(0, 0));
        assert_eq!(lull.tick(true, at(10, 10)), [Event::Silent { seconds: 10, left: 1790 }]);
        // it answers, and stays where it is
        lull.looked(&Ok(Some(status(40))), at(11, 11));
        lull.looked(&Ok(Some(status(40))), at(20, 20));
        let what = "it says that it is at 40 %".to_owned();
        assert_eq!(lull.tick(true, at(21, 21)), [Event::Still { what, seconds: 10, left: 1779 }]);
        lull.looked(&Ok(Some(status(41))), at(30, 30));
        lull.looked(&Ok(None), at(39, 39));
        assert!(lull.tick(true, at(39, 39)).is_empty());
        let address: isapi::Address = "192.168.1.64".parse().unwrap();
        lull.looked(&Err(Error::LoginStopped { address }), at(39, 39));
        let told = lull.tick(true, at(60, 60));
        assert!(
            matches!(&told[..], [Event::Still { what, .. }] if what.contains("refuses the login")),
            "{told:?}"
        );
    }

    #[test]
    fn a_sleep_is_told_and_ends_what_its_own_timer_would_not() {
        let mut lull = lull();
        assert!(!lull.overslept(at(2000, 2000)), "its own timer knows");
        let told = lull.tick(true, at(2000, 60));
        assert_eq!(told[0], Event::Slept { seconds: 1940 });
        assert!(!lull.overslept(at(2000, 60)), "first it is looked at again");
        assert!(lull.overslept(at(2060, 120)));
    }

    #[test]
    fn an_upload_that_was_slept_through_leaves_time_to_flash_in() {
        let mut lull = lull();
        lull.tick(false, at(2000, 10));
        let (last_byte, later) = (at(2100, 110), at(2200, 210));
        lull.tick(false, last_byte);
        assert!(lull.overslept(last_byte), "the time for the whole was over already");
        lull.tick(true, last_byte);
        assert!(!lull.overslept(last_byte) && lull.overslept(later));
    }
}

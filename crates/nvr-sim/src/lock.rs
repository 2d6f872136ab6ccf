use std::time::Duration;

use tokio::time::Instant;

/// The lock against guessing: so many wrong passwords, then a time in which even the right one is
/// refused (reference: ISAPI §9.3). Requests without credentials do not count.
#[derive(Default)]
pub(crate) struct Lock {
    wrong: u32,
    until: Option<Instant>,
}

impl Lock {
    /// How long the lock still holds.
    pub(crate) fn remaining(&mut self, now: Instant) -> Option<Duration> {
        let until = self.until?;
        if now >= until {
            self.open();
            return None;
        }
        Some(until - now)
    }

    /// Counts a wrong password; says how many of the `tries` are left. After the last one it `lasts`.
    pub(crate) fn wrong(&mut self, now: Instant, tries: u32, lasts: Duration) -> u32 {
        self.wrong += 1;
        let left = tries.saturating_sub(self.wrong);
        if left == 0 {
            self.until = Some(now + lasts);
        }
        left
    }

    /// Wrong passwords counted since the last right one.
    pub(crate) fn failures(&self) -> u32 {
        self.wrong
    }

    /// Forgets the wrong passwords: a right one came, or the time is over.
    pub(crate) fn open(&mut self) {
        self.wrong = 0;
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_after_the_last_try_until_its_time_is_over() {
        let (mut lock, now) = (Lock::default(), Instant::now());
        let wrong = |lock: &mut Lock| lock.wrong(now, 3, Duration::from_secs(1800));
        assert_eq!((wrong(&mut lock), wrong(&mut lock)), (2, 1));
        assert_eq!(lock.remaining(now), None);
        assert_eq!(wrong(&mut lock), 0);
        assert_eq!(lock.remaining(now + Duration::from_secs(1799)), Some(Duration::from_secs(1)));
        assert_eq!(lock.remaining(now + Duration::from_secs(1800)), None);
        assert_eq!(wrong(&mut lock), 2, "all tries are back");
    }

    #[test]
    fn a_right_password_gives_all_tries_back() {
        let (mut lock, now) = (Lock::default(), Instant::now());
        lock.wrong(now, 2, Duration::from_secs(1));
        lock.open();
        assert_eq!(lock.wrong(now, 2, Duration::from_secs(1)), 1);
    }
}

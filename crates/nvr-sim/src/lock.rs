use std::time::Duration;

use tokio::time::Instant;

/// The lock against guessing: so many wrong passwords, then a time in which even the right one is
/// refused (reference: ISAPI §9.3). Requests without credentials do not count.
pub(crate) struct Lock {
    tries: u32,
    lasts: Duration,
    wrong: u32,
    until: Option<Instant>,
}

impl Lock {
    /// Locks for `lasts` after `tries` wrong passwords in a row.
    pub(crate) fn new(tries: u32, lasts: Duration) -> Self {
        Self { tries, lasts, wrong: 0, until: None }
    }

    /// How long the lock still holds.
    pub(crate) fn remaining(&mut self, now: Instant) -> Option<Duration> {
        let until = self.until?;
        if now >= until {
            self.open();
            return None;
        }
        Some(until - now)
    }

    /// Counts a wrong password; says how many tries are left.
    pub(crate) fn wrong(&mut self, now: Instant) -> u32 {
        self.wrong += 1;
        let left = self.tries.saturating_sub(self.wrong);
        if left == 0 {
            self.until = Some(now + self.lasts);
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
        let (mut lock, now) = (Lock::new(3, Duration::from_secs(1800)), Instant::now());
        assert_eq!((lock.wrong(now), lock.wrong(now)), (2, 1));
        assert_eq!(lock.remaining(now), None);
        assert_eq!(lock.wrong(now), 0);
        assert_eq!(lock.remaining(now + Duration::from_secs(1799)), Some(Duration::from_secs(1)));
        assert_eq!(lock.remaining(now + Duration::from_secs(1800)), None);
        assert_eq!(lock.wrong(now), 2, "all tries are back");
    }

    #[test]
    fn a_right_password_gives_all_tries_back() {
        let (mut lock, now) = (Lock::new(2, Duration::from_secs(1)), Instant::now());
        lock.wrong(now);
        lock.open();
        assert_eq!(lock.wrong(now), 1);
    }
}

//! Deadlines that a sleep of this laptop does not fool, and how often silence is told. Pure: moments come in.
//!
//! Timers stand still while a laptop sleeps, and the recorder does not. So what is waited for is counted in
//! boot time, and after a sleep there is always time for some fresh looks: the recorder had all night to come
//! back, and yet only a look tells.

use std::time::Duration;

use super::moment::Moment;

/// A shorter gap between the two clocks is no sleep that anybody would call so.
const NOTICED: Duration = Duration::from_secs(3);

/// For looking after a sleep: a cable's link is up again within some seconds, and a recorder that is silent is
/// asked every 2 to 7 s.
const FRESH: Duration = Duration::from_secs(60);

/// Until when something is waited for.
#[derive(Debug, Clone)]
pub struct Deadline {
    limit: Duration,
    end: Duration,
    asleep: Duration,
}

impl Deadline {
    /// So long from now.
    pub fn new(limit: Duration, now: Moment) -> Self {
        Self { limit, end: now.boot.saturating_add(limit), asleep: now.asleep() }
    }

    /// For how many seconds the laptop slept since this was asked last, where it did. The deadline is then put
    /// off, if it has to be, so that there is time to look again.
    pub fn slept(&mut self, now: Moment) -> Option<u64> {
        let slept = now.asleep().saturating_sub(self.asleep);
        if slept < NOTICED {
            return None;
        }
        self.asleep = now.asleep();
        self.put_off(now);
        // two clocks are not read in the same instant
        Some((slept + Duration::from_millis(500)).as_secs())
    }

    /// Leaves time for some fresh looks, whatever is left.
    pub fn put_off(&mut self, now: Moment) {
        self.end = self.end.max(now.boot.saturating_add(FRESH.min(self.limit)));
    }

    /// What is left.
    pub fn left(&self, now: Moment) -> Duration {
        self.end.saturating_sub(now.boot)
    }

    /// Whether nothing is left.
    pub fn is_over(&self, now: Moment) -> bool {
        self.left(now).is_zero()
    }
}

/// When to tell a person that nothing has changed: after 10, 20 and 30 s, then every half minute, from two
/// minutes on every minute. Somebody who sees nothing pulls the plug; somebody who is told every second does
/// not read any more.
#[derive(Debug, Clone)]
pub struct Silence {
    since: Duration,
    told: u64,
}

impl Silence {
    /// It begins now.
    pub fn from(now: Moment) -> Self {
        Self { since: now.boot, told: 0 }
    }

    /// Its length in seconds.
    pub fn seconds(&self, now: Moment) -> u64 {
        now.boot.saturating_sub(self.since).as_secs()
    }

    /// The same, where it is time to tell it again.
    pub fn due(&mut self, now: Moment) -> Option<u64> {
        let seconds = self.seconds(now);
        let step = match self.told {
            0..30 => 10,
            30..120 => 30,
            _ => 60,
        };
        (seconds >= self.told + step).then(|| {
            self.told = seconds;
            seconds
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: u64, awake: u64) -> Moment {
        Moment { boot: Duration::from_secs(boot), awake: Duration::from_secs(awake) }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn without_a_sleep_it_is_over_after_its_limit() {
        // what the machine slept before does not count
        let mut deadline = Deadline::new(seconds(300), at(5000, 1000));
        assert_eq!((deadline.slept(at(5299, 1299)), deadline.left(at(5299, 1299))), (None, seconds(1)));
        assert!(!deadline.is_over(at(5299, 1299)) && deadline.is_over(at(5300, 1300)));
    }

    #[test]
    fn a_sleep_counts_and_leaves_time_to_look() {
        let mut deadline = Deadline::new(seconds(300), at(100, 100));
        // nine minutes of sleep, after one of waiting
        let woken = at(100 + 60 + 540, 160);
        assert!(deadline.is_over(woken), "the recorder had ten minutes");
        assert_eq!(deadline.slept(woken), Some(540));
        assert_eq!(deadline.left(woken), FRESH, "and yet it is looked at again");
        assert_eq!(deadline.slept(woken), None, "told once");
        assert!(deadline.is_over(at(760, 220)));
        // and again
        assert_eq!(deadline.slept(at(860, 220)), Some(100));
        assert_eq!(deadline.left(at(860, 220)), FRESH);
    }

    #[test]
    fn a_short_sleep_takes_nothing_away() {
        let mut deadline = Deadline::new(seconds(300), at(0, 0));
        assert_eq!(deadline.slept(at(12, 10)), None, "too short to be told");
        assert_eq!(deadline.slept(at(24, 20)), Some(4), "together they are not");
        assert_eq!(deadline.left(at(24, 20)), seconds(276));
        let mut brief = Deadline::new(seconds(2), at(0, 0));
        assert_eq!(brief.slept(at(50, 1)), Some(49));
        assert_eq!(brief.left(at(50, 1)), seconds(2), "never longer than was allowed at first");
    }

    #[test]
    fn silence_is_told_less_and_less_often() {
        let mut silence = Silence::from(at(1000, 1000));
        let told: Vec<u64> = (0..=400).filter_map(|s| silence.due(at(1000 + s, 1000))).collect();
        assert_eq!(told, [10, 20, 30, 60, 90, 120, 180, 240, 300, 360]);
        // whoever looks seldom is told at once, not for every step that was missed
        let mut late = Silence::from(at(0, 0));
        assert_eq!(
            [late.due(at(95, 95)), late.due(at(96, 96)), late.due(at(130, 96))],
            [Some(95), None, Some(130)]
        );
    }
}

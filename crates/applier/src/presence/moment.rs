//! The time that a sleep of this laptop does not stop.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// One moment by two clocks of the kernel. Nobody sets either; both begin when the machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// `CLOCK_BOOTTIME`: goes on while the machine sleeps.
    pub boot: Duration,
    /// `CLOCK_MONOTONIC`, the clock of every timer here: stands still meanwhile.
    pub awake: Duration,
}

impl Moment {
    /// Reads both.
    pub fn now() -> Self {
        // in this order a program that is held up in between has slept no longer than it did
        let boot = read(ClockId::Boottime);
        Self { boot, awake: read(ClockId::Monotonic) }
    }

    /// How long the machine has slept since it was started.
    pub(super) fn asleep(self) -> Duration {
        self.boot.saturating_sub(self.awake)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads how long the machine is up"
)]
fn read(clock: ClockId) -> Duration {
    // neither clock is ever negative
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_go_on() {
        let (first, second) = (Moment::now(), Moment::now());
        assert!(first.boot > Duration::ZERO && first.awake > Duration::ZERO);
        assert!(second.boot >= first.boot && second.awake >= first.awake);
    }
}

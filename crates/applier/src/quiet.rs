//! The quiet period after what may still be going on in a recorder (`docs/safety.md`, rule 7).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What is left at `now` of a quiet period that began with `last`; `None` if it has passed. A last line of the
/// future, where the clock was set back since, has not even begun it.
pub(crate) fn quiet_left(last: Timestamp, quiet: Duration, now: Timestamp) -> Option<SignedDuration> {
    let quiet = SignedDuration::try_from(quiet).unwrap_or(SignedDuration::MAX);
    if now < last {
        return Some(quiet);
    }
    let left = quiet.saturating_sub(now.duration_since(last));
    left.is_positive().then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_by_the_clock_and_never_before_its_beginning() {
        let at = |second: i64| Timestamp::from_second(1_795_000_000 + second).unwrap();
        let left =
            |quiet, now| quiet_left(at(100), Duration::from_secs(quiet), at(now)).map(|left| left.as_secs());
        assert_eq!(left(900, 100), Some(900));
        assert_eq!(left(900, 999), Some(1));
        assert_eq!(left(900, 1000), None);
        assert_eq!(left(900, 40), Some(900), "the clock was set back");
        assert_eq!(left(0, 100), None);
        assert!(left(0, 99).is_some(), "a line of the future");
        assert!(left(u64::MAX, 1000).is_some());
    }
}

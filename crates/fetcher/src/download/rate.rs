use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes per second, for all downloads that share it: its clones do.
#[derive(Debug, Clone)]
pub struct RateLimit {
    bytes_per_second: NonZeroU64,
    /// When the time of all bytes so far is over.
    free_at: Arc<Mutex<Option<Instant>>>,
}

/// The text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rate {0:?} is not a number of bytes per second, above 0, such as 800K or 2M")]
pub struct InvalidRate(String);

impl FromStr for RateLimit {
    type Err = InvalidRate;

    /// Bytes per second; `K`, `M` and `G` are powers of 1024, as with curl and wget.
    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (number, unit) = match text.char_indices().last() {
            Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
            Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
            Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
            _ => (text, 1),
        };
        let number: Option<u64> =
            number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten();
        let rate = number.and_then(|number| NonZeroU64::new(number.checked_mul(unit)?));
        let bytes_per_second = rate.ok_or_else(|| InvalidRate(text.chars().take(40).collect()))?;
        Ok(Self { bytes_per_second, free_at: Arc::default() })
    }
}

impl RateLimit {
    /// Waits as long as these bytes take, behind those that arrived before; says how long that was.
    pub(super) async fn wait_for(&self, bytes: u64) -> Duration {
        let now = Instant::now();
        let until = self.book(bytes, now);
        tokio::time::sleep_until(until).await;
        until - now
    }

    /// When the time of these bytes is over.
    fn book(&self, bytes: u64, now: Instant) -> Instant {
        let takes = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second.get());
        let takes = Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let until = free_at.map_or(now, |at| at.max(now)) + takes;
        *free_at = Some(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_their_time_one_behind_the_other() {
        let limit: RateLimit = "2K".parse().unwrap();
        let now = Instant::now();
        assert_eq!(limit.book(1024, now) - now, Duration::from_millis(500));
        assert_eq!(limit.book(4096, now) - now, Duration::from_millis(2500), "behind the first");
        let later = now + Duration::from_secs(60);
        assert_eq!(limit.book(2048, later) - later, Duration::from_secs(1), "idle time is not saved up");
    }

    #[test]
    fn reads_rates_as_curl_does() {
        let rate = |text: &str| text.parse::<RateLimit>().map(|limit| limit.bytes_per_second.get());
        for (text, expected) in [("800", 800), ("800k", 800 << 10), ("2M", 2 << 20), ("1G", 1 << 30)] {
            assert_eq!(rate(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "K",
            "0",
            "0M",
            "-1",
            "+1",
            "1.5M",
            "2 M",
            "2T",
            "99999999999999999999",
            "18446744073709551615K",
            "²",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::{DownloadError, Interruption};

/// No delay grows beyond this: a night is long, and has many files in it.
const LONGEST_DELAY: Duration = Duration::from_secs(120);
/// A source that asks for more time than this is left to a later run.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// How often and how soon a source is asked again for a file that it could not give.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// For each file.
    pub most: usize,
    /// Before the first; doubled before each further one. As much again at most is added, at random, so that
    /// depots do not come all at once.
    pub first_delay: Duration,
}

impl Retries {
    /// Failed is failed: a person sits there and decides.
    pub const NONE: Self = Self { most: 0, first_delay: Duration::from_secs(1) };

    pub(super) fn delays(self) -> impl Iterator<Item = Duration> {
        let first = self.first_delay.min(LONGEST_DELAY);
        let delays = ExponentialBuilder::new().with_min_delay(first).with_max_delay(LONGEST_DELAY);
        delays.with_max_times(self.most).with_jitter().build()
    }
}

impl DownloadError {
    /// How long to wait before it is asked for again, for our part at least `delay`; none where that is of no use, or
    /// not soon.
    pub(super) fn wait(&self, delay: Duration) -> Option<Duration> {
        let asked = match self {
            Self::Unreachable { .. } | Self::Cut { .. } => None,
            // RFC 9110 §15.5.9, §15.6; RFC 6585 §4
            Self::Status { came, retry_after, .. }
                if matches!(came.status().as_u16(), 408 | 429 | 500 | 502..=504) =>
            {
                *retry_after
            }
            _ => return None,
        };
        let asked = asked.unwrap_or_default();
        (asked <= LONGEST_WAIT).then(|| delay.max(asked))
    }

    /// Whether other files of this host need not be asked for in this run: it cannot be reached, or wants to be left alone.
    /// That it hangs up on one request says nothing of the others.
    pub fn is_of_the_host(&self) -> bool {
        match self {
            Self::Unreachable { source: Interruption::Network(error), .. } => error.is_connect(),
            Self::Unreachable { .. } => true,
            Self::Status { retry_after, .. } => retry_after.is_some_and(|asked| asked > LONGEST_WAIT),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::super::Came;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn status(code: u16, retry_after: Option<u64>) -> DownloadError {
        let came = Came::of(StatusCode::from_u16(code).unwrap(), &HeaderMap::new(), b"");
        let retry_after = retry_after.map(Duration::from_secs);
        DownloadError::Status { url: "http://host/x.zip".into(), came: Box::new(came), retry_after }
    }

    #[test]
    fn delays_double_with_as_much_again_at_random() {
        let delays: Vec<Duration> = Retries { most: 9, first_delay: SECOND }.delays().collect();
        assert_eq!(delays.len(), 9);
        for (n, delay) in delays.iter().enumerate() {
            let least = (SECOND * (1 << n)).min(LONGEST_DELAY);
            assert!((least..=least * 2).contains(delay), "{n}: {delay:?}");
        }
        assert_eq!(Retries::NONE.delays().count(), 0);
    }

    #[test]
    fn what_may_pass_is_asked_for_again_when_the_server_says() {
        assert_eq!(status(503, None).wait(SECOND), Some(SECOND));
        assert_eq!(status(503, Some(30)).wait(SECOND), Some(30 * SECOND));
        assert_eq!(status(429, Some(0)).wait(SECOND), Some(SECOND), "never sooner than ours");
        assert_eq!(status(503, Some(601)).wait(SECOND), None, "left to a later run");
        assert_eq!(status(404, Some(1)).wait(SECOND), None);
        assert_eq!(status(501, None).wait(SECOND), None);
        assert!(status(503, Some(601)).is_of_the_host() && !status(503, Some(600)).is_of_the_host());
        assert!(!status(404, None).is_of_the_host());
    }
}

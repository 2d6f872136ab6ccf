use std::time::Duration;

use bytes::Bytes;
use reqwest::{RequestBuilder, Response};
use tokio::time::{Instant, timeout_at};

use super::Interruption;

/// Bytes per second. Slower than this, a package of 40 MiB takes half a day: no vendor's server is so
/// slow, and one that drips bytes would hold the scheduled job up for as long as it likes.
pub(super) const LEAST: u16 = 1024;
/// Over how long the rate is averaged, as with curl's `--speed-limit` and `--speed-time`: long enough
/// for the five resends of a lost segment at doubled intervals, 31 s (RFC 6298 §5.5).
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The pace of one answer, measured over one stretch of time after another.
#[derive(Debug)]
pub(super) struct Pace {
    patience: Duration,
    /// The end of this stretch.
    until: Instant,
    /// Bytes within it.
    received: u64,
}

impl Pace {
    /// Begins to measure, over stretches of this length.
    pub(super) fn of(patience: Duration) -> Self {
        Self { patience, until: Instant::now() + patience, received: 0 }
    }

    /// Sends a request and waits for the head of its answer, one stretch at most.
    pub(super) async fn head(&mut self, request: RequestBuilder) -> Result<Response, Interruption> {
        let answer = timeout_at(self.until, request.send()).await.map_err(|_| self.slow())?;
        *self = Self::of(self.patience);
        Ok(answer.map_err(reqwest::Error::without_url)?)
    }

    /// The next bytes of a body; none at its end.
    pub(super) async fn chunk(&mut self, response: &mut Response) -> Result<Option<Bytes>, Interruption> {
        loop {
            // a chunk that is waited for in two stretches is not lost: only the waiting is given up
            if let Ok(chunk) = timeout_at(self.until, response.chunk()).await {
                let chunk = chunk.map_err(reqwest::Error::without_url)?;
                self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                return Ok(chunk);
            }
            let least = self.patience.as_millis() * u128::from(LEAST) / 1000;
            if u128::from(self.received) < least {
                return Err(self.slow());
            }
            *self = Self::of(self.patience);
        }
    }

    /// So long it was this end that took nothing.
    pub(super) fn rested(&mut self, rest: Duration) {
        self.until += rest;
    }

    fn slow(&self) -> Interruption {
        Interruption::Slow { received: self.received, over: self.patience }
    }
}

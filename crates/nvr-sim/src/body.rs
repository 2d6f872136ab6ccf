use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The body of an answer.
pub(crate) enum Answer {
    /// All of it at once.
    Whole(Bytes),
    /// A few bytes at a time.
    Drip {
        /// What is still to come.
        left: Bytes,
        /// Bytes at a time.
        step: usize,
        /// When the next are due.
        pace: Interval,
    },
    /// A beginning, then blanks for as long as anybody reads.
    Endless(Option<Bytes>),
}

const BLANKS: &[u8] = &[b' '; 4096];

impl Answer {
    /// All of it at once.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(bytes.into())
    }

    /// So many bytes a second, in ten steps a second or fewer.
    pub(crate) fn drip(left: Bytes, bytes_per_second: u32) -> Self {
        let speed = bytes_per_second.max(1);
        let step = (speed / 10).max(1);
        let mut pace = interval(Duration::from_secs(1) * step / speed);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Drip { left, step: step as usize, pace }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            Self::Whole(bytes) => std::mem::take(bytes),
            Self::Drip { left, step, pace } if !left.is_empty() => {
                ready!(pace.poll_tick(context));
                left.split_to((*step).min(left.len()))
            }
            Self::Drip { .. } => return Poll::Ready(None),
            Self::Endless(start) => start.take().unwrap_or(Bytes::from_static(BLANKS)),
        };
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(left) | Self::Drip { left, .. } if left.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(left) | Self::Drip { left, .. } => SizeHint::with_exact(left.len() as u64),
            Self::Endless(_) => SizeHint::default(),
        }
    }
}

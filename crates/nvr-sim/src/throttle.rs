use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::recorder::Recorder;

/// A connection that is read no faster than the recorder wants. Nothing is stored in between: what is
/// not read fills the kernel's buffers, and the client's writes wait.
pub(crate) struct Throttled {
    stream: TcpStream,
    recorder: Arc<Recorder>,
    pace: Pace,
    /// Until the next bytes may be read.
    pause: Option<Pin<Box<Sleep>>>,
}

/// What the kernel may keep, bytes; it takes twice this for its own accounts. Not less: a window under
/// two segments of the loopback interface (64 KiB each) is sent into by timers, some bytes a second.
/// Not more: without a limit loopback swallows megabytes at once, and the client sees no speed.
const RECEIVE_BUFFER: std::ops::RangeInclusive<usize> = 128 * 1024..=1024 * 1024;

impl Throttled {
    /// Wraps a connection that was just accepted.
    pub(crate) fn new(stream: TcpStream, recorder: Arc<Recorder>) -> Self {
        if let Some(speed) = recorder.state.borrow().faults.bytes_per_second {
            let size = portion(speed).clamp(*RECEIVE_BUFFER.start(), *RECEIVE_BUFFER.end());
            // a larger buffer than wanted only makes the limit start later
            let _ = SockRef::from(&stream).set_recv_buffer_size(size);
        }
        Self { stream, recorder, pace: Pace(Instant::now()), pause: None }
    }
}

/// Ten portions a second.
fn portion(speed: u32) -> usize {
    (speed as usize / 10).max(1)
}

/// When the next bytes may be read. It is a schedule, not a pause after each: timers fire late by a
/// millisecond or more, which would add up to a third of the speed.
struct Pace(Instant);

impl Pace {
    /// What may be caught up on: a portion. A client that was silent for a minute has not saved it up.
    const BEHIND: Duration = Duration::from_millis(100);

    /// So many bytes were read.
    fn read(&mut self, bytes: u32, speed: u32, now: Instant) {
        let due = now.checked_sub(Self::BEHIND).map_or(self.0, |earliest| self.0.max(earliest));
        self.0 = due + Duration::from_secs(1) * bytes / speed;
    }
}

impl AsyncRead for Throttled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let limit = self.recorder.state.borrow().faults.bytes_per_second;
        let Some(speed) = limit.map(|speed| speed.max(1)) else {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        };
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let mut bytes = vec![0; portion(speed).min(buffer.remaining())];
        let mut some = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut some))?;
        let read = u32::try_from(some.filled().len()).unwrap_or(u32::MAX);
        buffer.put_slice(some.filled());
        let now = Instant::now();
        self.pace.read(read, speed, now);
        if self.pace.0 > now {
            self.pause = Some(Box::pin(sleep_until(self.pace.0)));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Throttled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_timers_do_not_add_up_and_silence_is_not_saved_up() {
        let start = Instant::now();
        let mut pace = Pace(start);
        let mut now = start;
        // 100 portions of a hundredth of a second, each read 3 ms after it was due
        for _ in 0..100 {
            pace.read(100_000, 10_000_000, now);
            now = now.max(pace.0) + Duration::from_millis(3);
        }
        assert_eq!(pace.0, start + Duration::from_secs(1));
        let later = pace.0 + Duration::from_secs(60);
        pace.read(1, 1_000_000, later);
        assert_eq!(pace.0, later - Pace::BEHIND + Duration::from_micros(1));
    }
}

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::recorder::Recorder;

/// A connection that is read no faster than the recorder wants. Nothing is stored in between: what is
/// not read fills the kernel's buffers, and the client's writes wait.
pub(crate) struct Throttled {
    stream: TcpStream,
    recorder: Arc<Recorder>,
    /// Until the next bytes may be read.
    pause: Option<Pin<Box<Sleep>>>,
}

/// The kernel keeps about twice this; without it loopback would swallow megabytes at once.
const RECEIVE_BUFFER: usize = 16 * 1024;

impl Throttled {
    /// Wraps a connection that was just accepted.
    pub(crate) fn new(stream: TcpStream, recorder: Arc<Recorder>) -> Self {
        if recorder.state.borrow().faults.bytes_per_second.is_some() {
            // a larger buffer than wanted only makes the limit start later
            let _ = SockRef::from(&stream).set_recv_buffer_size(RECEIVE_BUFFER);
        }
        Self { stream, recorder, pause: None }
    }
}

impl AsyncRead for Throttled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let limit = self.recorder.state.borrow().faults.bytes_per_second;
        let Some(speed) = limit else { return Pin::new(&mut self.stream).poll_read(context, buffer) };
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let speed = speed.max(1);
        // ten portions a second
        let portion = (speed as usize / 10).clamp(1, buffer.remaining().max(1));
        let mut bytes = vec![0; portion];
        let mut some = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut some))?;
        let read = u32::try_from(some.filled().len()).unwrap_or(u32::MAX);
        buffer.put_slice(some.filled());
        self.pause = Some(Box::pin(sleep(Duration::from_secs(1) * read / speed)));
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

use std::io::{self, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::{Faults, Server};

/// Bytes of one frame.
const FRAME: u64 = 64 * 1024;

/// The body of any answer.
pub(super) type Body = BoxBody<Bytes, io::Error>;

/// A body that is in memory.
pub(super) fn of(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A file under way, counted as long as it is.
struct UnderWay(Arc<Server>);

impl UnderWay {
    fn begin(server: Arc<Server>) -> Self {
        server.state.send_modify(|state| {
            state.at_once += 1;
            state.counters.most_at_once = state.counters.most_at_once.max(state.at_once);
        });
        Self(server)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.at_once -= 1);
    }
}

/// A part of a file on its way out.
struct Transfer {
    server: Arc<Server>,
    /// Until the last byte is handed over: then the client may ask for the next file.
    under_way: Option<UnderWay>,
    file: File,
    remaining: u64,
    until_cut: Option<u64>,
    ends_early: bool,
    bytes_per_second: Option<u64>,
}

/// Streams this part of the file, with the faults of the server.
pub(super) async fn stream(
    server: Arc<Server>,
    faults: &Faults,
    mut file: File,
    part: Range<u64>,
) -> io::Result<Body> {
    file.seek(SeekFrom::Start(part.start)).await?;
    let transfer = Transfer {
        under_way: Some(UnderWay::begin(Arc::clone(&server))),
        server,
        file,
        remaining: part.end - part.start,
        until_cut: faults.cut_after,
        ends_early: faults.excess.is_some(),
        bytes_per_second: faults.slow,
    };
    Ok(StreamBody::new(try_unfold(transfer, next)).boxed())
}

async fn next(mut transfer: Transfer) -> io::Result<Option<(Frame<Bytes>, Transfer)>> {
    if transfer.until_cut == Some(0) {
        // lets what was handed over leave before the error drops the socket
        tokio::task::yield_now().await;
        transfer.server.count(|counters| counters.cuts += 1);
        return Err(io::Error::other("connection is cut by a fault"));
    }
    if transfer.remaining == 0 {
        if transfer.ends_early {
            // as above: an end before the announced one drops the socket as well
            tokio::task::yield_now().await;
        }
        return Ok(None);
    }
    let length = transfer.remaining.min(FRAME).min(transfer.until_cut.unwrap_or(FRAME));
    let length = length.min(transfer.bytes_per_second.unwrap_or(FRAME));
    let mut buffer = Vec::new();
    (&mut transfer.file).take(length).read_to_end(&mut buffer).await?;
    if (buffer.len() as u64) < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "file became shorter while it was served"));
    }
    if let Some(rate) = transfer.bytes_per_second {
        tokio::time::sleep(Duration::from_secs(length) / u32::try_from(rate).unwrap_or(u32::MAX)).await;
    }
    transfer.remaining -= length;
    if transfer.remaining == 0 {
        transfer.under_way = None;
    }
    transfer.until_cut = transfer.until_cut.map(|left| left - length);
    transfer.server.count(|counters| counters.bytes += length);
    Ok(Some((Frame::data(buffer.into()), transfer)))
}

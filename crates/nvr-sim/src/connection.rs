use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::recorder::Recorder;
use crate::reply::Reply;
use crate::route;

/// A fault cuts the connection: hyper drops the socket of a service that fails, unanswered.
#[derive(Debug, thiserror::Error)]
#[error("connection is cut by a fault")]
struct Cut;

/// HTTP/1.1 as recorders and the control port speak it: no `Date`, no lower-case header names.
pub(crate) fn http() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).auto_date_header(false).title_case_headers(true);
    builder
}

/// Whether a failed `accept` concerns that one connection only (accept(2)).
pub(crate) fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Serves one connection to its end. A reboot that was asked for on it starts when its answer is out.
pub(crate) async fn serve(recorder: Arc<Recorder>, stream: TcpStream) {
    recorder.count(|counters| counters.connections += 1);
    let rebooting = AtomicBool::new(false);
    let service = service_fn(|request| async {
        match route::reply(&recorder, request).await {
            Reply::Answer(message) => Ok(message),
            Reply::AnswerThenReboot(message) => {
                rebooting.store(true, Ordering::Relaxed);
                Ok(message)
            }
            Reply::Cut => Err(Cut),
        }
    });
    // how a connection ends is the client's business, or the fault's; there is nobody to tell
    let _ = http().serve_connection(TokioIo::new(stream), service).await;
    if rebooting.into_inner() {
        recorder.power_down();
    }
}

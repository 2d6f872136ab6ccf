use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::recorder::Recorder;
use crate::reply::Reply;
use crate::throttle::Throttled;
use crate::{TlsFault, route, tls};

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

/// Serves one connection of the plain port to its end.
pub(crate) async fn plain(recorder: Arc<Recorder>, stream: TcpStream) {
    recorder.count(|counters| counters.connections += 1);
    serve(&recorder, Throttled::new(stream, Arc::clone(&recorder))).await;
}

/// Serves one connection of the TLS port to its end.
pub(crate) async fn secure(recorder: Arc<Recorder>, stream: TcpStream) {
    recorder.count(|counters| counters.connections += 1);
    let stream = Throttled::new(stream, Arc::clone(&recorder));
    let fault = recorder.state.borrow().faults.tls;
    match fault {
        None => {
            let acceptor = recorder.tls.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(acceptor) = acceptor else { return };
            // a client that does not like the certificate, or speaks no TLS, has been told by rustls
            if let Ok(stream) = acceptor.accept(stream).await {
                recorder.count(|counters| counters.handshakes += 1);
                serve(&recorder, stream).await;
            }
        }
        // a client that goes away before it is told has nobody else to tell
        Some(TlsFault::Alert) => drop(tls::alert(stream).await),
        Some(TlsFault::PlainText) => serve(&recorder, stream).await,
        Some(TlsFault::Close) => {}
        Some(TlsFault::Silence) => std::future::pending().await,
    }
}

/// Speaks HTTP to the end. A reboot that was asked for starts when its answer is out.
async fn serve(recorder: &Arc<Recorder>, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let rebooting = AtomicBool::new(false);
    let service = service_fn(|request| async {
        match route::reply(recorder, request).await {
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

//! The control port: what a script asks of the simulator itself, outside of what a recorder offers.
//!
//! `GET /` gives [`crate::State`] as JSON; `POST /fault` with a [`Faults`] object replaces all faults
//! (`{}` clears them). Loopback only: the builder refuses any other address.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Faults;
use crate::connection;
use crate::recorder::Recorder;

/// Bytes of a fault document; the largest sensible one is a few hundred.
const LONGEST_BODY: usize = 64 * 1024;

/// Serves the control port; ends only if the port fails.
pub(crate) async fn run(recorder: Arc<Recorder>, listener: TcpListener) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let recorder = Arc::clone(&recorder);
                    connections.spawn(async move {
                        let service = service_fn(|request| answer(&recorder, request));
                        // a client that hangs up in the middle has asked for nothing
                        let _ = connection::http().serve_connection(TokioIo::new(stream), service).await;
                    });
                }
                Err(error) if connection::is_passing(&error) => {}
                Err(error) => return Err(error),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(
    recorder: &Recorder,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => json(StatusCode::OK, &recorder.state()),
        (&Method::POST, "/fault") => match faults(request.into_body()).await {
            Ok(faults) => {
                recorder.state.send_modify(|state| state.faults = faults);
                json(StatusCode::OK, &recorder.state())
            }
            Err(message) => error(StatusCode::BAD_REQUEST, &message),
        },
        _ => error(StatusCode::NOT_FOUND, "expected GET / or POST /fault"),
    })
}

async fn faults(body: Incoming) -> Result<Faults, String> {
    let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(|error| error.to_string())?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())
}

fn error(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    json(status, &serde_json::json!({ "error": message }))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    let (status, text) = match serde_json::to_vec(value) {
        Ok(text) => (status, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string().into_bytes()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

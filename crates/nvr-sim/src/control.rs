//! The control port: what a script asks of the simulator itself, outside of what a recorder offers.
//!
//! `GET /` gives [`crate::State`] as JSON. What may change while the recorder runs are the sections
//! `fault`, `login` and `content` of a scenario: `POST /fault` with an object replaces all of it (`{}`
//! is the default), `PATCH /fault` changes what is named (`null` is the default of a key).
//! Loopback only: the builder refuses any other address.

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
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::connection;
use crate::recorder::Recorder;

/// Bytes of a document that changes something; the largest sensible one is a few thousand.
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
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let known = ["/fault", "/login", "/content"].contains(&path);
    Ok(match head.method {
        Method::GET if path == "/" => json(StatusCode::OK, &recorder.state()),
        Method::POST | Method::PATCH if known => {
            match change(recorder, path, head.method == Method::PATCH, body).await {
                Ok(()) => json(StatusCode::OK, &recorder.state()),
                Err(message) => error(StatusCode::BAD_REQUEST, &message),
            }
        }
        _ => error(StatusCode::NOT_FOUND, "expected GET / or POST or PATCH on /fault, /login, /content"),
    })
}

async fn change(recorder: &Recorder, path: &str, keep: bool, body: Incoming) -> Result<(), String> {
    let body =
        Limited::new(body, LONGEST_BODY).collect().await.map_err(|error| error.to_string())?.to_bytes();
    let state = recorder.state();
    match path {
        "/login" => {
            let login = changed(&state.login, keep, &body)?;
            recorder.set_login(login);
        }
        "/content" => {
            let content = changed(&state.content, keep, &body)?;
            recorder.state.send_modify(|state| state.content = content);
        }
        _ => {
            let faults = changed(&state.faults, keep, &body)?;
            recorder.state.send_modify(|state| state.faults = faults);
        }
    }
    Ok(())
}

/// What a section becomes: what the body says, laid over what there is if that is to be kept.
fn changed<T: Serialize + DeserializeOwned>(current: &T, keep: bool, body: &[u8]) -> Result<T, String> {
    let change: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let whole = if keep {
        let mut whole = serde_json::to_value(current).map_err(|error| error.to_string())?;
        lay_over(&mut whole, change);
        whole
    } else {
        change
    };
    serde_json::from_value(whole).map_err(|error| error.to_string())
}

/// A JSON merge patch (RFC 7396).
fn lay_over(value: &mut Value, change: Value) {
    match (value, change) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    members.remove(&name);
                } else {
                    lay_over(members.entry(name).or_insert(Value::Null), change);
                }
            }
        }
        (value, change) => *value = change,
    }
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

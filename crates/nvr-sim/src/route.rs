//! From a request to what becomes of it: first the gate, then the endpoint, then the faults.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::gate::Denial;
use crate::recorder::Recorder;
use crate::reply::{Message, Reply, xml_message};
use crate::response_status::ResponseStatus;
use crate::state::Stage;
use crate::{WhileFlashing, configuration, document, upgrade};

const UPDATE_FIRMWARE: &str = "/ISAPI/System/updateFirmware";
const CONFIGURATION: &str = "/ISAPI/System/configurationData";
const REBOOT: &str = "/ISAPI/System/reboot";
const LOCAL_TIME: &str = "/ISAPI/System/time/localTime";
const TIME_ZONE: &str = "/ISAPI/System/time/timeZone";

/// Answers one request.
pub(crate) async fn reply(recorder: &Arc<Recorder>, request: Request<Incoming>) -> Reply {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    recorder.count(|counters| counters.request(method.as_str(), &path));
    if is_silent(recorder) {
        // fails only without a sender, which is part of the recorder
        let _ = recorder.state.subscribe().wait_for(|state| state.stage != Stage::Flashing).await;
        return Reply::Cut;
    }
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    // a header that is not text cannot be a digest answer; it must not pass for an absent one
    let authorization = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let admitted = recorder.admit(method.as_str(), target, authorization);
    let answers = recorder.state().faults.answers;
    let fault = answers.iter().find(|fault| fault.fits(method.as_str(), &path, admitted.is_ok()));
    if let Some(fault) = fault
        && let Some(reply) = fault.instead(&path).await
    {
        return reply;
    }
    let reply = match admitted {
        Ok(()) => answer(recorder, request).await,
        Err((denial, challenges)) => {
            let minimal = recorder.state.borrow().login.minimal_user_check;
            Reply::Answer(denied(denial, challenges, minimal, &path))
        }
    };
    match fault {
        Some(fault) => fault.change(reply),
        None => reply,
    }
}

/// Whether connections are taken and nothing is said on them.
fn is_silent(recorder: &Recorder) -> bool {
    let state = recorder.state.borrow();
    state.faults.while_flashing == WhileFlashing::Silent && state.stage == Stage::Flashing
}

async fn answer(recorder: &Arc<Recorder>, request: Request<Incoming>) -> Reply {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if !document::is_offered(recorder, &path) {
        // to hang up on a body that is still being sent may lose the answer on its way
        tokio::spawn(read_away(request.into_body()));
        return absent(recorder, &path);
    }
    let query = request.uri().query().map(str::to_owned);
    match (method, path.as_str()) {
        (Method::PUT, UPDATE_FIRMWARE) => upgrade::reply(recorder, request.into_body(), &path).await,
        (Method::GET, CONFIGURATION) => configuration::export(recorder, query.as_deref(), &path),
        (Method::PUT, CONFIGURATION) => {
            configuration::import(recorder, query.as_deref(), request.into_body(), &path).await
        }
        (Method::PUT, REBOOT) => reboot(recorder, &path),
        (Method::GET, "/ISAPI/System/upgradeStatus") => upgrade_status(recorder, &path),
        (Method::GET, LOCAL_TIME) => Reply::plain(document::time::local(recorder)),
        (Method::GET, TIME_ZONE) => Reply::plain(document::time::ZONE.into()),
        (method, _) => match document::read(recorder, &path) {
            Some(document) if method == Method::GET => Reply::document(document),
            None if !is_known(&path) => absent(recorder, &path),
            _ => {
                let status = ResponseStatus::new("methodNotAllowed");
                Reply::status(StatusCode::METHOD_NOT_ALLOWED, &status, &path)
            }
        },
    }
}

/// Reads a body that nobody wants, until it ends or the connection does.
async fn read_away(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Whether a path without a document is one of ours.
fn is_known(path: &str) -> bool {
    [UPDATE_FIRMWARE, CONFIGURATION, REBOOT, LOCAL_TIME, TIME_ZONE, "/ISAPI/System/upgradeStatus"]
        .contains(&path)
}

fn upgrade_status(recorder: &Recorder, path: &str) -> Reply {
    let state = recorder.state();
    match state.faults.idle_status {
        Some(_) if state.stage == Stage::Idle && !state.faults.busy => {
            let http = upgrade::status(state.faults.idle_status, StatusCode::FORBIDDEN);
            Reply::status(http, &ResponseStatus::new("notSupport"), path)
        }
        _ => Reply::document(document::system::upgrade_status(recorder)),
    }
}

/// A recorder that is writing its flash does not let itself be rebooted.
fn reboot(recorder: &Recorder, path: &str) -> Reply {
    recorder.count(|counters| counters.reboot_requests += 1);
    let state = recorder.state();
    if let Some(code) = &state.faults.refuse_reboot {
        return Reply::status(StatusCode::FORBIDDEN, &ResponseStatus::new(code), path);
    }
    match state.stage {
        Stage::Receiving | Stage::Flashing => upgrade::busy(&state.faults, path),
        Stage::Idle | Stage::RebootRequired | Stage::Down => {
            Reply::then_reboot(&ResponseStatus::new("ok"), path)
        }
    }
}

/// What recorders answer for an endpoint that they do not have (reference: ISAPI §1.10).
fn absent(recorder: &Recorder, path: &str) -> Reply {
    let http = upgrade::status(recorder.state.borrow().faults.absent_status, StatusCode::FORBIDDEN);
    Reply::status(http, &ResponseStatus::new("notSupport"), path)
}

fn denied(denial: Denial, challenges: Vec<String>, minimal: bool, path: &str) -> Message {
    let body = match denial {
        Denial::Stale => ResponseStatus::new("invalidOperation").to_xml(path),
        Denial::Malformed => ResponseStatus::new("badAuthorization").to_xml(path),
        _ if minimal => document::security::denied(Denial::Unauthenticated),
        Denial::Unauthenticated | Denial::Spent | Denial::Wrong { .. } | Denial::Locked { .. } => {
            document::security::denied(denial)
        }
    };
    let mut message = xml_message(StatusCode::UNAUTHORIZED, body);
    let headers = message.headers_mut();
    headers.insert(HeaderName::from_static("keep-alive"), HeaderValue::from_static("timeout=60, max=99"));
    // a challenge is plain ASCII: realm and nonce are made here
    for challenge in challenges.into_iter().filter_map(|text| HeaderValue::try_from(text).ok()) {
        headers.append(WWW_AUTHENTICATE, challenge);
    }
    message
}

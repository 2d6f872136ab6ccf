//! From a request to what becomes of it: first the gate, then the endpoint.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;

use crate::gate::Denial;
use crate::recorder::Recorder;
use crate::reply::{Message, Reply, xml_message};
use crate::response_status::ResponseStatus;
use crate::state::Stage;
use crate::{document, upgrade};

const UPDATE_FIRMWARE: &str = "/ISAPI/System/updateFirmware";

/// Answers one request.
pub(crate) async fn reply(recorder: &Arc<Recorder>, request: Request<Incoming>) -> Reply {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    // a header that is not text cannot be a digest answer; it must not pass for an absent one
    let authorization = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    if let Err((denial, challenge)) = recorder.admit(request.method().as_str(), target, authorization) {
        return Reply::Answer(denied(denial, challenge, request.uri().path()));
    }
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::PUT, UPDATE_FIRMWARE) => upgrade::reply(recorder, request.into_body(), &path).await,
        (_, UPDATE_FIRMWARE) => {
            Reply::status(StatusCode::METHOD_NOT_ALLOWED, &ResponseStatus::new("methodNotAllowed"), &path)
        }
        (&Method::PUT, "/ISAPI/System/reboot") => reboot(recorder, &path),
        (&Method::GET, _) => read(recorder, &path),
        _ => absent(&path),
    }
}

fn read(recorder: &Recorder, path: &str) -> Reply {
    Reply::document(match path {
        // both paths give the same document on real recorders (reference: ISAPI §8)
        "/ISAPI/System/deviceInfo" | "/ISAPI/System/deviceInfo/capabilities" => {
            document::device_info(recorder)
        }
        "/ISAPI/System/capabilities" => document::capabilities(),
        "/ISAPI/System/upgradeStatus" => document::upgrade_status(recorder),
        "/ISAPI/System/time" => document::time(recorder),
        "/ISAPI/System/time/localTime" => return Reply::plain(document::local_time(recorder)),
        "/ISAPI/ContentMgmt/Storage" => document::storage(recorder),
        "/ISAPI/ContentMgmt/InputProxy/channels" => document::channels(),
        "/ISAPI/Security/userCheck" => document::user_check(),
        "/ISAPI/Security/onlineUser" => document::online_user(recorder),
        _ => return absent(path),
    })
}

/// A recorder that is writing its flash does not let itself be rebooted.
fn reboot(recorder: &Recorder, path: &str) -> Reply {
    match recorder.state().stage {
        Stage::Receiving | Stage::Flashing => {
            Reply::status(StatusCode::OK, &ResponseStatus::new("upgrading"), path)
        }
        Stage::Idle | Stage::RebootRequired | Stage::Down => Reply::reboot(path),
    }
}

/// What recorders answer for an endpoint that they do not have (reference: ISAPI §1.10).
fn absent(path: &str) -> Reply {
    Reply::status(StatusCode::FORBIDDEN, &ResponseStatus::new("notSupport"), path)
}

fn denied(denial: Denial, challenge: Option<String>, path: &str) -> Message {
    let body = match denial {
        Denial::Stale => ResponseStatus::new("invalidOperation").to_xml(path),
        Denial::Malformed => ResponseStatus::new("badAuthorization").to_xml(path),
        Denial::Unauthenticated | Denial::Spent | Denial::Wrong { .. } | Denial::Locked { .. } => {
            document::denied_user_check(denial)
        }
    };
    let mut message = xml_message(StatusCode::UNAUTHORIZED, body);
    let headers = message.headers_mut();
    headers.insert(HeaderName::from_static("keep-alive"), HeaderValue::from_static("timeout=60, max=99"));
    // a challenge is plain ASCII: realm and nonce are made here
    if let Some(challenge) = challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    message
}

//! `PUT /ISAPI/System/updateFirmware`: take the body, judge it, write it, answer.
//!
//! The answer is the verdict and comes only after the flash is written (reference: ISAPI §1.2). A
//! client that goes away after its last byte changes nothing: the recorder goes on without it.

use std::sync::Arc;

use bytes::Bytes;
use firmware::Sha256Digest;
use firmware::container::{Container, LONGEST_HEADER, Rejected, inspect};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::recorder::Recorder;
use crate::reply::Reply;
use crate::response_status::ResponseStatus;
use crate::state::Package;
use crate::{Faults, Verdict, WhileFlashing};

/// Answers the push, or cuts it off where a fault says so.
pub(crate) async fn reply(recorder: &Arc<Recorder>, body: Incoming, path: &str) -> Reply {
    if !body.is_end_stream() {
        recorder.count(|counters| counters.pushes += 1);
    }
    let reception = recorder.receive();
    let Ok(arrived) = take(recorder, body).await else { return Reply::Cut };
    let faults = recorder.state().faults;
    if reception.is_none() {
        return busy(&faults, path);
    }
    if let Err(code) = judge(&arrived, &faults) {
        // 403 is what devices send
        let http = status(faults.refuse_status, StatusCode::FORBIDDEN);
        let refusal = ResponseStatus::new(&code).with_code(faults.refuse_code);
        return Reply::status(http, &refusal.with_text(faults.refuse_text.as_deref()), path);
    }
    let writing = Arc::clone(recorder);
    let written = tokio::spawn(async move { writing.write_flash().await });
    if faults.while_flashing == WhileFlashing::Unseen {
        return Reply::Cut;
    }
    let written = written.await;
    let faults = recorder.state().faults;
    if written.is_err() || faults.cut_at_end {
        return Reply::Cut;
    }
    let verdict = match faults.verdict {
        Verdict::RebootRequired => ResponseStatus::new("rebootRequired"),
        Verdict::AutoReboot => ResponseStatus::new("autoReboot"),
        Verdict::Ok => ResponseStatus::new("ok"),
        Verdict::Zero => ResponseStatus::new("ok").with_code(Some(0)),
    };
    if faults.reboots_itself {
        Reply::then_reboot(&verdict, path)
    } else {
        Reply::status(StatusCode::OK, &verdict, path)
    }
}

/// Another upgrade is running, or is said to be.
pub(crate) fn busy(faults: &Faults, path: &str) -> Reply {
    Reply::status(status(faults.busy_status, StatusCode::OK), &ResponseStatus::new("upgrading"), path)
}

/// The HTTP status of a fault, which was checked where it entered.
pub(crate) fn status(fault: Option<u16>, usual: StatusCode) -> StatusCode {
    fault.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(usual)
}

/// A body that arrived whole: its beginning and its length. The rest is only hashed.
struct Arrived {
    start: Vec<u8>,
    size: u64,
}

/// The connection ended, or is to be cut, before the body was whole.
struct Incomplete;

async fn take(recorder: &Recorder, mut body: Incoming) -> Result<Arrived, Incomplete> {
    let began = Instant::now();
    let mut arrived = Arrived { start: Vec::new(), size: 0 };
    let mut hasher = Sha256::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| Incomplete)?.into_data() else { continue };
        arrived.add(&bytes);
        hasher.update(&bytes);
        recorder.count(|counters| counters.bytes += bytes.len() as u64);
        if recorder.state.borrow().faults.cut_after.is_some_and(|limit| arrived.size >= limit) {
            return Err(Incomplete);
        }
    }
    if arrived.size > 0 {
        let package = Package { size: arrived.size, sha256: Sha256Digest::from(hasher) };
        recorder.received(package, began.elapsed());
    }
    Ok(arrived)
}

impl Arrived {
    fn add(&mut self, bytes: &Bytes) {
        let wanted = (LONGEST_HEADER - self.start.len()).min(bytes.len());
        self.start.extend_from_slice(&bytes[..wanted]);
        self.size += bytes.len() as u64;
    }
}

/// What a recorder of the older line checks before it writes: a readable header that is whole.
/// Language, class and version are not judged: which answer a device gives is a fault to choose.
fn judge(arrived: &Arrived, faults: &Faults) -> Result<(), String> {
    if let Some(code) = &faults.refuse {
        return Err(code.clone());
    }
    match inspect(&arrived.start, arrived.size) {
        Ok(Container::A(_)) => Ok(()),
        Err(Rejected::Zip) => Err("fileError".into()),
        Ok(_) | Err(_) => Err("badUpgradePackage".into()),
    }
}

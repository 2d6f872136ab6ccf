//! `GET` and `PUT /ISAPI/System/configurationData`: an export that only this recorder understands,
//! under a key if one is given (reference: ISAPI §11).

use firmware::Sha256Digest;
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use sha2::{Digest, Sha256};

use crate::Profile;
use crate::content::{Backup, KeyRule};
use crate::recorder::Recorder;
use crate::reply::Reply;
use crate::response_status::ResponseStatus;
use crate::state::{Package, Stage};
use crate::upgrade;

const MAGIC: &[u8; 8] = b"NVRSIM01";
/// Characters of a key, as all captured recorders tell it.
const LONGEST_KEY: usize = 16;
/// Magic, hash of the key, hash of what follows.
const HEAD: usize = 8 + 32 + 32;
/// Bytes of an export that is put back.
const LARGEST: usize = 64 << 20;

/// The export.
pub(crate) fn export(recorder: &Recorder, query: Option<&str>, path: &str) -> Reply {
    let state = recorder.state();
    let key = match key(&state.content.backup, query) {
        Ok(key) => key,
        Err(code) => return refused(code, path),
    };
    recorder.count(|counters| counters.backups += 1);
    let size = (state.content.backup.bytes as usize).saturating_sub(HEAD);
    // the same recorder exports the same bytes
    let contents: Vec<u8> = state.serial.normalised().bytes().cycle().take(size).collect();
    let hashes = [Sha256::digest(key), Sha256::digest(&contents)];
    Reply::opaque([MAGIC.as_slice(), &hashes[0], &hashes[1], &contents].concat())
}

/// Puts an export back. A recorder then reboots by itself, a camera waits to be told (reference: ISAPI §6).
pub(crate) async fn import(recorder: &Recorder, query: Option<&str>, body: Incoming, path: &str) -> Reply {
    let state = recorder.state();
    // first all of it: an answer to half of it is another case for whoever sends
    let Ok(body) = Limited::new(body, LARGEST).collect().await else { return Reply::Cut };
    let key = match key(&state.content.backup, query) {
        Ok(key) => key.to_owned(),
        Err(code) => return refused(code, path),
    };
    let bytes = body.to_bytes();
    if recorder.state().stage != Stage::Idle {
        return upgrade::busy(&state.faults, path);
    }
    if let Err(code) = judge(&bytes, &key) {
        return refused(code, path);
    }
    let package = Package { size: bytes.len() as u64, sha256: Sha256Digest::of(&bytes) };
    recorder.state.send_modify(|state| {
        state.counters.restores += 1;
        state.last_restore = Some(package);
    });
    let taken = ResponseStatus::new("rebootRequired");
    match recorder.profile {
        Profile::Camera => Reply::status(StatusCode::OK, &taken, path),
        _ => Reply::then_reboot(&taken, path),
    }
}

/// The key of the request, empty if there is none, or the code that refuses it.
fn key<'a>(backup: &'a Backup, query: Option<&'a str>) -> Result<&'a str, &'a str> {
    if let Some(code) = &backup.refuse {
        return Err(code);
    }
    let mut parameters = query.unwrap_or_default().split('&');
    let key = parameters.find_map(|parameter| parameter.strip_prefix("secretkey="));
    match (backup.key, key) {
        (KeyRule::Either | KeyRule::WithoutKey, None) => Ok(""),
        (KeyRule::Either | KeyRule::WithKey, Some(key)) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(key),
        _ => Err("badParameters"),
    }
}

fn judge(bytes: &[u8], key: &str) -> Result<(), &'static str> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("importError")?;
    let (own, rest) = rest.split_at_checked(32).ok_or("importError")?;
    let (sum, contents) = rest.split_at_checked(32).ok_or("importError")?;
    if own != Sha256::digest(key).as_slice() {
        return Err("importCfgFilePasswordErr");
    }
    if sum == Sha256::digest(contents).as_slice() { Ok(()) } else { Err("importError") }
}

fn refused(code: &str, path: &str) -> Reply {
    Reply::status(StatusCode::FORBIDDEN, &ResponseStatus::new(code), path)
}

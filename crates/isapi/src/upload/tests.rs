use std::io::Write;

use super::*;
use crate::body::BLOCK;
use crate::client::Credentials;
use crate::peer::{Act, CHALLENGE, Peer, reply, unauthorized};

const LONG: Patience = Patience { stalled: Duration::from_secs(60), whole: Duration::from_secs(60) };

fn status(code: &str, sub: &str) -> String {
    format!(
        "<ResponseStatus><statusCode>{code}</statusCode><subStatusCode>{sub}</subStatusCode></ResponseStatus>"
    )
}

/// Sixteen MiB: more than any socket buffers, so that what the peer leaves unread stays here.
fn package(digest: Option<Sha256Digest>) -> (Package, Sha256Digest) {
    let bytes: Vec<u8> = (0..16 << 20).map(|n: u32| n.to_le_bytes()[1] ^ n.to_le_bytes()[2]).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let real = Sha256Digest::of(&bytes);
    (Package::new(file, bytes.len() as u64, digest.unwrap_or(real)).unwrap(), real)
}

async fn push_with(peer: &Peer, package: &Package, patience: Patience) -> (Recorder, Result<Pushed, Error>) {
    let recorder = Recorder::new(peer.address(), Credentials::new("admin", "x".into())).unwrap();
    let ticket = recorder.upload_ticket().await.unwrap();
    let pushed =
        recorder.upload(ticket, package, patience, &watch::channel(UploadProgress::default()).0).await;
    (recorder, pushed)
}

async fn push(act: impl Fn() -> Act + Send + Sync + 'static) -> (Peer, Pushed) {
    let peer =
        Peer::start(
            move |r| if r.authorization.is_none() { Act::Reply(unauthorized(CHALLENGE, "")) } else { act() },
        )
        .await;
    let (_, pushed) = push_with(&peer, &package(None).0, LONG).await;
    (peer, pushed.unwrap())
}

#[tokio::test]
async fn goes_out_once_with_known_length_and_the_answer_ready() {
    let (peer, pushed) = push(|| Act::Reply(reply(200, &status("7", "rebootRequired")))).await;
    assert!(matches!(pushed.end, End::Answered(Answer::Taken { reboot: crate::Reboot::Due })));
    assert!(pushed.released && pushed.handed == 16 << 20);
    let seen = peer.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].length, seen[0].received), (Some(0), 0));
    assert!(seen[1].authorization.as_ref().unwrap().contains("uri=\"/ISAPI/System/updateFirmware\""));
    assert_eq!((seen[1].length, seen[1].received, seen[1].chunked), (Some(16 << 20), 16 << 20, false));
    assert_eq!(seen[1].sha256, package(None).1);
}

#[tokio::test]
async fn a_refusal_before_the_end_is_heard_and_the_last_block_stays() {
    let (_, pushed) = push(|| Act::ReplyAfter(BLOCK, reply(403, &status("6", "badLanguage")))).await;
    let End::Answered(Answer::Refused(refusal)) = pushed.end else { panic!("{:?}", pushed.end) };
    assert_eq!(refusal.sub_code.unwrap().as_str(), "badLanguage");
    assert!(!pushed.released && pushed.handed < 16 << 20);
}

#[tokio::test]
async fn a_connection_lost_before_and_after_the_last_byte_is_told_apart() {
    let (_, early) = push(|| Act::CutAfter(1 << 20)).await;
    assert!(matches!(early.end, End::Lost(_)) && !early.released, "{early:?}");
    let (_, late) = push(|| Act::CutAfter(16 << 20)).await;
    assert!(matches!(late.end, End::Lost(_)) && late.released, "{late:?}");
    assert_eq!(late.handed, 16 << 20);
}

#[tokio::test]
async fn a_wrong_digest_never_completes() {
    let peer = Peer::start(|r| {
        if r.authorization.is_none() {
            Act::Reply(unauthorized(CHALLENGE, ""))
        } else {
            Act::Reply(reply(200, ""))
        }
    })
    .await;
    let (package, real) = package(Some(Sha256Digest::of(b"approved")));
    let (_, pushed) = push_with(&peer, &package, LONG).await;
    let pushed = pushed.unwrap();
    assert!(
        matches!(pushed.end, End::WrongDigest { expected, found } if expected == Sha256Digest::of(b"approved") && found == real)
    );
    assert!(!pushed.released);
    assert_eq!(pushed.handed, (16 << 20) - BLOCK as u64);
    peer.settled(2).await;
    assert!(peer.seen()[1].received <= (16 << 20) - BLOCK as u64, "the recorder never had all of it");
}

#[tokio::test]
async fn a_wrong_password_in_words_is_never_sent_again() {
    let peer = Peer::start(|r| {
        let challenge = format!("Digest realm=\"r\", nonce=\"n{}\", qop=\"auth\", stale=true", r.number);
        if r.authorization.is_none() {
            Act::Reply(unauthorized(&challenge, ""))
        } else {
            Act::ReplyAfter(BLOCK, unauthorized(&challenge, &status("4", "loginPasswordError")))
        }
    })
    .await;
    let (recorder, pushed) = push_with(&peer, &package(None).0, LONG).await;
    assert!(matches!(pushed.unwrap().end, End::Unauthorized { resend: None, .. }));
    assert!(matches!(recorder.device_info().await, Err(Error::LoginStopped { .. })));
}

#[tokio::test]
async fn an_upload_that_nobody_takes_is_given_up() {
    let peer = Peer::start(|r| {
        if r.authorization.is_none() { Act::Reply(unauthorized(CHALLENGE, "")) } else { Act::Hang }
    })
    .await;
    let brief = Duration::from_millis(200);
    let (_, stalled) =
        push_with(&peer, &package(None).0, Patience { stalled: brief, whole: LONG.whole }).await;
    let stalled = stalled.unwrap();
    assert!(matches!(stalled.end, End::Stalled(_)) && !stalled.released);
    let (_, long) =
        push_with(&peer, &package(None).0, Patience { stalled: LONG.stalled, whole: brief }).await;
    assert!(matches!(long.unwrap().end, End::TooLong(_)));
}

#[tokio::test]
async fn a_401_allows_one_resend_only_for_a_new_nonce_and_no_counted_attempt() {
    let fresh = "Digest realm=\"r\", nonce=\"other\", qop=\"auth\"";
    let left = |n| format!("<userCheck><retryLoginTime>{n}</retryLoginTime></userCheck>");
    for (before, challenge, after, allowed) in [
        (String::new(), fresh, String::new(), true),
        (left(5), fresh, left(5), true),
        (left(5), fresh, left(4), false),
        (String::new(), fresh, left(4), false),
        (String::new(), CHALLENGE, String::new(), false),
        (String::new(), fresh, status("4", "invalidOperation"), true),
    ] {
        let case = format!("{before} {challenge} {after}");
        let counted = after.contains("retryLoginTime>4");
        let (package, _) = package(None);
        let peer = Peer::start(move |r| {
            if r.authorization.is_none() {
                Act::Reply(unauthorized(CHALLENGE, &before))
            } else {
                Act::ReplyAfter(0, unauthorized(challenge, &after))
            }
        })
        .await;
        let (recorder, pushed) = push_with(&peer, &package, LONG).await;
        let pushed = pushed.unwrap();
        let End::Unauthorized { resend, .. } = pushed.end else { panic!("{case}: {:?}", pushed.end) };
        assert_eq!((resend.is_some(), pushed.released), (allowed, false), "{case}");
        if let Some(ticket) = resend {
            let again = recorder
                .upload(ticket, &package, LONG, &watch::channel(UploadProgress::default()).0)
                .await
                .unwrap();
            assert!(
                matches!(again.end, End::Unauthorized { resend: None, .. }),
                "{case}: never a third time"
            );
        }
        assert_eq!(
            matches!(recorder.device_info().await, Err(Error::LoginStopped { .. })),
            counted,
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_recorder_that_does_not_challenge_the_put_is_asked_by_get() {
    let peer = Peer::start(|r| {
        Act::Reply(match (&r.authorization, r.line.starts_with("GET")) {
            (Some(_), _) => reply(200, &status("1", "ok")),
            (None, true) => unauthorized(CHALLENGE, ""),
            (None, false) => reply(403, &status("4", "notSupport")),
        })
    })
    .await;
    let (_, pushed) = push_with(&peer, &package(None).0, LONG).await;
    assert!(matches!(pushed.unwrap().end, End::Answered(Answer::Taken { .. })));
    let lines: Vec<String> = peer.seen().iter().map(|r| r.line.clone()).collect();
    assert_eq!(lines[1], "GET /ISAPI/System/upgradeStatus HTTP/1.1");
    assert_eq!(lines.len(), 3);
}

#[tokio::test]
async fn after_the_last_block_a_401_is_never_answered() {
    let fresh = "Digest realm=\"r\", nonce=\"other\", qop=\"auth\", stale=true";
    let (peer, pushed) = push(move || Act::Reply(unauthorized(fresh, ""))).await;
    assert!(matches!(pushed.end, End::Unauthorized { resend: None, .. }) && pushed.released, "{pushed:?}");
    assert_eq!(peer.seen()[1].received, 16 << 20);
}

use std::collections::HashSet;
use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Mutex;

use firmware::Sha256Digest;

use super::*;
use crate::peer::{Act, CHALLENGE, Peer, Seen, reply, unauthorized};
use crate::transport::Channel;
use crate::xml::LARGEST;

const STATUS: &str = "<upgradeStatus><upgrading>false</upgrading><percent>0</percent></upgradeStatus>";

fn recorder(peer: &Peer) -> Recorder {
    Recorder::new(peer.address(), Credentials::new("admin", "secret-word".into())).unwrap()
}

#[tokio::test]
async fn every_login_takes_a_challenge_of_its_own() {
    let peer = Peer::start(|request| {
        Act::Reply(if request.authorization.is_some() {
            reply(200, STATUS)
        } else {
            unauthorized(CHALLENGE, "")
        })
    })
    .await;
    let recorder = recorder(&peer);
    recorder.upgrade_status().await.unwrap();
    assert_eq!(recorder.upgrade_status().await.unwrap().unwrap().percent, Some(0));
    let seen = peer.seen();
    assert_eq!(
        seen.iter().map(|r| r.authorization.is_some()).collect::<Vec<_>>(),
        [false, true, false, true]
    );
    let header = seen[1].authorization.as_ref().unwrap();
    assert!(header.contains("uri=\"/ISAPI/System/upgradeStatus\"") && header.contains("nc=00000001"));
    assert_ne!(header, seen[3].authorization.as_ref().unwrap(), "a fresh cnonce");
    assert!(!format!("{recorder:?}").contains("secret-word"));
}

#[tokio::test]
async fn one_wrong_password_stops_everything() {
    let check = "<userCheck><statusValue>401</statusValue><lockStatus>unlock</lockStatus><retryLoginTime>4</retryLoginTime></userCheck>";
    let peer = Peer::start(move |request| {
        Act::Reply(unauthorized(CHALLENGE, if request.authorization.is_some() { check } else { "" }))
    })
    .await;
    let recorder = recorder(&peer);
    assert!(matches!(recorder.device_info().await, Err(Error::WrongPassword { attempts_left: Some(4), .. })));
    assert!(matches!(recorder.device_info().await, Err(Error::LoginStopped { .. })));
    assert!(matches!(recorder.reboot().await, Err(Error::LoginStopped { .. })));
    assert_eq!(peer.seen().len(), 2, "nothing was sent after the refusal");
    let refused = recorder.refused_login();
    assert!(matches!(refused, Some((_, Error::WrongPassword { attempts_left: Some(4), .. }))), "{refused:?}");
}

#[tokio::test]
async fn a_password_that_was_refused_where_it_is_now_is_refused_where_it_was() {
    let peer = async || {
        Peer::start(move |_| {
            Act::Reply(unauthorized(CHALLENGE, "<userCheck><retryLoginTime>4</retryLoginTime></userCheck>"))
        })
        .await
    };
    let (old, new) = (peer().await, peer().await);
    let recorder = recorder(&old);
    let there = recorder.moved_to(new.address(), &Transport::default()).unwrap();
    assert!(matches!(there.device_info().await, Err(Error::WrongPassword { .. })));
    assert!(matches!(recorder.device_info().await, Err(Error::LoginStopped { .. })));
    assert_eq!((new.seen().len(), old.seen().iter().filter(|r| r.authorization.is_some()).count()), (2, 0));
    let (address, refused) = recorder.refused_login().unwrap();
    assert_eq!(*address, new.address());
    assert!(matches!(refused, Error::WrongPassword { attempts_left: Some(4), .. }), "{refused:?}");
}

#[tokio::test]
async fn a_locked_account_is_not_asked_at_all() {
    let check = "<userCheck><lockStatus>lock</lockStatus><unlockTime>1799</unlockTime><retryLoginTime>0</retryLoginTime></userCheck>";
    let peer = Peer::start(move |_| Act::Reply(unauthorized(CHALLENGE, check))).await;
    assert!(matches!(recorder(&peer).device_info().await, Err(Error::Locked { seconds: Some(1799), .. })));
    assert!(peer.seen()[0].authorization.is_none() && peer.seen().len() == 1);
}

#[tokio::test]
async fn a_stale_nonce_is_answered_once_more_and_no_oftener() {
    let stale = |n: usize| {
        unauthorized(&format!("Digest realm=\"r\", nonce=\"n{n}\", qop=\"auth\", stale=\"TRUE\""), "")
    };
    let peer =
        Peer::start(move |r| Act::Reply(if r.number == 2 { reply(200, STATUS) } else { stale(r.number) }))
            .await;
    assert!(recorder(&peer).upgrade_status().await.is_ok());
    assert_eq!(peer.seen().len(), 3);
    let endless = Peer::start(move |r| Act::Reply(stale(r.number))).await;
    assert!(matches!(recorder(&endless).upgrade_status().await, Err(Error::WrongPassword { .. })));
    assert_eq!(endless.seen().len(), 3);
}

#[tokio::test]
async fn absent_refused_and_forbidden_are_told_apart() {
    let status = |code: &str, sub: &str| {
        format!(
            "<ResponseStatus><statusCode>{code}</statusCode><subStatusCode>{sub}</subStatusCode></ResponseStatus>"
        )
    };
    let answers = [
        reply(403, &status("4", "notSupport")),
        reply(404, ""),
        reply(403, &status("4", "lowPrivilege")),
        reply(200, &status("3", "deviceError")),
        reply(200, "<html/>"),
        reply(302, ""),
    ];
    let peer = Peer::start(move |r| Act::Reply(answers[r.number].clone())).await;
    let recorder = recorder(&peer);
    assert!(matches!(recorder.upgrade_status().await, Ok(None)));
    assert!(matches!(recorder.disks().await, Ok(None)));
    assert!(matches!(recorder.disks().await, Err(Error::NoPermission { .. })));
    assert!(matches!(recorder.device_info().await, Err(Error::Refused { .. })));
    assert!(matches!(recorder.device_info().await, Err(Error::Malformed { http: 200, .. })));
    assert!(matches!(recorder.device_info().await, Err(Error::Redirected { http: 302, .. })));
}

#[tokio::test]
async fn endless_replies_are_cut_and_absence_is_absence() {
    let peer = Peer::start(|_| Act::Reply(reply(200, &"x".repeat(LARGEST + 1)))).await;
    let client = recorder(&peer);
    assert!(matches!(client.device_info().await, Err(Error::TooLarge { .. })));
    let address = peer.stop().await;
    let gone = Recorder::new(address, Credentials::new("admin", "x".into())).unwrap();
    assert!(matches!(gone.device_info().await, Err(e @ Error::Unreachable { .. }) if e.is_absence()));
    let cut = Peer::start(|_| Act::CutAfter(0)).await;
    assert!(matches!(recorder(&cut).device_info().await, Err(e @ Error::Lost { .. }) if e.is_absence()));
}

#[tokio::test]
async fn a_reboot_is_an_empty_put_of_known_length() {
    let done = "<ResponseStatus><statusCode>1</statusCode><subStatusCode>ok</subStatusCode></ResponseStatus>";
    let peer = Peer::start(move |r| {
        Act::Reply(if r.authorization.is_some() { reply(200, done) } else { unauthorized(CHALLENGE, "") })
    })
    .await;
    assert!(matches!(recorder(&peer).reboot().await, Ok(Answer::Taken { .. })));
    assert!(peer.seen().iter().all(|r| r.line == "PUT /ISAPI/System/reboot HTTP/1.1" && r.length == Some(0)));
}

/// As strict as any firmware was reported to be (reference: ISAPI §9.1, §9.2): a nonce is good for one
/// method and target and one use, `nextnonce` is a trap, and the realm changes its letters at any time.
#[tokio::test]
async fn the_strictest_nonces_do() {
    let target = |r: &Seen| r.line.rsplit_once(' ').unwrap().0.replace(' ', "-");
    let given = Mutex::new(HashSet::new());
    let peer = Peer::start(move |r| {
        let mut given = given.lock().unwrap();
        let Some(login) = &r.authorization else {
            let nonce = format!("{}-{}", target(r), r.number);
            let realm = if r.number % 4 == 0 { "DS-6E392E44" } else { "DS-6e392e44" };
            given.insert(format!("realm=\"{realm}\", nonce=\"{nonce}\""));
            let challenge = format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"");
            return Act::Reply(unauthorized(&challenge, ""));
        };
        let known = given.iter().find(|g| login.contains(*g) && g.contains(&target(r))).cloned();
        if known.is_none_or(|known| !given.remove(&known)) || !login.contains("nc=00000001") {
            return Act::Reply(unauthorized(CHALLENGE, ""));
        }
        let ok = reply(200, STATUS);
        Act::Reply(ok.replacen("\r\n\r\n", "\r\nAuthentication-Info: nextnonce=\"trap\"\r\n\r\n", 1))
    })
    .await;
    let recorder = recorder(&peer);
    for _ in 0..3 {
        recorder.upgrade_status().await.unwrap();
        assert!(matches!(recorder.reboot().await, Ok(Answer::Unclear { http: 200, .. })));
    }
    assert_eq!(peer.seen().len(), 12);
}

/// Reference: ISAPI §9.2, the access terminal
#[tokio::test]
async fn an_expired_nonce_is_told_from_a_wrong_password() {
    let expired = "<ResponseStatus><statusCode>4</statusCode><subStatusCode>invalidOperation</subStatusCode></ResponseStatus>";
    let fresh = |n: usize| format!("Digest realm=\"r\", nonce=\"n{n}\", qop=\"auth\"");
    let peer = Peer::start(move |r| {
        Act::Reply(match r.number {
            0 => unauthorized(&fresh(0), ""),
            1 => unauthorized(&fresh(1), expired),
            _ => reply(200, STATUS),
        })
    })
    .await;
    assert!(recorder(&peer).upgrade_status().await.is_ok());
    let endless = Peer::start(move |r| Act::Reply(unauthorized(&fresh(r.number), expired))).await;
    let client = recorder(&endless);
    assert!(matches!(client.upgrade_status().await, Err(Error::Refused { .. })));
    assert_eq!(endless.seen().len(), 3);
    // no password was refused, so the next request may log in
    assert!(matches!(client.upgrade_status().await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn a_stale_nonce_that_cost_an_attempt_ends_it() {
    let peer = Peer::start(|r| {
        let left = if r.authorization.is_some() { 3 } else { 4 };
        let challenge = format!("Digest realm=\"r\", nonce=\"n{}\", qop=\"auth\", stale=true", r.number);
        Act::Reply(unauthorized(
            &challenge,
            &format!("<userCheck><retryLoginTime>{left}</retryLoginTime></userCheck>"),
        ))
    })
    .await;
    let client = recorder(&peer);
    assert!(matches!(
        client.upgrade_status().await,
        Err(Error::WrongPassword { attempts_left: Some(3), .. })
    ));
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn a_login_refused_under_another_status_stops_everything_too() {
    let no = "<ResponseStatus><statusCode>4</statusCode><subStatusCode>loginPasswordError</subStatusCode></ResponseStatus>";
    let peer = Peer::start(move |r| {
        Act::Reply(if r.authorization.is_some() { reply(403, no) } else { unauthorized(CHALLENGE, "") })
    })
    .await;
    let client = recorder(&peer);
    assert!(matches!(client.reboot().await, Err(Error::WrongPassword { .. })));
    assert!(matches!(client.reboot().await, Err(Error::LoginStopped { .. })));
}

#[tokio::test]
async fn a_wrong_password_in_words_is_one_whatever_the_nonce() {
    let no = "<ResponseStatus><statusCode>4</statusCode><subStatusCode>loginPasswordError</subStatusCode></ResponseStatus>";
    let peer = Peer::start(move |r| {
        let challenge = format!("Digest realm=\"r\", nonce=\"n{}\", qop=\"auth\", stale=true", r.number);
        Act::Reply(unauthorized(&challenge, if r.authorization.is_some() { no } else { "" }))
    })
    .await;
    let client = recorder(&peer);
    assert!(matches!(client.upgrade_status().await, Err(Error::WrongPassword { .. })));
    assert_eq!(peer.seen().len(), 2, "one login");
}

fn over_tls(listener: &TcpListener) -> Recorder {
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    let channel = Channel::Tls { certificate: Sha256Digest::of(b"x") };
    let transport = Transport { channel, ..Transport::default() };
    Recorder::over(address, Credentials::new("admin", "x".into()), &transport).unwrap()
}

/// A recorder that flashes takes connections and says nothing on them (reference: ISAPI §4). Only one that
/// takes none may be restarting.
#[tokio::test(start_paused = true)]
async fn silence_in_a_handshake_is_no_absence() {
    // the kernel takes the connection, and nobody reads it
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = over_tls(&listener).device_info().await;
    assert!(matches!(silent, Err(Error::Silent { .. })), "{silent:?}");
}

#[tokio::test]
async fn hanging_up_in_a_handshake_is_no_absence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = over_tls(&listener);
    let peer = listener.try_clone().unwrap();
    let server = std::thread::spawn(move || peer.accept().unwrap().0.read(&mut [0; 4096]).unwrap());
    let cut = client.device_info().await;
    assert!(matches!(cut, Err(Error::Lost { .. })), "{cut:?}");
    server.join().unwrap();
    drop(listener);
    let gone = client.device_info().await;
    assert!(matches!(gone, Err(Error::Unreachable { .. })), "{gone:?}");
}

#[tokio::test]
async fn plain_text_documents_are_read_like_others() {
    let peer = Peer::start(|r| {
        Act::Reply(if r.line.contains("localTime") {
            reply(200, "2026-09-09T07:24:29-05:00\r\n")
        } else {
            reply(200, "<ResponseStatus><statusCode>4</statusCode><subStatusCode>notSupport</subStatusCode></ResponseStatus>")
        })
    })
    .await;
    let client = recorder(&peer);
    let time = client.read::<crate::LocalTime>().await.unwrap();
    assert_eq!(time.0.0, jiff::civil::date(2026, 9, 9).at(7, 24, 29, 0));
    assert!(matches!(client.read::<crate::TimeZone>().await, Err(Error::NotOffered { .. })));
    assert!(matches!(client.read_offered::<crate::Ssh>().await, Ok(None)));
}

use std::io::Write;
use std::time::Duration;

use tokio::sync::watch;

use super::*;
use crate::answer::{Answer, Reboot};
use crate::client::Credentials;
use crate::package::Package;
use crate::peer::{Act, CHALLENGE, Peer, Seen, reply, unauthorized};
use crate::upload::{End, Patience, UploadProgress};

const KEYED: &str = "/ISAPI/System/configurationData?secretkey=hush-1234";

fn key() -> ConfigurationKey {
    ConfigurationKey::new("hush-1234".into()).unwrap()
}

fn refused(http: u16, code: &str, sub: &str) -> String {
    reply(
        http,
        &format!(
            "<ResponseStatus><statusCode>{code}</statusCode><subStatusCode>{sub}</subStatusCode></ResponseStatus>"
        ),
    )
}

/// A recorder that wants a login, and then answers by whether the key is there.
async fn recorder(act: impl Fn(bool, &Seen) -> String + Send + Sync + 'static) -> (Peer, Recorder) {
    let peer = Peer::start(move |r| {
        Act::Reply(match &r.authorization {
            None => unauthorized(CHALLENGE, ""),
            Some(login) => {
                let target = r.line.split(' ').nth(1).unwrap();
                assert!(login.contains(&format!("uri=\"{target}\"")), "{login}");
                act(target == KEYED, r)
            }
        })
    })
    .await;
    let recorder = Recorder::new(peer.address(), Credentials::new("admin", "x".into())).unwrap();
    (peer, recorder)
}

async fn export(recorder: &Recorder, key: Option<&ConfigurationKey>) -> (Result<Exported, Error>, Vec<u8>) {
    let mut kept = Vec::new();
    (recorder.export_configuration(key, &mut kept).await, kept)
}

#[tokio::test]
async fn is_written_as_it_comes_with_its_digest() {
    for length in [1, WORDS, WORDS + 1, 3 << 20] {
        let body = "<".repeat(length);
        let sent = body.clone();
        let (_, recorder) = recorder(move |_, _| reply(200, &sent)).await;
        let (exported, kept) = export(&recorder, Some(&key())).await;
        let expected =
            Exported { size: length as u64, sha256: Sha256Digest::of(body.as_bytes()), keyed: true };
        assert_eq!((exported.unwrap(), kept.len()), (expected, length));
    }
}

#[tokio::test]
async fn a_key_that_is_not_understood_is_left_out_and_that_is_told() {
    for answer in [
        refused(200, "6", "badParameters"),
        refused(403, "4", "notSupport"),
        refused(403, "6", "cfgFileSecretKeyError"),
    ] {
        let (peer, recorder) =
            recorder(move |keyed, _| if keyed { answer.clone() } else { reply(200, "data") }).await;
        let (exported, kept) = export(&recorder, Some(&key())).await;
        assert!(!exported.unwrap().keyed && kept == b"data");
        assert_eq!(peer.seen().len(), 4);
    }
}

#[tokio::test]
async fn other_refusals_and_nothing_are_errors_and_leave_nothing() {
    let (_, denied) = recorder(|_, _| refused(403, "4", "lowPrivilege")).await;
    let (exported, kept) = export(&denied, Some(&key())).await;
    assert!(matches!(exported, Err(Error::NoPermission { .. })) && kept.is_empty());
    let (_, absent) = recorder(|_, _| refused(403, "4", "notSupport")).await;
    assert!(matches!(export(&absent, None).await.0, Err(Error::NotOffered { .. })));
    let (_, empty) = recorder(|_, _| reply(200, "")).await;
    let (exported, _) = export(&empty, None).await;
    assert!(matches!(exported, Err(Error::Malformed { http: 200, .. })), "{exported:?}");
    let check = "<userCheck><retryLoginTime>4</retryLoginTime></userCheck>";
    let (peer, wrong) = recorder(move |_, _| unauthorized(CHALLENGE, check)).await;
    assert!(matches!(export(&wrong, Some(&key())).await.0, Err(Error::WrongPassword { .. })));
    assert_eq!(peer.seen().len(), 2, "a wrong password is no reason to ask without the key");
}

#[tokio::test]
async fn a_page_under_200_is_no_configuration() {
    for page in ["<html><head/></html>", " <!DOCTYPE html><html/>", "<?xml version='1.0'?><Time/>"] {
        for page in [page.to_owned(), format!("{page}{}", " ".repeat(2 * WORDS))] {
            let (_, recorder) = recorder(move |_, _| reply(200, &page)).await;
            let (exported, kept) = export(&recorder, None).await;
            assert!(matches!(exported, Err(Error::Malformed { http: 200, .. })) && kept.is_empty());
        }
    }
}

#[tokio::test]
async fn endless_ones_are_cut() {
    let (_, recorder) = recorder(|_, _| reply(200, &"x".repeat(usize::try_from(LARGEST).unwrap() + 1))).await;
    let mut sink = tokio::io::sink();
    let exported = recorder.export_configuration(None, &mut sink).await;
    assert!(matches!(exported, Err(Error::TooLarge { .. })), "{exported:?}");
}

#[tokio::test]
async fn one_that_comes_in_drops_has_an_end() {
    let peer = Peer::start(|r| match &r.authorization {
        None => Act::Reply(unauthorized(CHALLENGE, "")),
        Some(_) => Act::Drip("HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n".into()),
    })
    .await;
    let recorder = Recorder::new(peer.address(), Credentials::new("admin", "x".into())).unwrap();
    let mut sink = tokio::io::sink();
    let export = recorder.export_within(Duration::from_millis(300), None, &mut sink);
    let exported = tokio::time::timeout(Duration::from_secs(20), export).await.expect("an end");
    assert!(matches!(exported, Err(Error::Silent { .. })), "{exported:?}");
}

#[tokio::test]
async fn a_restore_goes_out_once_to_the_keyed_url() {
    let (peer, recorder) = recorder(|_, _| refused(200, "7", "rebootRequired")).await;
    let ticket = recorder.restore_ticket(Some(&key())).await.unwrap();
    assert!(!format!("{ticket:?}").contains("hush"));
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"configuration").unwrap();
    let package = Package::new(file, 13, Sha256Digest::of(b"configuration")).unwrap();
    let patience = Patience { stalled: Duration::from_secs(60), whole: Duration::from_secs(60) };
    let progress = watch::channel(UploadProgress::default()).0;
    let pushed = recorder.upload(ticket, &package, patience, &progress).await.unwrap();
    assert!(matches!(pushed.end, End::Answered(Answer::Taken { reboot: Reboot::Due })));
    let seen = peer.seen();
    assert!(seen.len() == 2 && seen.iter().all(|r| r.line == format!("PUT {KEYED} HTTP/1.1")));
    assert_eq!(seen[1].sha256, Sha256Digest::of(b"configuration"));
}

#[tokio::test]
async fn the_key_is_in_no_message() {
    let (peer, recorder) = recorder(|_, _| String::new()).await;
    let lost = export(&recorder, Some(&key())).await.0.unwrap_err();
    peer.stop().await;
    let gone = export(&recorder, Some(&key())).await.0.unwrap_err();
    for error in [lost, gone] {
        let shown =
            format!("{error} {error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string));
        assert!(!shown.contains("hush"), "{shown}");
    }
}

#[test]
fn keys_are_what_a_url_holds_as_it_is() {
    assert!(!format!("{:?}", key()).contains("hush"));
    for text in ["", "a b", "a&b", "a%20b", "schlüssel", &"x".repeat(33)] {
        assert_eq!(ConfigurationKey::new(text.into()).unwrap_err(), InvalidConfigurationKey, "{text}");
    }
}

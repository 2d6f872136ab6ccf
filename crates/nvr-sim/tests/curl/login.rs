use md5::{Digest, Md5};
use nvr_sim::Faults;

use crate::{ask, builder, curl, url};

#[tokio::test]
async fn right_password_reads_every_document() {
    let mut recorder = builder();
    recorder.faults = Faults {
        logged_in: Some("<guard>".into()),
        disk_status: Some("error".into()),
        clock_offset: 7200,
        ..Faults::default()
    };
    let recorder = recorder.start().await.unwrap();
    for (path, expected) in [
        ("System/deviceInfo", "<serialNumber>DS-7608NI-I20120200101CCRRE00000001WCVU</serialNumber>"),
        ("System/deviceInfo/capabilities", "<firmwareReleasedDate>build 200101</firmwareReleasedDate>"),
        ("System/capabilities", "<DeviceCap "),
        ("System/upgradeStatus", "<upgrading>false</upgrading>\n<percent>0</percent>"),
        ("System/upgradeStatus?type=x", "<upgrading>false</upgrading>"),
        ("System/time", "<localTime>2026-11-22T12:0"),
        ("System/time/localTime", "2026-11-22T12:0"),
        ("ContentMgmt/Storage", "<status>error</status>"),
        ("ContentMgmt/InputProxy/channels", "<firmwareVersion>V5.7.15 build 240201</firmwareVersion>"),
        ("Security/userCheck", "<statusValue>200</statusValue>"),
        ("Security/onlineUser", "<name>&lt;guard&gt;</name>"),
    ] {
        let answer = ask(&recorder, "right", path).await;
        assert!(answer.status == 200 && answer.text.contains(expected), "{path}: {answer:?}");
    }
    let counters = recorder.state().counters;
    assert_eq!((counters.logins, counters.unauthenticated, counters.wrong_logins), (11, 11, 0));
    recorder.shutdown().await;
}

#[tokio::test]
async fn challenge_and_body_are_those_of_a_captured_recorder() {
    let recorder = builder().start().await.unwrap();
    let answer = curl([&url(&recorder, "System/deviceInfo")]).await;
    assert_eq!(answer.status, 401);
    let header = answer.text.lines().find(|line| line.starts_with("Www-Authenticate: ")).unwrap();
    let (before, rest) = header.split_once("nonce=\"").unwrap();
    let (nonce, after) = rest.split_once('"').unwrap();
    let realm = before.split('"').nth(1).unwrap();
    assert_eq!(before, format!(r#"Www-Authenticate: Digest realm="{realm}", domain="::", qop="auth", "#));
    assert!(realm.starts_with("DS-") && realm.len() == 11, "{realm}");
    assert_eq!(after, r#", opaque="", algorithm="MD5", stale="FALSE""#);
    assert!(nonce.contains(':'), "{nonce}");
    assert!(answer.text.contains("Server: DNVRS-Webs"), "{answer:?}");
    assert!(answer.text.contains("<userCheck><statusValue>401</statusValue>"), "{answer:?}");
    let put = curl(["-X", "PUT", "-H", "Content-Length: 0", &url(&recorder, "System/updateFirmware")]).await;
    assert!(put.status == 401 && put.text.contains("Www-Authenticate: Digest"), "{put:?}");
    let counters = recorder.state().counters;
    assert_eq!((counters.unauthenticated, counters.pushes), (2, 0));
}

#[tokio::test]
async fn wrong_passwords_lock_the_account_for_the_right_one_too() {
    let recorder = builder().start().await.unwrap();
    for left in (1..=4).rev() {
        let answer = ask(&recorder, "wrong", "System/deviceInfo").await;
        let tries =
            format!("<lockStatus>unlock</lockStatus><unlockTime>0</unlockTime><retryLoginTime>{left}<");
        assert!(answer.status == 401 && answer.text.contains(&tries), "{left}: {answer:?}");
    }
    let last = ask(&recorder, "wrong", "System/deviceInfo").await;
    assert!(last.text.contains("<lockStatus>lock</lockStatus><unlockTime>1"), "{last:?}");
    let right = ask(&recorder, "right", "System/deviceInfo").await;
    assert!(right.status == 401 && right.text.contains("<lockStatus>lock</lockStatus>"), "{right:?}");
    let counters = recorder.state().counters;
    assert_eq!((counters.wrong_logins, counters.other_denials, counters.logins), (5, 1, 0));
}

/// An answer to the challenge in this 401, in the RFC 2069 form, which has no count to raise.
pub(crate) fn answer(unauthorized: &str, method: &str, uri: &str) -> String {
    let quoted = |name: &str| {
        let (_, value) = unauthorized.split_once(&format!("{name}=\"")).unwrap();
        value.split('"').next().unwrap().to_owned()
    };
    let hash = |text: String| hex::encode(Md5::digest(text));
    let (realm, nonce) = (quoted("realm"), quoted("nonce"));
    let (who, what) = (hash(format!("admin:{realm}:right")), hash(format!("{method}:{uri}")));
    let response = hash(format!("{who}:{nonce}:{what}"));
    format!(
        r#"Authorization: Digest username="admin", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}""#
    )
}

#[tokio::test]
async fn third_use_of_a_nonce_is_denied_without_a_challenge() {
    let recorder = builder().start().await.unwrap();
    let url = url(&recorder, "System/deviceInfo");
    let authorization = answer(&curl([&url]).await.text, "GET", "/ISAPI/System/deviceInfo");
    for expected in [200, 200, 401] {
        let used = curl(["-H", &authorization, &url]).await;
        assert_eq!(used.status, expected, "{used:?}");
        assert!(!used.text.contains("Www-Authenticate"), "{used:?}");
    }
    let counters = recorder.state().counters;
    assert_eq!((counters.logins, counters.wrong_logins, counters.other_denials), (2, 0, 1));
}

#[tokio::test]
async fn what_is_not_there_is_forbidden_and_not_supported() {
    let recorder = builder().start().await.unwrap();
    let absent = ask(&recorder, "right", "System/Network/ssh").await;
    assert!(absent.status == 403 && absent.text.contains("<subStatusCode>notSupport<"), "{absent:?}");
    let url = url(&recorder, "System/updateFirmware");
    let post = curl(["--digest", "-u", "admin:right", "-d", "x", &url]).await;
    assert!(post.status == 405 && post.text.contains("<subStatusCode>methodNotAllowed<"), "{post:?}");
}

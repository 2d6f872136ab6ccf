use std::time::Duration;

use nvr_sim::{Algorithm, Login};

use crate::login::answer;
use crate::{ask, curl, get, start, url};

/// A login of the usual account.
fn login() -> Login {
    Login { password: "right".into(), ..Login::default() }
}

#[tokio::test]
async fn challenges_come_in_every_form_and_curl_answers_them() {
    use Algorithm::{Md5, Md5Sess, Sha256, Sha256Sess};
    let both = || Login { algorithms: vec![Sha256, Md5], ..login() };
    for (login, headers, there, not_there) in [
        (Login { algorithms: vec![Sha256], ..login() }, 1, r#"algorithm="SHA-256""#, "MD5"),
        (Login { algorithms: vec![Md5Sess], ..login() }, 1, r#"algorithm="MD5-sess""#, "SHA"),
        (Login { algorithms: vec![Sha256Sess], ..login() }, 1, r#"algorithm="SHA-256-sess""#, "MD5"),
        (both(), 2, r#"algorithm="MD5""#, ", Digest"),
        (Login { one_header: true, ..both() }, 1, r#"stale="FALSE", Digest realm"#, "Basic"),
        (Login { basic: true, ..login() }, 2, r#"Basic realm="/""#, ", Basic"),
        (Login { qop: false, ..login() }, 1, "nonce=", "qop"),
        (Login { short_challenge: true, ..login() }, 1, r#"Digest qop="auth", realm="#, "algorithm"),
    ] {
        let recorder = start(|recorder| recorder.login = login.clone()).await;
        let bare = curl([&url(&recorder, "System/deviceInfo")]).await;
        let challenges = bare.challenges();
        assert_eq!(challenges.len(), headers, "{challenges:?}");
        let text = challenges.join("\n");
        assert!(text.contains(there) && !text.contains(not_there), "{there}: {text}");
        // curl answers the first challenge of one header only
        if !login.one_header {
            let answered = get(&recorder, "System/deviceInfo").await;
            assert_eq!(answered.status, 200, "{there}: {answered:?}");
        }
    }
}

#[tokio::test]
async fn basic_is_taken_only_where_it_is_offered_and_always_counted() {
    for (offered, status) in [(false, 401), (true, 200)] {
        let recorder = start(|recorder| recorder.login.basic = offered).await;
        let url = url(&recorder, "System/deviceInfo");
        let answer = curl(["--basic", "-u", "admin:right", &url]).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.text.contains("badAuthorization"), !offered);
        let wrong = curl(["--basic", "-u", "admin:wrong", &url]).await;
        assert_eq!(wrong.status, 401);
        let counters = recorder.state().counters;
        assert_eq!((counters.basic, counters.wrong_logins), (2, u64::from(offered)));
    }
}

#[tokio::test]
async fn a_nonce_may_be_bound_to_its_url() {
    for (url_bound_nonces, status) in [(false, 200), (true, 401)] {
        let recorder = start(|recorder| recorder.login.url_bound_nonces = url_bound_nonces).await;
        let elsewhere = curl([&url(&recorder, "System/status")]).await.text;
        let authorization = answer(&elsewhere, "GET", "/ISAPI/System/deviceInfo");
        let used = curl(["-H", &authorization, &url(&recorder, "System/deviceInfo")]).await;
        assert_eq!(used.status, status, "{used:?}");
        assert_eq!(used.text.contains("invalidOperation"), url_bound_nonces);
    }
}

#[tokio::test]
async fn a_nonce_lives_for_as_many_uses_as_allowed() {
    let recorder = start(|recorder| recorder.login.max_nonce_uses = 1).await;
    let url = url(&recorder, "System/deviceInfo");
    let authorization = answer(&curl([&url]).await.text, "GET", "/ISAPI/System/deviceInfo");
    for expected in [200, 401] {
        assert_eq!(curl(["-H", &authorization, &url]).await.status, expected);
    }
}

#[tokio::test]
async fn a_lock_counts_down_and_opens() {
    let recorder = start(|recorder| {
        recorder.login.tries = Some(1);
        recorder.login.lock = Duration::from_secs(2);
    })
    .await;
    let mut left = ask(&recorder, "wrong", "System/deviceInfo").await;
    assert_eq!(left.node("retryLoginTime"), "0");
    loop {
        let next = get(&recorder, "System/deviceInfo").await;
        if next.status == 200 {
            break;
        }
        let seconds = |answer: &crate::Transfer| answer.node("unlockTime").parse::<u64>().unwrap();
        assert!(seconds(&next) <= seconds(&left) && seconds(&next) <= 2, "{next:?}");
        left = next;
    }
    assert_eq!(recorder.state().counters.wrong_logins, 1);
}

#[tokio::test]
async fn a_recorder_may_say_nothing_of_its_lock() {
    let recorder = start(|recorder| recorder.login.minimal_user_check = true).await;
    let wrong = ask(&recorder, "wrong", "System/deviceInfo").await;
    assert!(wrong.status == 401 && wrong.text.ends_with("<userCheck><statusValue>401</statusValue><statusString>Unauthorized</statusString></userCheck>\n"), "{wrong:?}");
    assert_eq!(recorder.state().counters.wrong_logins, 1, "it counts all the same");
}

#[tokio::test]
async fn login_may_change_while_it_runs_and_keeps_a_password_that_is_not_named() {
    let recorder = start(|_| {}).await;
    recorder.set_login(Login { user: "guard".into(), ..Login::default() });
    assert_eq!(get(&recorder, "System/deviceInfo").await.status, 401);
    let guard = curl(["--digest", "-u", "guard:right", &url(&recorder, "System/deviceInfo")]).await;
    assert_eq!(guard.status, 200);
}

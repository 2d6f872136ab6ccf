//! TLS, whose certificate proves that it is the same recorder as last time, and nothing else.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::json;

use crate::simulator::{HTTPS, SERIAL, scenario};
use crate::world::World;

const OTHER_SERIAL: &str = "DS-7608NI-I20120200101CCRRE00000002WCVU";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_named_pinned_and_stands_in_the_receipt() {
    let world = World::loaded(&scenario(HTTPS, "")).await;
    let certificate = world.simulator.certificate();
    let flag = format!("--certificate {certificate}");
    let unknown = world.apply("").await.fails(2, "certificate without a terminal", &[&flag]);
    assert_eq!((unknown.pushes, world.seen("logins")), (0, 0));
    let other = format!("--certificate {}", "0".repeat(64));
    world.apply(&other).await.fails(5, "certificate that is another one", &["expected 000", certificate]);
    assert_eq!(world.apply(&flag).await.ends(0).pushes, 1);
    for statement in world.statements() {
        let link = &statement["link"];
        assert_eq!((&link["kind"], &link["certificate"]), (&json!("isolated"), &json!(certificate)));
    }
    world.inspect("").await.ends(0).says(&[SERIAL]);
    assert_eq!(world.seen("basic"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_upgrade_renews_is_compared_by_a_person() {
    let world = World::loaded(&scenario(HTTPS, "[faults]\nnew_certificate = true\n")).await;
    let first = world.simulator.certificate();
    let run = world.apply(&format!("--certificate {first}")).await;
    let renewed = world.state()["certificate"].as_str().unwrap().to_owned();
    assert_ne!(renewed, first);
    let command = format!("trust recorder {SERIAL} --certificate {renewed}");
    let words = [&*renewed, &format!("applier {command}"), "unknown-after-push"];
    assert_eq!(run.fails(8, "certificate renewed by the upgrade", &words).pushes, 1);
    assert_eq!(world.last_statement()["reason"], "other-certificate");

    let words = [first, &renewed, &command];
    world.apply("").await.fails(5, "certificate that has changed", &words);
    world.applier(&command).await.ends(0).says(&[first, &renewed]);
    let current = world.apply("").await.ends(0).says(&["already current"]);
    assert_eq!(current.pushes, 1);
    assert_eq!(world.last_statement()["link"]["certificate"], renewed.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_in_its_place_gets_nothing() {
    let mut world = World::loaded(&scenario(HTTPS, "")).await;
    world.inspect(&format!("--certificate {}", world.simulator.certificate())).await.ends(0);
    // it claims to be the same recorder, with another key
    world.exchange(&scenario(HTTPS, "")).await;
    let words = ["SHA-256", "known at this address", "something else answers", SERIAL];
    let refused = world.apply("").await.fails(5, "another device at the address", &words);
    assert_eq!((refused.pushes, world.seen("logins"), world.seen("unauthenticated")), (0, 0, 0));
    // named by a person, it still is not the recorder that has this serial number
    let named = world.apply(&format!("--certificate {}", world.simulator.certificate())).await;
    let words = [SERIAL, "known by another certificate", "trust recorder"];
    assert_eq!(named.fails(5, "another device with the serial number", &words).pushes, 0);

    // the next recorder on the same cable, with the address that they all leave the factory with
    world.exchange(&scenario(&format!("{HTTPS}\nserial = \"{OTHER_SERIAL}\""), "")).await;
    world.apply("").await.ends(5);
    let next = world.apply(&format!("--certificate {}", world.simulator.certificate())).await.ends(0);
    assert_eq!((next.pushes, &world.last_statement()["device"]["serial"]), (1, &json!(OTHER_SERIAL)));
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_is_a_persons_decision_once_there_was_tls() {
    let mut world = World::loaded(&scenario(HTTPS, "")).await;
    world.inspect(&format!("--certificate {}", world.simulator.certificate())).await.ends(0);
    world.exchange(&scenario("", "")).await;
    let words = ["no TLS is offered", "--plain-http REASON"];
    let refused = world.apply("").await.fails(5, "TLS that was switched off", &words);
    assert_eq!((refused.pushes, world.seen("logins")), (0, 0));
    let applied = world.apply("--plain-http switched-off-on-purpose").await.ends(0);
    assert_eq!(applied.pushes, 1);
    let ended = world.last_statement();
    assert_eq!(ended["overrides"], json!([{"flag": "plain-http", "reason": "switched-off-on-purpose"}]));
    assert_eq!(ended["link"].get("certificate"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_fails_is_no_reason_to_go_on_without() {
    let world = World::loaded(&scenario(HTTPS, "[faults]\ntls = \"alert\"\n")).await;
    let words = ["alert HandshakeFailure", "switch TLS 1.2 on", "--plain-http REASON"];
    world.apply("").await.fails(5, "TLS refused with an alert", &words);
    world.fault(r#"{"tls": "close"}"#);
    let words = ["ended the connection in the middle of the handshake", "--plain-http REASON"];
    world.apply("").await.fails(6, "TLS that ends early", &words);
    assert_eq!((world.seen("pushes"), world.seen("logins")), (0, 0));
    // what answers in plain text has no TLS, and never had
    world.fault(r#"{"tls": "plain-text"}"#);
    assert_eq!(world.apply("").await.ends(0).pushes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_is_too_old_is_called_so() {
    let world = World::loaded(&scenario("", "")).await;
    let [key, certificate] = ["key.pem", "cert.pem"].map(|name| world.path(name).display().to_string());
    let make = "req -x509 -newkey rsa:2048 -nodes -subj /CN=recorder -keyout";
    let make: Vec<&str> = make.split(' ').chain([&*key, "-out", &*certificate]).collect();
    world.recorder.run("openssl", &make);
    let serve = "s_server -accept 192.168.1.64:443 -tls1_1 -cipher ALL:@SECLEVEL=0 -key";
    let mut old = world.recorder.command("openssl");
    old.args(serve.split(' ')).args([&*key, "-cert", &*certificate]);
    // it ends with its input
    let mut old = old.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(old.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "ACCEPT"), "it does not listen");
    let words = ["versions of TLS below 1.2", "expected TLS 1.2 or 1.3", "--plain-http REASON"];
    let refused = world.apply("").await.fails(5, "TLS that is too old", &words);
    assert_eq!((refused.pushes, world.seen("logins")), (0, 0));
    old.kill().unwrap();
    old.wait().unwrap();
}

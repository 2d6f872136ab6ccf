use std::io::Write;
use std::process::Stdio;

use nvr_sim::Builder;
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::{curl, url};

const DOCUMENT: &str = include_str!("../../../../docs/simulator.md");

fn clock() -> jiff::Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// The scenario of the document.
fn documented() -> &'static str {
    DOCUMENT.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()
}

/// Adds the paths of all keys, those of the first member for a list.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                found.push(format!("{path}.{name}"));
                keys(member, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(members) => members.iter().take(1).for_each(|member| keys(member, path, found)),
        _ => {}
    }
}

#[test]
fn document_names_every_key_and_no_other() {
    let recorder = Builder::scenario(documented(), clock()).unwrap();
    let (mut there, mut named) = (Vec::new(), Vec::new());
    keys(&serde_json::to_value(recorder).unwrap(), "", &mut there);
    keys(
        &serde_json::to_value(toml::from_str::<toml::Table>(documented()).unwrap()).unwrap(),
        "",
        &mut named,
    );
    // a password is read and never written
    there.push(".login.password".into());
    there.sort();
    named.sort();
    assert!(there.len() > 120, "{there:?}");
    assert_eq!(there, named);
}

#[test]
fn an_empty_scenario_is_a_recorder_and_an_unknown_key_is_none() {
    let recorder = Builder::scenario("", clock()).unwrap();
    assert_eq!(
        (recorder.model.as_str(), recorder.flash.as_secs(), recorder.clock),
        ("DS-7608NI-I2", 3, clock())
    );
    for (text, expected) in [
        ("lisen = 1", "lisen"),
        ("[faults]\nbuzy = true", "buzy"),
        ("[login]\nlock_seconds = -1", "expected 0 to"),
        ("[[faults.answers]]\npath = \"*\"\nhow = \"x\"", "wrong-root"),
        ("before = \"V4\"", "V4"),
        ("[content.posture.ezviz]\non = true", "on"),
    ] {
        let error = Builder::scenario(text, clock()).err().unwrap().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// The program with a scenario and flags.
fn program(scenario: &str, flags: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>, NamedTempFile) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(scenario.as_bytes()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nvr-sim"));
    command.arg("--scenario").arg(file.path()).args(flags).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines, file)
}

#[tokio::test]
async fn program_takes_a_scenario_and_flags_go_before_it() {
    let scenario = r#"
        https = "127.0.0.1:0"
        control = "127.0.0.1:0"
        down_seconds = 0
        model = "DS-7732NI-M4"
        serial = "OF-THE-SCENARIO-1"
        before = "V5.03.020:240904"
        profile = "ds-7732ni-m4"
        [login]
        password = "Scenario1"
        [content]
        name = "of the scenario"
        [faults]
        back_at = "127.0.0.1:0"
        logged_in = "scenario"
    "#;
    let (_child, mut lines, _file) = program(scenario, &["--model", "DS-7616NI-K2", "--logged-in", "flag"]);
    let mut line = async || lines.next_line().await.unwrap().unwrap();
    let address = line().await.strip_prefix("listening on ").unwrap().to_owned();
    assert!(line().await.starts_with("https on 127.0.0.1:"));
    let control = line().await.strip_prefix("control on ").unwrap().to_owned();
    assert!(line().await.starts_with("serial OF-THE-SCENARIO-1"));

    let ask = async |address: &str, method: &str, path: &str| {
        let url = format!("http://{address}/ISAPI/{path}");
        curl(["--digest", "-u", "admin:Scenario1", "-X", method, &url]).await
    };
    let info = ask(&address, "GET", "System/deviceInfo").await;
    assert_eq!((info.node("model"), info.node("deviceName")), ("DS-7616NI-K2", "of the scenario"));
    assert_eq!(
        (info.node("firmwareVersion"), info.node("firmwareReleasedDate")),
        ("V5.03.020", "build 240904")
    );
    assert!(info.text.contains("isapi.org"), "{info:?}");
    assert!(ask(&address, "GET", "Security/onlineUser").await.text.contains("<name>flag</name>"));
    let state = curl([format!("http://{control}/")]).await;
    assert!(!state.text.contains("Scenario1"), "a password is never shown: {state:?}");

    ask(&address, "PUT", "System/reboot").await;
    let moved = line().await.strip_prefix("listening on ").unwrap().to_owned();
    assert_ne!(moved, address);
    assert_eq!(ask(&moved, "GET", "System/deviceInfo").await.status, 200);
}

#[tokio::test]
async fn program_rejects_a_scenario_that_is_none() {
    let (child, _, _file) = program("[faults]\nbuzy = true\n", &[]);
    assert_eq!(child.wait_with_output().await.unwrap().status.code(), Some(2));
}

#[tokio::test]
async fn control_port_changes_what_is_named_and_keeps_the_rest() {
    let mut recorder = crate::builder();
    recorder.control = Some("127.0.0.1:0".parse().unwrap());
    let recorder = recorder.start().await.unwrap();
    let control = recorder.control_address().unwrap();
    let patch = async |section: &str, json: &str| {
        curl(["-X", "PATCH", "--json", json, &format!("http://{control}/{section}")]).await.status
    };
    assert_eq!(patch("fault", r#"{"busy": true, "cut_after": 7}"#).await, 200);
    assert_eq!(patch("fault", r#"{"cut_after": null, "stall": true}"#).await, 200);
    let faults = recorder.state().faults;
    assert_eq!((faults.busy, faults.stall, faults.cut_after), (true, true, None));
    assert_eq!(patch("content", r#"{"posture": {"upnp": true}}"#).await, 200);
    let posture = recorder.state().content.posture;
    assert!(posture.upnp && posture.accesses.len() == 5);
    assert_eq!(patch("login", r#"{"basic": true}"#).await, 200);
    let url = url(&recorder, "System/status");
    assert_eq!(curl(["--basic", "-u", "admin:right", &url]).await.status, 200, "the password stays");
    assert_eq!(patch("login", r#"{"algorithms": []}"#).await, 400);
    assert_eq!(patch("fault", r#"{"buzy": true}"#).await, 400);
    let replaced = curl(["--json", "{}", &format!("http://{control}/content")]).await;
    assert!(replaced.status == 200 && !recorder.state().content.posture.upnp, "{replaced:?}");
}

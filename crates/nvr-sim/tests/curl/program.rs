use std::process::Stdio;

use nvr_sim::StartError;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::{builder, curl};

#[tokio::test]
async fn program_says_where_it_listens_and_ends_on_interrupt() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_nvr-sim"))
        .args(["--control", "127.0.0.1:0", "--user", "guard", "--model", "DS-7616NI-K2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut line = async || lines.next_line().await.unwrap().unwrap();
    let address = line().await.strip_prefix("listening on ").unwrap().to_owned();
    let control = line().await.strip_prefix("control on ").unwrap().to_owned();
    assert_eq!(line().await, "serial DS-7616NI-K20120200101CCRRE00000001WCVU");
    let account = line().await;
    let password = account.strip_prefix("user guard, password ").unwrap().split(' ').next().unwrap();

    let url = format!("http://{address}/ISAPI/System/deviceInfo");
    let answer = curl(["--digest", "-u", &format!("guard:{password}"), &url]).await;
    assert!(answer.status == 200 && answer.text.contains("<model>DS-7616NI-K2</model>"), "{answer:?}");
    let counters = curl([format!("http://{control}/")]).await;
    assert!(counters.text.contains(r#""logins":1"#), "{counters:?}");

    let pid = program.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    assert!(program.wait().await.unwrap().success());
}

#[tokio::test]
async fn control_port_shows_the_state_and_changes_faults() {
    let mut recorder = builder();
    recorder.control = Some("127.0.0.1:0".parse().unwrap());
    let recorder = recorder.start().await.unwrap();
    let control = recorder.control_address().unwrap();
    let shown = curl([format!("http://{control}/")]).await;
    for part in [r#""stage":"idle""#, r#""version":"V4.30.097""#, r#""build":"200101""#, r#""pushes":0"#] {
        assert!(shown.text.contains(part), "{part}: {shown:?}");
    }
    let fault = format!("http://{control}/fault");
    let changed = curl(["--json", r#"{"busy": true}"#, &fault]).await;
    assert!(changed.status == 200 && recorder.state().faults.busy, "{changed:?}");
    let unknown = curl(["--json", r#"{"buzy": true}"#, &fault]).await;
    assert!(unknown.status == 400 && unknown.text.contains("buzy"), "{unknown:?}");
    assert!(recorder.state().faults.busy);
    assert_eq!(curl([format!("http://{control}/reboot")]).await.status, 404);
}

#[tokio::test]
async fn control_port_is_for_loopback_only() {
    let mut recorder = builder();
    recorder.control = Some("0.0.0.0:0".parse().unwrap());
    assert!(matches!(recorder.start().await, Err(StartError::ControlNotLoopback(_))));
}

#[tokio::test]
async fn program_makes_a_package_and_refuses_another_file_name() {
    let directory = tempfile::tempdir().unwrap();
    let make = async |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nvr-sim"));
        command.args(["firmware", "--size", "64KiB", "--json", "--out"]).arg(directory.path().join(name));
        command.output().await.unwrap()
    };
    let output = make("package.ZIP").await;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["size"], &document["member"]), (&65536.into(), &"digicap.dav".into()));
    let bytes = std::fs::read(directory.path().join("package.ZIP")).unwrap();
    assert_eq!(document["package_sha256"], firmware::Sha256Digest::of(&bytes).to_string());
    let refused = make("package.exe").await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("expected a name in .zip or .dav"));
}

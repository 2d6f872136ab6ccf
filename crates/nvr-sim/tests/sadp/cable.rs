use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Two recorders in one network namespace, a script with a plain socket in another, a cable between.
#[test]
fn two_recorders_are_found_over_a_cable() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sadp/cable.py");
    let mut command = Command::new("unshare");
    let is_root =
        Command::new("unshare").args(["--net", "true"]).stderr(Stdio::null()).status().unwrap().success();
    command.arg("--net");
    if !is_root {
        command.arg("--map-root-user");
    }
    let output =
        command.args(["python3", "-B"]).arg(script).arg(env!("CARGO_BIN_EXE_nvr-sim")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let heard: Value = serde_json::from_str(&text).unwrap();
    let all = ["192.168.77.64", "192.168.77.65"];
    for (way, expected) in [
        ("hello", &all[..]),
        ("group to group", &all),
        ("broadcast to group", &all),
        ("unicast to group", &all[1..]),
        ("group to sender", &all),
    ] {
        assert_eq!(heard[way], serde_json::json!(expected), "{way}: {text}");
    }
}

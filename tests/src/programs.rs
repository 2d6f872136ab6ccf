//! The programs under test, as they are shipped: built once by cargo, and run.
#![allow(clippy::panic)] // for tests only: a program that cannot be built ends the test

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The packages whose programs there are.
const PACKAGES: [&str; 3] = ["fetcher", "applier", "nvr-sim"];

/// The path of a program, `fetcher`, `applier` or `nvr-sim`, built from the sources as they are now.
/// Cargo, asked again, answers at once where nothing has changed.
///
/// # Panics
///
/// Where the program cannot be built.
pub fn program(name: &str) -> &'static Path {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(build);
    built.get(name).unwrap_or_else(|| panic!("program {name} is not among {:?}", built.keys()))
}

fn build() -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--bins", "--quiet", "--message-format=json-render-diagnostics"]);
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    as_from_a_shell(&mut cargo);
    cargo.stderr(Stdio::inherit());
    let output = cargo.output().unwrap_or_else(|error| panic!("cargo build failed: {error}"));
    assert!(output.status.success(), "cargo build failed, see above");
    let lines = output.stdout.split(|byte| *byte == b'\n');
    lines.filter_map(|line| executable(&serde_json::from_slice(line).ok()?)).collect()
}

/// Has cargo, or a script that runs it, work at the top of the repository and as if a person had typed it: what
/// cargo tells a test of its own package would have build scripts run anew, and all that needs them.
pub fn as_from_a_shell(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| told.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).stdin(Stdio::null());
}

/// Name and path of a program that one of cargo's messages speaks of.
fn executable(message: &Value) -> Option<(String, PathBuf)> {
    Some((message["target"]["name"].as_str()?.into(), message["executable"].as_str()?.into()))
}

//! What is installed with the programs: man pages, completions, and the Debian packages that bring them.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod completions;
mod debian;
mod manual;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use journeys::programs::{as_from_a_shell, program};
use tempfile::TempDir;

const PROGRAMS: [&str; 3] = ["fetcher", "applier", "nvr-sim"];

/// Man pages and completions, made as for a package: a folder for each program.
fn manual() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    as_from_a_shell(&mut cargo);
    said(cargo.args(["build", "--locked", "--quiet", "--workspace", "--example", "manual"]));
    let built = program("fetcher").parent().unwrap().join("examples/manual");
    said(Command::new(built).arg(dir.path()));
    dir
}

/// Every file below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let found = journeys::site::files(folder);
    found.into_keys().map(|name| folder.join(name)).collect()
}

/// Runs a command that must succeed and gives what it printed, on both.
#[track_caller]
fn said(command: &mut Command) -> (String, String) {
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let [out, err] = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(ran.status.success(), "{command:?}: {out}{err}");
    (out, err)
}

//! What runs without a person: systemd's own tools read the units, and the programs take their command lines.

use std::path::PathBuf;
use std::process::Command;

use journeys::programs::program;
use tempfile::TempDir;

use crate::world::write;

/// Copies of units, with the program where this test has it.
fn units(units: &[(&str, &str)]) -> (TempDir, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let program = program("fetcher").display().to_string();
    let copy = |(name, unit): &(&str, &str)| {
        let file = dir.path().join(name);
        write(&file, unit.replace("/usr/bin/fetcher", &program).as_bytes());
        file
    };
    let files = units.iter().map(copy).collect();
    (dir, files)
}

fn analyze(words: &[&str], files: &[PathBuf]) -> String {
    let ran = Command::new("systemd-analyze").args(words).args(files).output().unwrap();
    let said = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
    assert!(ran.status.success(), "{words:?}: {said}");
    said
}

/// Holds that the program knows such a command line.
fn is_understood(line: &str, more: &[&str]) {
    let words = line.split_whitespace().chain(more.iter().copied());
    let ran = Command::new(program("fetcher")).args(words).arg("--help").output().unwrap();
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Sound, and at most so many tenths exposed on systemd's own scale, on which a service without any hardening has 96.
fn is_hardened(service: &str, files: &[PathBuf], tenths: &str, more: &[&str]) {
    // the pages that they name are where the package is installed
    assert_eq!(analyze(&["verify", "--man=no"], files), "");
    analyze(&["security", "--offline=yes", &format!("--threshold={tenths}")], &files[..1]);
    let line = service.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/fetcher ")).unwrap();
    is_understood(line, more);
}

#[test]
fn the_station_is_sound_and_hardened() {
    let service = include_str!("../../../scripts/courier-station.service");
    let (_dir, files) = units(&[("courier-station.service", service)]);
    is_hardened(service, &files, "20", &["--once"]);
}

#[test]
fn the_nightly_sync_is_sound_and_hardened() {
    let service = include_str!("../../../scripts/courier-sync.service");
    let timer = include_str!("../../../scripts/courier-sync.timer");
    let (_dir, files) = units(&[("courier-sync.service", service), ("courier-sync.timer", timer)]);
    is_hardened(service, &files, "20", &[]);
    for key in ["snapshot", "timestamp"] {
        assert!(service.contains(&format!("LoadCredential={key}.pem:courier-{key}.pem\n")), "{key}");
    }
    let calendar = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
    let next = Command::new("systemd-analyze").args(["calendar", calendar]).output().unwrap();
    assert!(next.status.success(), "{calendar}");
}

#[test]
fn the_line_for_cron_does_the_same() {
    let cron = include_str!("../../../scripts/courier-sync.cron");
    let jobs: Vec<&str> =
        cron.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    let [job] = jobs[..] else { panic!("{jobs:?}") };
    let fields: Vec<&str> = job.split_whitespace().collect();
    assert_eq!((fields[5], fields[6]), ("root", "/usr/bin/fetcher"), "five of time, then who");
    // a percent sign would end the command there (crontab(5))
    assert!(
        fields[..5].iter().all(|field| field.chars().all(|c| "0123456789*,-/".contains(c)))
            && !job.contains('%')
    );
    let line = job.split("/usr/bin/fetcher ").nth(1).unwrap();
    let line = line.split(" || ").next().unwrap();
    is_understood(line, &[]);
    let service = include_str!("../../../scripts/courier-sync.service");
    assert!(service.contains(&format!("ExecStart=/usr/bin/fetcher {line}\n")), "{line}");
}

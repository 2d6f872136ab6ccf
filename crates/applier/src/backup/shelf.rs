//! What is kept on this laptop: a folder for each recorder, in it a file for each backup.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use firmware::{Revision, Serial};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use keys::AgeIdentity;

use super::{Manifest, manifest};

/// The backups of all recorders, by recorder and time.
pub fn files(backups: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in entries(backups)? {
        if folder.is_dir() {
            found.extend(files_in(&folder)?);
        }
    }
    Ok(found)
}

/// The newest backup of this recorder that this key opens.
pub fn newest(backups: &Path, serial: &Serial, key: &AgeIdentity) -> io::Result<Option<Manifest>> {
    let files = files_in(&backups.join(folder(serial)))?;
    let mut opened = files.iter().rev().filter_map(|path| manifest(path, key).ok());
    Ok(opened.find(|manifest| manifest.serial == *serial))
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = entries(folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "age"));
    Ok(files)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
            paths.sort();
            Ok(paths)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The folder of a recorder: its serial number is its own word, so only what is harmless of it is kept.
pub(super) fn folder(serial: &Serial) -> String {
    harmless(&serial.normalised())
}

/// `20261122T100000Z-V4.30.097-200101.age`, and `…-200101-2.age` for a second one.
pub(super) fn name(revision: &Revision, now: Timestamp, number: u32) -> String {
    let time = TimeZone::UTC.to_datetime(now).strftime("%Y%m%dT%H%M%SZ");
    let nth = if number == 1 { String::new() } else { format!("-{number}") };
    harmless(&format!("{time}-{}-{}{nth}.age", revision.version, revision.build))
}

fn harmless(text: &str) -> String {
    let one = |(at, c): (usize, char)| {
        let kept = c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '.' | '-'));
        if kept { c } else { '_' }
    };
    text.chars().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use keys::durable;

    use super::super::sealed::tests::{Bench, says};
    use super::*;

    #[test]
    fn the_newest_is_the_last_that_opens_and_is_of_this_recorder() {
        let bench = Bench::new();
        let backups = bench.dir.path().join("backups");
        let serial = says(b"").serial;
        let newest = || newest(&backups, &serial, &bench.key).unwrap();
        assert_eq!(newest(), None);
        let home = backups.join(folder(&serial));
        fs::create_dir_all(&home).unwrap();
        let other = Manifest { serial: "ANOTHER1".parse().unwrap(), ..says(b"other") };
        for (name, bytes) in [
            ("20261101T000000Z-a.age", bench.seal(&says(b"old"), b"old")),
            ("20261102T000000Z-a.age", bench.seal(&says(b"new"), b"new")),
            ("20261103T000000Z-a.age", bench.seal(&other, b"other")),
            ("20261104T000000Z-a.age", b"damaged".to_vec()),
            ("20261105T000000Z-a.txt", bench.seal(&says(b"no backup"), b"no backup")),
        ] {
            durable::write_atomic(&home.join(name), &bytes, 0o600).unwrap();
        }
        assert_eq!(newest(), Some(says(b"new")));
        assert_eq!(files(&backups).unwrap().len(), 4);
    }

    #[test]
    fn a_serial_number_leads_nowhere_else() {
        for (serial, expected) in [("../../etc", "_._.._ETC"), ("..", "_."), ("a/b\\c d", "A_B_CD")] {
            assert_eq!(folder(&serial.parse().unwrap()), expected);
        }
        let revision = "V4.30.097 build 200101".parse().unwrap();
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(name(&revision, now, 1), "20261122T100000Z-V4.30.097-200101.age");
        assert_eq!(name(&revision, now, 2), "20261122T100000Z-V4.30.097-200101-2.age");
    }
}

use std::io::Cursor;

use firmware::container::Language;
use keys::durable;
use nvr_sim::synthetic::Synthetic;

use super::*;

fn synthetic(language: u32) -> Synthetic {
    let revision = "V4.61.025:230421".parse().unwrap();
    Synthetic { size: 20_000, revision, language, device_class: 1, seed: 1 }
}

fn dav(language: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    synthetic(language).write_dav(&mut bytes).unwrap();
    bytes
}

fn zip() -> Vec<u8> {
    let mut zip = Cursor::new(Vec::new());
    synthetic(1).write_zip(&mut zip).unwrap();
    zip.into_inner()
}

fn examined(name: &str, bytes: &[u8]) -> Result<(Seen, usize), PinError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    durable::write_atomic(&path, bytes, 0o644).unwrap();
    let candidate = Candidate::examine(Source::given(&path)?, None, dir.path());
    assert_eq!(durable::read(&path, 1 << 20).unwrap(), bytes, "the person's file is left alone");
    let left = |dir: &Path| std::fs::read_dir(dir).unwrap().count() - 1;
    match candidate {
        Ok(candidate) => Ok((candidate.seen().clone(), left(dir.path()))),
        Err(error) => {
            assert_eq!(left(dir.path()), 0, "nothing of a rejected file stays");
            Err(error)
        }
    }
}

#[test]
fn a_zip_and_the_bare_file_are_seen_as_what_they_are() {
    let (from_zip, left) = examined("x.zip", &zip()).unwrap();
    assert_eq!(left, 1);
    let package = from_zip.package.clone().unwrap();
    assert_eq!((package.sha256, package.member.as_str()), (Sha256Digest::of(&zip()), "digicap.dav"));
    assert_eq!((from_zip.size, from_zip.sha256), (20_000, Sha256Digest::of(&dav(1))));
    let (bare, _) = examined("digicap.dav", &dav(1)).unwrap();
    assert_eq!((bare.sha256, bare.package), (from_zip.sha256, None));
    assert_eq!(bare.provenance, "file digicap.dav given by a person");
    assert_eq!(examined("cn.dav", &dav(2)).unwrap().0.container.language(), Some(Language::Chinese));
}

#[test]
fn damage_in_a_body_is_noticed() {
    let mut damaged = dav(1);
    *damaged.last_mut().unwrap() ^= 1;
    let error = examined("digicap.dav", &damaged).unwrap_err();
    assert!(matches!(error, PinError::Container { source: Rejected::ByteSum { .. }, .. }), "{error:?}");
}

#[test]
fn what_nothing_calls_firmware_is_not_taken() {
    let bytes = [7; 4096];
    assert!(matches!(examined("holiday.jpg", &bytes), Err(PinError::NotFirmware { .. })));
    assert_eq!(examined("opaque.MAV", &bytes).unwrap().0.container, Container::Unknown);
    let page = examined("x.dav", b"<!DOCTYPE html><p>licence").unwrap_err();
    assert!(matches!(page, PinError::Container { source: Rejected::Html, .. }));
    assert!(matches!(examined("x.dav", b""), Err(PinError::Container { .. })));
}

#[test]
fn a_pin_matches_what_it_was_made_of_and_the_bare_file() {
    let (seen, _) = examined("x.zip", &zip()).unwrap();
    let pin = seen.pin("2026-11-22".parse().unwrap());
    assert_eq!((seen.differences(&pin), seen.package_differences(&pin)), (vec![], vec![]));
    let (bare, _) = examined("digicap.dav", &dav(1)).unwrap();
    assert_eq!((bare.differences(&pin), bare.package_differences(&pin)), (vec![], vec![]));
}

#[test]
fn every_difference_is_told_with_both_values() {
    let (seen, _) = examined("x.zip", &zip()).unwrap();
    let other = Pin {
        size: 5,
        sha256: Sha256Digest::of(b"other"),
        package_sha256: Some(Sha256Digest::of(b"repacked")),
        ..seen.pin("2026-11-22".parse().unwrap())
    };
    let told: Vec<String> = seen.differences(&other).iter().map(ToString::to_string).collect();
    let digest = format!("firmware has SHA-256 {}, expected {}", seen.sha256, other.sha256);
    assert_eq!(told, ["firmware is 20000 bytes, expected 5", &digest]);
    assert_eq!(seen.package_differences(&other).len(), 1);
}

#[test]
fn an_expected_digest_may_be_either() {
    let (seen, _) = examined("x.zip", &zip()).unwrap();
    assert_eq!(seen.recognise(seen.sha256), Some("firmware"));
    assert_eq!(seen.recognise(Sha256Digest::of(&zip())), Some("package"));
    assert_eq!(seen.recognise(Sha256Digest::of(b"")), None);
}

#[test]
fn provenance_names_scheme_and_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.part");
    durable::write_atomic(&path, b"abc", 0o644).unwrap();
    let downloaded = Downloaded { path, size: 3, sha256: Sha256Digest::of(b"abc") };
    let on = "2026-11-22".parse().unwrap();
    let source = Source::downloaded(&downloaded, "http://host:8080/a/NVR_K51.zip?x=/y.dav", on).unwrap();
    assert_eq!(source.name.as_str(), "NVR_K51.zip");
    assert_eq!(source.provenance, "http download from host:8080 on 2026-11-22, trust on first use");
}

#[test]
fn a_download_that_is_no_zip_is_not_copied_and_stays_until_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let on = "2026-11-22".parse().unwrap();
    let path = dir.path().join("x.part");
    for (bytes, files) in [(dav(1), 1), (zip(), 2)] {
        durable::write_atomic(&path, &bytes, 0o644).unwrap();
        let (size, sha256) = (bytes.len() as u64, Sha256Digest::of(&bytes));
        let downloaded = Downloaded { path: path.clone(), size, sha256 };
        let source = Source::downloaded(&downloaded, "http://host/digicap.dav", on).unwrap();
        let candidate = Candidate::examine(source, None, dir.path()).unwrap();
        assert_eq!((candidate.seen().size, candidate.seen().sha256), (20_000, Sha256Digest::of(&dav(1))));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), files);
        drop(candidate);
        assert_eq!(durable::read(&path, 1 << 20).unwrap(), bytes, "a second try finds it");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_pipe_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("digicap.dav");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RUSR).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(Source::given(&path).map(|_| ())));
    let error = told.recv_timeout(std::time::Duration::from_secs(20)).expect("an answer").unwrap_err();
    assert!(matches!(&error, PinError::Io { source, .. } if source.to_string() == "not a regular file"));
}

#[test]
fn what_no_stick_can_carry_is_not_even_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("digicap.dav");
    File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
    let error = Source::given(&path).unwrap_err();
    assert!(matches!(error, PinError::Package { source: PackageError::TooLarge { .. }, .. }), "{error}");
}

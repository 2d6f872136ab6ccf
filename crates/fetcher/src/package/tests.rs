use std::io::Cursor;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const DAV: &[u8] = b"firmware, as far as this test is concerned: not one byte of it is repeated often";

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

/// A zip of these members, with notes beside them.
fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_directory("docs.dav/", stored()).unwrap();
    for (name, bytes) in [("Release Notes.pdf", &b"%PDF"[..])].iter().chain(members) {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn extracted(package: &[u8], member: Option<&str>) -> Result<(Extracted, Vec<u8>), PackageError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(package).unwrap();
    let mut bytes = Vec::new();
    extract(&file, member, &mut bytes).map(|extracted| (extracted, bytes))
}

fn rejected(package: &[u8]) -> ZipRejected {
    match extracted(package, None) {
        Err(PackageError::Zip(rejected)) => rejected,
        other => panic!("not rejected: {other:?}"),
    }
}

/// Where the nth record of this signature starts.
fn record(zip: &[u8], signature: &[u8], nth: usize) -> usize {
    let mut found = zip.windows(4).enumerate().filter(|(_, bytes)| *bytes == signature);
    found.nth(nth).unwrap().0
}

/// Writes into local and central header of the last member; offsets are those of the local header.
fn patched(mut zip: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    let last = zip.windows(4).filter(|bytes| bytes == b"PK\x01\x02").count() - 1;
    let (local, central) = (record(&zip, b"PK\x03\x04", last), record(&zip, b"PK\x01\x02", last));
    zip[local + at..][..bytes.len()].copy_from_slice(bytes);
    // the central header has the version of its maker before the same fields
    zip[central + at + 2..][..bytes.len()].copy_from_slice(bytes);
    zip
}

#[test]
fn takes_the_one_firmware_file() {
    for name in ["digicap.dav", "K51/DIGICAP.MAV", "folder\\digicap.dav", "../../etc/digicap.dav"] {
        let (extracted, bytes) = extracted(&zipped(&[(name, DAV), ("readme.txt", b"x")]), None).unwrap();
        assert_eq!((extracted.size, extracted.sha256), (DAV.len() as u64, Sha256Digest::of(DAV)));
        assert_eq!((extracted.member.unwrap().as_str(), &bytes[..]), (name, DAV));
    }
}

#[test]
fn what_a_mac_packs_beside_the_firmware_is_not_firmware() {
    let zip = zipped(&[("digicap.dav", DAV), ("__MACOSX/._digicap.dav", b"x"), ("._digicap.mav", b"x")]);
    assert_eq!(extracted(&zip, None).unwrap().1, DAV);
    let error = extracted(&zipped(&[("a\\._digicap.dav", DAV)]), None).unwrap_err();
    assert!(matches!(error, PackageError::NoFirmware { files: 1, .. }), "{error}");
}

#[test]
fn a_bare_file_is_taken_as_it_is() {
    let (extracted, bytes) = extracted(DAV, None).unwrap();
    assert_eq!((extracted.member, &bytes[..]), (None, DAV));
}

#[test]
fn a_streamed_zip_with_data_descriptors_is_read() {
    let mut zip = ZipWriter::new_stream(Vec::new());
    zip.start_file("digicap.dav", SimpleFileOptions::default()).unwrap();
    zip.write_all(DAV).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    assert_eq!(extracted(&zip, None).unwrap().1, DAV);
}

#[test]
fn no_firmware_says_what_there_is_instead() {
    let error = extracted(&zipped(&[("inner.zip", b"PK")]), None).unwrap_err().to_string();
    assert_eq!(
        error,
        "zip without firmware: no .dav or .mav among its 2 files; an archive within it is not opened: inner.zip"
    );
    let empty = ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
    assert!(matches!(extracted(&empty, None), Err(PackageError::NoFirmware { files: 0, .. })));
}

#[test]
fn several_need_a_name_and_are_safe_to_list() {
    let zip = zipped(&[("K51/digicap.dav", DAV), ("K53/digicap.dav", b"other"), ("\u{1b}[2J.mav", b"x")]);
    let error = extracted(&zip, None).unwrap_err().to_string();
    assert_eq!(error, "zip with several firmware files: K51/digicap.dav, K53/digicap.dav, ?[2J.mav");
    assert_eq!(extracted(&zip, Some("K51/digicap.dav")).unwrap().1, DAV);
    assert_eq!(extracted(&zip, Some("?[2J.mav")).unwrap().1, b"x");
    for wanted in ["digicap.dav", "K51", "Release Notes.pdf"] {
        assert!(matches!(extracted(&zip, Some(wanted)), Err(PackageError::NoSuchMember { .. })), "{wanted}");
    }
    let zip = zipped(&[("K51/a.dav", DAV), ("K53/b.dav", b"other")]);
    assert_eq!(extracted(&zip, Some("a.dav")).unwrap().1, DAV, "a file name that is there once is enough");
}

#[test]
fn encrypted_and_odd_methods_are_rejected() {
    let zip = zipped(&[("digicap.dav", DAV)]);
    assert!(matches!(rejected(&patched(zip.clone(), 6, &[1])), ZipRejected::Encrypted { .. }));
    let error = rejected(&patched(zip, 8, &[12])).to_string();
    assert!(error.ends_with("expected stored or deflated"), "{error}");
}

#[test]
fn bombs_are_rejected_before_they_grow() {
    let zeros = vec![0; 4 << 20];
    assert!(matches!(rejected(&zipped(&[("digicap.dav", &zeros)])), ZipRejected::Ratio { .. }));
    let zip = zipped(&[("digicap.dav", DAV)]);
    let claims_all = patched(zip, 22, &u32::MAX.to_le_bytes()[..]);
    assert!(matches!(rejected(&claims_all), ZipRejected::Total { .. }));
    let many: Vec<(String, &[u8])> = (0..1001).map(|n| (format!("{n}.txt"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    assert!(matches!(rejected(&zipped(&many)), ZipRejected::Members { found: 1003 }));
}

#[test]
fn sizes_and_sums_that_lie_are_rejected() {
    let zip = zipped(&[("digicap.dav", &[7; 9000])]);
    for size in [0_u32, 8999, 9001, 500_000] {
        let lying = patched(zip.clone(), 22, &size.to_le_bytes());
        assert!(
            matches!(rejected(&lying), ZipRejected::Length { .. } | ZipRejected::Contents { .. }),
            "{size}"
        );
    }
    assert!(matches!(rejected(&patched(zip, 14, &[1, 2, 3, 4])), ZipRejected::Contents { .. }));
}

#[test]
fn archives_that_read_in_two_ways_are_rejected() {
    let mut twice = zipped(&[("a.dav", DAV), ("b.dav", DAV)]);
    let (local, central) = (record(&twice, b"PK\x03\x04", 3), record(&twice, b"PK\x01\x02", 3));
    (twice[local + 30], twice[central + 46]) = (b'a', b'a');
    assert!(matches!(rejected(&twice), ZipRejected::DuplicateName));
    // another name in the local header than in the directory
    let mut local = zipped(&[("a.dav", DAV)]);
    let at = record(&local, b"PK\x03\x04", 2) + 30;
    local[at] = b'b';
    assert!(matches!(rejected(&local), ZipRejected::Damaged(_)));
    let zip = zipped(&[("a.dav", DAV)]);
    assert!(matches!(rejected(&[&zip[..], b"more"].concat()), ZipRejected::NoEnd));
    assert!(matches!(rejected(&[b"PK\x03\x04", &zip[..]].concat()), ZipRejected::Unusual(_)));
    assert!(matches!(rejected(&[&zip[..], &zip[..]].concat()), ZipRejected::Unusual(_)));
}

#[test]
fn odd_end_records_are_rejected() {
    let zip = zipped(&[("a.dav", DAV)]);
    let end = record(&zip, b"PK\x05\x06", 0);
    let with = |at: usize, bytes: &[u8]| {
        let mut zip = zip.clone();
        zip[end + at..][..bytes.len()].copy_from_slice(bytes);
        rejected(&zip)
    };
    assert!(matches!(with(4, &[1]), ZipRejected::Unusual("archive spans several disks")));
    assert!(matches!(with(12, &[0xff; 4]), ZipRejected::Directory { found: u32::MAX }));
    assert!(matches!(with(16, &[0; 4]), ZipRejected::Unusual("directory is not right before it")));
    assert!(matches!(with(20, &[1]), ZipRejected::NoEnd));
    let locator = [&zip[..end], b"PK\x06\x07", &[0; 16], &zip[end..]].concat();
    assert!(matches!(rejected(&locator), ZipRejected::Unusual(why) if why.starts_with("Zip64")));
}

#[test]
fn no_damage_changes_the_firmware_unnoticed() {
    let zip = zipped(&[("digicap.dav", DAV)]);
    for length in 4..zip.len() {
        assert!(extracted(&zip[..length], None).is_err(), "cut at {length}");
    }
    for at in 4..zip.len() {
        for bit in 0..8 {
            let mut damaged = zip.clone();
            damaged[at] ^= 1 << bit;
            if let Ok((_, bytes)) = extracted(&damaged, None) {
                assert_eq!(bytes, DAV, "byte {at}, bit {bit}");
            }
        }
    }
}

//! Archives byte by byte: what GNU tar and our own export make is taken, everything else is refused for
//! its reason. `tar`, which every Debian has, is the other opinion.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use firmware::Sha256Digest;

use super::*;
use crate::media;
use crate::plan::{Contents, Sealed};

/// One header, in which a test may change bytes; then its sum is made right.
fn header(name: &str, kind: u8, size: usize, change: impl Fn(&mut [u8; 512])) -> Vec<u8> {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[108..124].copy_from_slice(b"0000000\x000000000\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    change(&mut block);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.into()
}

fn padded(body: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    bytes.resize(body.len().next_multiple_of(512), 0);
    bytes
}

fn member(name: &str, body: &[u8]) -> Vec<u8> {
    [header(name, b'0', body.len(), |_| {}), padded(body)].concat()
}

fn end() -> Vec<u8> {
    vec![0; 1024]
}

/// A good member, then these, then the end.
fn with(more: &[u8]) -> Vec<u8> {
    [&member("metadata/1.root.json", b"root"), more, &end()].concat()
}

fn opened(bytes: &[u8]) -> Result<Tar, TarError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    Tar::open(file.path())
}

fn rejection(bytes: &[u8]) -> Option<TarRejection> {
    match opened(bytes) {
        Ok(_) => None,
        Err(TarError::Rejected { reason, .. }) => Some(reason),
        Err(TarError::Io(error)) => panic!("{error}"),
    }
}

fn name(name: &str, why: &'static str) -> TarRejection {
    TarRejection::Name { name: name.into(), why }
}

fn contents_of(tar: &Tar, path: &str) -> Vec<u8> {
    media::read(tar, path, 1 << 20).unwrap().unwrap_or_else(|| panic!("{path} is not there"))
}

#[test]
fn files_are_read_and_folders_listed() {
    let target = format!("targets/{}/{}.digicap.dav", "i".repeat(60), "a".repeat(64));
    let split = target.rfind('/').unwrap();
    let long = header(&target[split + 1..], b'0', 600, |block| {
        block[345..345 + split].copy_from_slice(&target.as_bytes()[..split]);
    });
    let folder = header("metadata/", b'5', 0, |block| block[104..107].copy_from_slice(b"755"));
    let bytes = [folder, member("metadata/timestamp.json", b""), long, padded(&[7; 600])].concat();
    let tar = opened(&with(&bytes)).unwrap();
    assert_eq!(contents_of(&tar, "COURIER/metadata/1.root.json"), b"root");
    assert_eq!(contents_of(&tar, "COURIER/metadata/timestamp.json"), b"");
    assert_eq!(contents_of(&tar, &format!("COURIER/{target}")), [7; 600]);
    for absent in ["metadata/1.root.json", "COURIER/metadata", "COURIER", "COURIERmetadata/1.root.json", ""] {
        assert!(tar.open(absent).unwrap().is_none(), "{absent}");
    }
    let folder = |name: &str| Entry { name: name.into(), kind: Kind::Folder };
    let file = |name: &str, length| Entry { name: name.into(), kind: Kind::File(length) };
    assert_eq!(tar.list("COURIER").unwrap(), [folder("metadata"), folder("targets")]);
    let metadata = tar.list("COURIER/metadata").unwrap();
    assert_eq!(metadata, [file("1.root.json", 4), file("timestamp.json", 0)]);
    assert_eq!(tar.list("COURIER/targets").unwrap(), [folder(&"i".repeat(60))]);
    for absent in ["COURIER/meta", "COURIER/receipts", "metadata"] {
        assert_eq!(tar.list(absent).unwrap(), [], "{absent}");
    }
}

#[test]
fn names_that_lead_elsewhere_are_rejected() {
    let why = "has a part that is . or ..";
    assert_eq!(rejection(&with(&member("../x", b""))), Some(name("../x", why)));
    assert_eq!(rejection(&with(&member("targets/../x", b""))), Some(name("targets/../x", why)));
    assert_eq!(rejection(&with(&member("./x", b""))), Some(name("./x", why)));
    assert_eq!(rejection(&with(&member("/etc/x", b""))), Some(name("/etc/x", "is absolute")));
    assert_eq!(rejection(&with(&member("a//x", b""))), Some(name("a//x", "has an empty part")));
    assert_eq!(rejection(&with(&member("", b""))), Some(name("", "has an empty part")));
    let letters = "has characters other than A-Z a-z 0-9 . _ - /";
    assert_eq!(rejection(&with(&member("a\\x", b""))), Some(name("a\\x", letters)));
    let hidden = header("safe", b'0', 0, |block| block[4..8].copy_from_slice(b"\0/..".as_slice()));
    assert_eq!(rejection(&with(&hidden)), Some(name("safe", "goes on after a NUL")));
    let folder = header("../", b'5', 0, |_| {});
    assert_eq!(rejection(&with(&folder)), Some(name("..", why)), "also of what is ignored");
    assert_eq!(rejection(&with(&member("COURIER/x", b""))), Some(TarRejection::WithFolder));
}

#[test]
fn names_that_stand_for_two_are_rejected() {
    let twice = member("metadata/1.root.json", b"other");
    assert_eq!(rejection(&with(&twice)), Some(TarRejection::Duplicate("metadata/1.root.json".into())));
    let clash = TarRejection::CaseClash("metadata/1.root.json".into(), "metadata/1.ROOT.json".into());
    assert_eq!(rejection(&with(&member("metadata/1.ROOT.json", b""))), Some(clash));
    let clash = TarRejection::CaseClash("metadata".into(), "Metadata".into());
    assert_eq!(rejection(&with(&member("Metadata/x", b""))), Some(clash));
    for both in [member("metadata", b""), member("metadata/1.root.json/x", b"")] {
        assert!(matches!(rejection(&with(&both)), Some(TarRejection::FileAndFolder(_))));
    }
}

#[test]
fn only_plain_files_are_taken() {
    for (kind, words) in [
        (b'1', "a hard link"),
        (b'2', "a symbolic link"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a pipe"),
        (b'7', "of an unknown type"),
        (b'x', "a PAX extension"),
        (b'g', "a PAX extension"),
        (b'L', "an extension of GNU tar"),
        (0, "of an unknown type"),
    ] {
        let odd = header("x", kind, 0, |_| {});
        assert_eq!(rejection(&with(&odd)), Some(TarRejection::Type(words)), "{}", kind.escape_ascii());
    }
    // one reader takes the size that PAX says and skips a hidden member, the other does not
    let size = b"19 size=0000000512\n";
    let desync = [header("x", b'x', size.len(), |_| {}), padded(size), member("y", b"")].concat();
    assert_eq!(rejection(&with(&desync)), Some(TarRejection::Type("a PAX extension")));
    // GNU tar's own header, as it writes it before a long name
    let gnu = header("././@LongLink", b'L', 200, |block| block[257..265].copy_from_slice(b"ustar  \0"));
    assert_eq!(rejection(&with(&[gnu, padded(&[b'n'; 200])].concat())), Some(TarRejection::NotUstar));
    for mode in ["0004755", "0002755", "0001644", "0100644"] {
        let odd = header("x", b'0', 0, |block| block[100..107].copy_from_slice(mode.as_bytes()));
        assert!(matches!(rejection(&with(&odd)), Some(TarRejection::Mode(_))), "{mode}");
    }
}

#[test]
fn sizes_are_octal_and_true() {
    let sized =
        |text: &[u8]| header("x", b'0', 0, |block| block[124..124 + text.len()].copy_from_slice(text));
    let huge = layout::LARGEST_FILE + 1;
    let text = format!("{huge:011o}");
    assert_eq!(rejection(&with(&sized(text.as_bytes()))), Some(TarRejection::Size(huge)));
    assert_eq!(rejection(&with(&sized(b"77777777777"))), Some(TarRejection::Size((1 << 33) - 1)));
    // base 256, as GNU tar writes what octal cannot hold
    let base_256 = [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for text in [&base_256[..], b"-0000000001", b"0000000008\0", b"         1 ", b"0000 000001", b"0\x001"] {
        assert_eq!(rejection(&with(&sized(text))), Some(TarRejection::Number("size")), "{text:?}");
    }
    assert_eq!(rejection(&with(&sized(b"00000010000"))), Some(TarRejection::Truncated));
    let full = header("x/", b'5', 512, |_| {});
    assert_eq!(rejection(&with(&[full, padded(&[1; 512])].concat())), Some(TarRejection::Size(512)));
}

#[test]
fn sums_are_right_and_written_in_one_of_two_ways() {
    let good = with(b"");
    for (at, bit) in [(0, 1), (0, 0x20), (100, 1), (148, 1), (154, 1), (155, 0x20), (200, 1), (510, 1)] {
        let mut bad = good.clone();
        bad[at] ^= bit;
        assert_eq!(rejection(&bad), Some(TarRejection::Checksum), "byte {at}");
    }
    let mut seven = good.clone();
    let sum = String::from_utf8(good[148..154].to_vec()).unwrap();
    seven[148..156].copy_from_slice(format!("0{sum}\0").as_bytes());
    assert_eq!(rejection(&seven), None);
}

#[test]
fn the_end_is_marked_and_is_the_end() {
    let good = with(b"");
    assert_eq!(rejection(b""), Some(TarRejection::Empty));
    assert_eq!(rejection(&good), None);
    assert_eq!(rejection(&good[..1024]), Some(TarRejection::NoEnd));
    assert_eq!(rejection(&good[..1536]), Some(TarRejection::NoEnd), "one block of zeros is half a marker");
    assert_eq!(rejection(&good[..1700]), Some(TarRejection::NoEnd));
    assert_eq!(rejection(&good[..1023]), Some(TarRejection::Truncated));
    assert_eq!(rejection(&good[..700]), Some(TarRejection::Truncated));
    assert_eq!(rejection(&good[..100]), Some(TarRejection::Truncated));
    assert_eq!(rejection(&[&good[..], b"x"].concat()), Some(TarRejection::Trailing));
    assert_eq!(rejection(&[&good[..], &[0]].concat()), Some(TarRejection::Trailing));
    assert_eq!(rejection(&[&good[..], &good].concat()), Some(TarRejection::Trailing), "concatenated");
    assert_eq!(rejection(&[&good[..], &[0; 19 * 512]].concat()), None, "a whole record");
    assert_eq!(rejection(&[&good[..], &[0; 20 * 512]].concat()), Some(TarRejection::Trailing));
    let mut dirty = good.clone();
    dirty[512 + 4] = 1;
    assert_eq!(rejection(&dirty), Some(TarRejection::Padding));
    assert_eq!(rejection(&[7; 2048]), Some(TarRejection::NotUstar));
}

#[test]
fn members_are_counted_and_devices_not_opened() {
    let empty = |n: usize| header(&format!("{n}"), b'0', 0, |_| {});
    let most: Vec<u8> = (0..index::MOST_MEMBERS).flat_map(empty).collect();
    assert_eq!(rejection(&[&most[..], &end()].concat()), None);
    assert_eq!(rejection(&with(&most)), Some(TarRejection::TooMany));
    let error = Tar::open(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(error, TarError::Rejected { reason: TarRejection::NotAFile, .. }));
}

#[test]
fn a_file_that_is_cut_while_it_is_read_ends_in_an_error() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&with(b"")).unwrap();
    let tar = Tar::open(file.path()).unwrap();
    file.as_file().set_len(514).unwrap();
    let error = media::read(&tar, "COURIER/metadata/1.root.json", 100).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

/// A publication of no meaning with one target, whose bytes are these.
fn publication(firmware: &[u8]) -> Contents {
    let sealed = Sealed { length: firmware.len() as u64, sha256: Sha256Digest::of(firmware) };
    let name = format!("{}/{}.digicap.dav", "i".repeat(60), sealed.sha256);
    Contents {
        metadata: [("1.root.json", b"root".to_vec()), ("2.targets.json", vec![b't'; 1024])]
            .map(|(name, bytes)| (name.to_owned(), bytes))
            .into(),
        timestamp: b"timestamp".to_vec(),
        listed: BTreeMap::from([(name.clone(), sealed)]),
        carried: vec![name],
        acknowledged: Some(b"{}".to_vec()),
        readme: "readme".into(),
    }
}

fn exported(contents: &Contents, firmware: &'static [u8]) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::new();
    export(contents, &|_| Ok(Box::new(firmware)), &mut bytes, &mut |_| {})?;
    Ok(bytes)
}

const LONGER: &[u8] = &[0xa5; 70_002];
const FIRMWARE: &[u8] = LONGER.split_at(70_001).0;

/// What is to be in an archive: paths from the tree's beginning, in the order of writing.
fn expected(contents: &Contents) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![(format!("targets/{}", contents.carried[0]), FIRMWARE.to_vec())];
    files.extend(contents.metadata.iter().map(|(name, bytes)| (format!("metadata/{name}"), bytes.clone())));
    files.push(("acknowledged.json".into(), b"{}".to_vec()));
    files.push(("README.txt".into(), b"readme".to_vec()));
    files.push(("metadata/timestamp.json".into(), b"timestamp".to_vec()));
    files
}

fn gnu_tar(args: &[&str], dir: &Path) -> String {
    let output = Command::new("tar").args(args).current_dir(dir).env("TZ", "UTC").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "tar {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_export_is_the_same_each_time_and_gnu_tar_agrees_on_it() {
    let contents = publication(FIRMWARE);
    let bytes = exported(&contents, FIRMWARE).unwrap();
    assert_eq!(exported(&contents, FIRMWARE).unwrap(), bytes);
    let dir = tempfile::tempdir().unwrap();
    File::create(dir.path().join("x.tar")).unwrap().write_all(&bytes).unwrap();
    let listed = gnu_tar(&["--list", "--verbose", "--numeric-owner", "--file", "x.tar"], dir.path());
    for (line, (name, body)) in listed.lines().zip(expected(&contents)) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let size = body.len().to_string();
        assert_eq!(fields, ["-rw-r--r--", "0/0", size.as_str(), "1970-01-01", "00:00", name.as_str()]);
    }
    assert_eq!(listed.lines().count(), expected(&contents).len());
    gnu_tar(&["--extract", "--file", "x.tar"], dir.path());
    let tar = Tar::open(&dir.path().join("x.tar")).unwrap();
    for (name, body) in expected(&contents) {
        assert_eq!(fs::read(dir.path().join(&name)).unwrap(), body, "{name}, by GNU tar");
        assert_eq!(contents_of(&tar, &format!("COURIER/{name}")), body, "{name}, by us");
    }
}

#[test]
fn what_gnu_tar_packs_in_ustar_is_taken_and_its_other_formats_are_not() {
    let contents = publication(FIRMWARE);
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    for (name, body) in expected(&contents) {
        fs::create_dir_all(tree.join(&name).parent().unwrap()).unwrap();
        File::create(tree.join(&name)).unwrap().write_all(&body).unwrap();
    }
    let pack = |format: &str, what: &[&str]| {
        let format = format!("--format={format}");
        gnu_tar(&[&["--create", "--file", "../x.tar", &format], what].concat(), &tree);
        Tar::open(&dir.path().join("x.tar"))
    };
    let tree = ["metadata", "targets", "README.txt", "acknowledged.json"];
    let tar = pack("ustar", &tree).unwrap();
    for (name, body) in expected(&contents) {
        assert_eq!(contents_of(&tar, &format!("COURIER/{name}")), body, "{name}");
    }
    let reason = |format, what: &[&str]| match pack(format, what) {
        Err(TarError::Rejected { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason("gnu", &tree), TarRejection::NotUstar);
    assert_eq!(reason("pax", &tree), TarRejection::Type("a PAX extension"));
    assert_eq!(reason("v7", &["README.txt"]), TarRejection::NotUstar);
    assert!(
        matches!(reason("ustar", &["."]), TarRejection::Name { why, .. } if why.contains("part that is ."))
    );
}

#[test]
fn a_depot_file_that_is_another_ends_the_export() {
    let contents = publication(FIRMWARE);
    for other in [&FIRMWARE[1..], LONGER, b""] {
        assert!(matches!(exported(&contents, other), Err(ExportError::Source { .. })), "{}", other.len());
    }
    let mut huge = publication(FIRMWARE);
    huge.listed.values_mut().next().unwrap().length = layout::LARGEST_FILE + 1;
    assert!(matches!(exported(&huge, FIRMWARE), Err(ExportError::TooLarge { .. })));
}

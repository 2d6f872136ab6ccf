use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use firmware::{Pin, Release, ReleaseId};
use keys::durable;
use toml::de::{DeTable, DeValue};

use super::manifest;

/// The largest manifest that is edited, bytes; none larger is read either.
const LARGEST: u64 = 4 << 20;

/// Why a pin was not written. The manifest is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The manifest has no such release any more.
    #[error("manifest {}: release {id} is not in it", file.display())]
    Missing {
        /// The manifest.
        file: PathBuf,
        /// The release.
        id: ReleaseId,
    },
    /// A person pinned something else before; that is never replaced silently.
    #[error(
        "release {id}: pinned on {} as {} bytes with SHA-256 {}, this file is {} bytes with SHA-256 {}",
        present.on, present.size, present.sha256, wanted.size, wanted.sha256
    )]
    Pinned {
        /// The release.
        id: ReleaseId,
        /// The pin that is there.
        present: Box<Pin>,
        /// The pin that was to be written.
        wanted: Box<Pin>,
    },
    /// The text with the pin in it does not say what it should.
    #[error("manifest {}: writing a pin for {id} would break it", file.display())]
    Broken {
        /// The manifest.
        file: PathBuf,
        /// The release.
        id: ReleaseId,
    },
    /// The file could not be read or written.
    #[error("manifest {}: editing failed", file.display())]
    Io {
        /// The manifest.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes a pin below its release in this manifest; every other byte stays as it is. The same file
/// pinned again leaves the first pin, its date and its provenance alone.
pub fn write_pin(file: &Path, id: &ReleaseId, pin: &Pin) -> Result<(), EditError> {
    let failed = |source| EditError::Io { file: file.to_owned(), source };
    let bytes = durable::read(file, LARGEST).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|e| failed(io::Error::new(io::ErrorKind::InvalidData, e)))?;
    if let Some(pinned) = with_pin(file, &text, id, pin)? {
        let mode = fs::metadata(file).map_err(failed)?.permissions().mode() & 0o7777;
        durable::write_atomic(file, pinned.as_bytes(), mode).map_err(failed)?;
    }
    Ok(())
}

/// The text with the pin in it; nothing where the same file is pinned already.
///
/// The text is read again before it is handed out: it must hold the same releases as before but for
/// this one pin.
fn with_pin(file: &Path, text: &str, id: &ReleaseId, pin: &Pin) -> Result<Option<String>, EditError> {
    let releases = |text: &str| -> Vec<Release> {
        manifest::read(file, text).drafts.into_iter().map(|draft| draft.release).collect()
    };
    let mut expected = releases(text);
    let Some(index) = expected.iter().position(|release| release.id == *id) else {
        return Err(EditError::Missing { file: file.to_owned(), id: id.clone() });
    };
    if let Some(present) = &expected[index].pin {
        if (present.size, present.sha256) == (pin.size, pin.sha256) {
            return Ok(None);
        }
        let (present, wanted) = (Box::new(present.clone()), Box::new(pin.clone()));
        return Err(EditError::Pinned { id: id.clone(), present, wanted });
    }
    expected[index].pin = Some(pin.clone());
    let pinned = end_of_release(text, id).map(|at| splice(text, at, pin));
    match pinned {
        Some(pinned) if releases(&pinned) == expected => Ok(Some(pinned)),
        _ => Err(EditError::Broken { file: file.to_owned(), id: id.clone() }),
    }
}

fn splice(text: &str, at: usize, pin: &Pin) -> String {
    let (before, after) = text.split_at(at);
    let line_break = if before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{line_break}\n{}{after}", pin_table(pin))
}

fn pin_table(pin: &Pin) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let rows = [
        ("size", Some(pin.size.to_string())),
        ("sha256", Some(quoted(&pin.sha256.to_string()))),
        ("package_size", pin.package_size.map(|size| size.to_string())),
        ("package_sha256", pin.package_sha256.map(|digest| quoted(&digest.to_string()))),
        ("member", pin.member.as_deref().map(quoted)),
        ("on", Some(pin.on.to_string())),
        ("provenance", Some(quoted(&pin.provenance))),
    ];
    rows.into_iter().fold("[release.pin]\n".to_owned(), |table, (key, value)| match value {
        Some(value) => table + key + " = " + &value + "\n",
        None => table,
    })
}

/// Where the text of a release ends: behind the line of its last value, and so before blank lines
/// and comments, which belong to what follows.
fn end_of_release(text: &str, id: &ReleaseId) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let releases = root.get_ref().get("release")?.get_ref().as_array()?;
    let is_it = |value: &DeValue<'_>| value.get("id").and_then(|v| v.get_ref().as_str()) == Some(id.as_str());
    let release = releases.iter().find(|release| is_it(release.get_ref()))?;
    let last = end_of(release.get_ref(), release.span().end);
    Some(text[last..].find('\n').map_or(text.len(), |line_break| last + line_break + 1))
}

fn end_of(value: &DeValue<'_>, end: usize) -> usize {
    let inner = value.as_table().into_iter().flat_map(|table| table.values());
    inner.map(|value| end_of(value.get_ref(), value.span().end)).max().unwrap_or(end).max(end)
}

#[cfg(test)]
mod tests {
    use firmware::Sha256Digest;
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::manifest::Manifest;

    /// Odd but legal formatting, on purpose.
    const TEXT: &str = "# head\r\n\n[[release]] # one\nid='nvr-k51-4.1.0-190101'\nfamily = \"nvr\"  \nmodels = [\n  \"DS-1A\", # why\n]\nversion = \"V4.1.0\"\nbuild = \"190101\"\nsources = [\"x\"] # last\n\n# about two\n  [[ release ]]\nid = \"nvr-k51-4.1.0-190102\"\nfamily = \"nvr\"\nmodels = []\nversion = \"V4.1.0\"\nbuild = \"190102\"\nsources = [\n\"x\"]";
    const ONE: &str = "nvr-k51-4.1.0-190101";

    fn file() -> &'static Path {
        Path::new("nvr/k51.toml")
    }

    fn pin(bytes: &[u8]) -> Pin {
        Pin {
            size: bytes.len() as u64,
            sha256: Sha256Digest::of(bytes),
            package_size: Some(9),
            package_sha256: Some(Sha256Digest::of(b"zip")),
            member: Some("digi\"cap.dav".into()),
            on: "2026-11-22".parse().unwrap(),
            provenance: "file given by a person".into(),
        }
    }

    fn pinned(text: &str, id: &str, pin: &Pin) -> Result<Option<String>, EditError> {
        with_pin(file(), text, &id.parse().unwrap(), pin)
    }

    #[test]
    fn only_the_pin_is_added_to_the_text() {
        let pin = pin(b"abc");
        let behind_one = TEXT.find("\n# about two").unwrap();
        for (id, at, line_break) in [(ONE, behind_one, ""), ("nvr-k51-4.1.0-190102", TEXT.len(), "\n")] {
            let text = pinned(TEXT, id, &pin).unwrap().unwrap();
            let expected = format!("{}{line_break}\n{}{}", &TEXT[..at], pin_table(&pin), &TEXT[at..]);
            assert_eq!(text, expected);
            let Manifest { drafts, faults, .. } = manifest::read(file(), &text);
            assert_eq!(faults, []);
            assert_eq!(
                drafts.iter().find(|d| d.release.id.as_str() == id).unwrap().release.pin,
                Some(pin.clone())
            );
        }
    }

    #[test]
    fn a_different_pin_is_refused_with_both_digests() {
        let text = pinned(TEXT, ONE, &pin(b"abc")).unwrap().unwrap();
        let later = Pin { on: "2027-01-01".parse().unwrap(), ..pin(b"abc") };
        assert!(pinned(&text, ONE, &later).unwrap().is_none());
        let error = pinned(&text, ONE, &pin(b"abcd")).unwrap_err().to_string();
        for digest in [Sha256Digest::of(b"abc"), Sha256Digest::of(b"abcd")] {
            assert!(error.contains(&digest.to_string()), "{error}");
        }
    }

    #[test]
    fn a_release_that_is_not_there_is_said() {
        assert!(matches!(pinned(TEXT, "nvr-x-1", &pin(b"")), Err(EditError::Missing { .. })));
    }

    #[test]
    fn every_committed_manifest_takes_a_pin() {
        let catalog = Catalog::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware-manifests"));
        let catalog = catalog.unwrap_or_else(|error| panic!("{error}"));
        assert!(catalog.releases().len() >= 465);
        let file = |release: &Release| catalog.place(&release.id).unwrap().file.clone();
        for releases in catalog.releases().chunk_by(|a, b| file(a) == file(b)) {
            let text = fs::read_to_string(file(&releases[0])).unwrap();
            for release in
                [releases.first(), releases.last()].into_iter().flatten().filter(|r| r.pin.is_none())
            {
                let pinned = with_pin(&file(release), &text, &release.id, &pin(b"abc")).unwrap().unwrap();
                assert_eq!(pinned.replacen(&format!("\n{}", pin_table(&pin(b"abc"))), "", 1), text);
            }
        }
    }

    #[test]
    fn the_file_is_replaced_and_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k51.toml");
        durable::write_atomic(&path, TEXT.as_bytes(), 0o664).unwrap();
        write_pin(&path, &ONE.parse().unwrap(), &pin(b"abc")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.replacen(&format!("\n{}", pin_table(&pin(b"abc"))), "", 1), TEXT);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o664);
    }

    proptest! {
        #[test]
        fn any_provenance_survives(provenance in "[ -~é\\\\\"]{1,60}") {
            prop_assume!(!provenance.trim().is_empty());
            let pin = Pin { provenance, ..pin(b"abc") };
            let text = pinned(TEXT, ONE, &pin).unwrap().unwrap();
            let read = manifest::read(file(), &text).drafts;
            prop_assert_eq!(read[0].release.pin.as_ref(), Some(&pin));
        }
    }
}

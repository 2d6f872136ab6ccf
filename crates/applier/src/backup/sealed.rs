//! A backup as bytes: an age file whose plaintext is one line of JSON, the manifest, and then the export.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use age::x25519::Recipient;
use age::{DecryptError, Decryptor, Encryptor};
use firmware::Sha256Digest;
use keys::AgeIdentity;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{FORMAT, Manifest, in_memory};

/// Bytes of a backup: the largest export that is taken, and what sealing adds.
const LARGEST: u64 = (64 << 20) + (1 << 20);
/// Bytes of the manifest; it has a dozen short fields.
const LONGEST_MANIFEST: u64 = 4096;
/// Bytes that are hashed at a time; larger ones are slower (reference: crates §1).
const CHUNK: usize = 64 * 1024;

/// Why a file is no backup that can be used.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// It cannot be read.
    #[error("backup {}: cannot be read", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was sealed for others.
    #[error("backup {}: the local key does not open it", .0.display())]
    OtherKey(PathBuf),
    /// It is not what was written.
    #[error("backup {}: rejected, {why}", path.display())]
    Rejected {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Writes a backup; `export` is at its beginning.
pub(super) fn seal(
    manifest: &Manifest,
    export: &mut impl Read,
    recipients: &[Recipient],
    to: impl Write,
) -> io::Result<()> {
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
    let mut sealed = encryptor.wrap_output(to)?;
    let mut line = serde_json::to_vec(manifest)?;
    line.push(b'\n');
    sealed.write_all(&line)?;
    io::copy(export, &mut sealed)?;
    sealed.finish()?.flush()
}

/// Whose configuration a backup holds. What follows the manifest is not looked at.
pub fn manifest(path: &Path, key: &AgeIdentity) -> Result<Manifest, UnsealError> {
    open(path, key).map(|(manifest, _)| manifest)
}

/// Opens a backup whole: its manifest, and its export in a file that exists in memory alone, held
/// against size and digest, at its beginning.
pub fn unseal(path: &Path, key: &AgeIdentity) -> Result<(Manifest, File), UnsealError> {
    let rejected = |why: String| UnsealError::Rejected { path: path.into(), why };
    let (manifest, contents) = open(path, key)?;
    let kept = |source| UnsealError::Io { path: path.into(), source };
    let mut export = in_memory().map_err(kept)?;
    let (mut contents, mut hasher, mut size) = (contents.take(LARGEST), Sha256::new(), 0);
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    loop {
        // damage shows while it is decrypted, as an error of reading
        let read = contents.read(&mut chunk).map_err(|error| rejected(format!("it is damaged: {error}")))?;
        if read == 0 {
            break;
        }
        hasher.update(&chunk[..read]);
        export.write_all(&chunk[..read]).map_err(kept)?;
        size += read as u64;
    }
    export.seek(SeekFrom::Start(0)).map_err(kept)?;
    let found = Sha256Digest::from(hasher);
    if size != manifest.size || found != manifest.sha256 {
        return Err(rejected(format!(
            "it holds {size} bytes with SHA-256 {found}, and says {} bytes with SHA-256 {}",
            manifest.size, manifest.sha256
        )));
    }
    Ok((manifest, export))
}

/// The manifest, and what follows it.
fn open(path: &Path, key: &AgeIdentity) -> Result<(Manifest, impl Read), UnsealError> {
    let io = |source| UnsealError::Io { path: path.into(), source };
    let rejected = |why: &str| UnsealError::Rejected { path: path.into(), why: why.into() };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(rejected(&format!("it is no file of at most {LARGEST} bytes")));
    }
    let input = BufReader::new(file.take(LARGEST));
    let decryptor = Decryptor::new_buffered(input).map_err(|error| unopened(error, path))?;
    let plain = decryptor.decrypt(key.all()).map_err(|error| unopened(error, path))?;
    let mut plain = BufReader::new(plain);
    let mut line = Vec::new();
    (&mut plain)
        .take(LONGEST_MANIFEST)
        .read_until(b'\n', &mut line)
        .map_err(|error| rejected(&format!("it is damaged: {error}")))?;
    let manifest: Manifest = serde_json::from_slice(&line)
        .map_err(|error| rejected(&format!("it does not say whose configuration it is: {error}")))?;
    if manifest.format != FORMAT {
        let newer =
            format!("it has format {}, this program knows {FORMAT}: update the applier", manifest.format);
        return Err(rejected(&newer));
    }
    Ok((manifest, plain))
}

fn unopened(error: DecryptError, path: &Path) -> UnsealError {
    let path = path.to_owned();
    match error {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => UnsealError::OtherKey(path),
        DecryptError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            UnsealError::Io { path, source }
        }
        _ => UnsealError::Rejected { path, why: "it is no whole age file".into() },
    }
}

#[cfg(test)]
pub(super) mod tests {
    use isapi::Exported;
    use keys::durable;

    use super::*;
    use crate::backup::local_key;
    use crate::inventory::tests::inventory;
    use crate::journal::tests::at;

    pub(in crate::backup) struct Bench {
        pub(in crate::backup) dir: tempfile::TempDir,
        pub(in crate::backup) key: AgeIdentity,
    }

    impl Bench {
        pub(in crate::backup) fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let key = local_key(&dir.path().join("key")).unwrap();
            Self { dir, key }
        }

        fn file(&self, bytes: &[u8]) -> PathBuf {
            let path = self.dir.path().join("backup");
            durable::write_atomic(&path, bytes, 0o600).unwrap();
            path
        }

        pub(in crate::backup) fn seal(&self, manifest: &Manifest, export: &[u8]) -> Vec<u8> {
            let mut sealed = Vec::new();
            seal(manifest, &mut &export[..], &[self.key.recipient()], &mut sealed).unwrap();
            sealed
        }
    }

    pub(in crate::backup) fn says(export: &[u8]) -> Manifest {
        let exported = Exported { size: export.len() as u64, sha256: Sha256Digest::of(export), keyed: true };
        Manifest::of(&inventory("DS-7608NI-I2", "V4.30.097 build 200101").device, &exported, at(0))
    }

    #[test]
    fn opens_for_its_key_alone_and_shows_nothing_of_itself() {
        let bench = Bench::new();
        let export = b"password of the cameras ".repeat(9000);
        let sealed = bench.seal(&says(&export), &export);
        for word in [&b"password"[..], b"DS-7608"] {
            assert!(!sealed.windows(word.len()).any(|found| found == word));
        }
        let path = bench.file(&sealed);
        assert_eq!(manifest(&path, &bench.key).unwrap(), says(&export));
        let (_, mut opened) = unseal(&path, &bench.key).unwrap();
        let mut found = Vec::new();
        opened.read_to_end(&mut found).unwrap();
        assert_eq!(found, export);
        let other = Bench::new().key;
        assert!(matches!(unseal(&path, &other), Err(UnsealError::OtherKey(_))));
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_rejected() {
        let bench = Bench::new();
        let export = vec![7; 200_000];
        let sealed = bench.seal(&says(&export), &export);
        let broken = |bytes: &[u8], what: &str| {
            let path = bench.file(bytes);
            let error = unseal(&path, &bench.key).unwrap_err();
            assert!(
                matches!(error, UnsealError::Rejected { .. } | UnsealError::OtherKey(_)),
                "{what}: {error}"
            );
        };
        let steps = (0..sealed.len()).step_by(9973).chain([1, 100, 200, sealed.len() - 1]);
        for at in steps {
            broken(&sealed[..at], &format!("cut at {at}"));
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            broken(&changed, &format!("changed at {at}"));
        }
        broken(&[&sealed[..], b"x"].concat(), "longer");
    }

    #[test]
    fn what_it_says_of_itself_must_be_so() {
        let bench = Bench::new();
        let (export, other) = (b"this", b"that");
        let path = bench.file(&bench.seal(&says(other), export));
        assert!(unseal(&path, &bench.key).unwrap_err().to_string().contains("and says 4 bytes"));
        let later = Manifest { format: 2, ..says(export) };
        let path = bench.file(&bench.seal(&later, export));
        assert!(unseal(&path, &bench.key).unwrap_err().to_string().contains("update the applier"));
        assert!(matches!(unseal(bench.dir.path(), &bench.key), Err(UnsealError::Rejected { .. })));
        assert!(matches!(unseal(Path::new("/nonexistent"), &bench.key), Err(UnsealError::Io { .. })));
    }
}

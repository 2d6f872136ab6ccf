//! Key files. Secret: PKCS#8 PEM (RFC 5958), encrypted by PBES2 with scrypt (RFC 7914) and AES-256
//! where a passphrase is given. Public: SPKI PEM. OpenSSL 3.0 reads and writes all three.
//!
//! A secret key file is readable by its owner alone, never replaced, and read back and tried before
//! anybody is told that it exists: a key that cannot be read again is worse than none.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pkcs8::der::{Decode as _, SecretDocument};
use pkcs8::pkcs5::{self, pbes2};
use pkcs8::{EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::signing_key::Pkcs8;
use crate::{InvalidPublicKey, PublicKey, SigningKey, durable};

/// Larger than any key: an Ed25519 key file has 119 bytes, an encrypted one about 380.
const CAP: u64 = 64 * 1024;
/// What deriving the file's key may cost, 128·N·r bytes of memory (RFC 7914 §2): sixteen times what
/// is written here, so that a hostile file cannot exhaust the machine.
const SCRYPT_MEMORY_CAP: u64 = 256 * 1024 * 1024;
const SCRYPT_PARALLELISM_CAP: u16 = 16;
const PBKDF2_ITERATION_CAP: u32 = 10_000_000;

/// Why a key file could not be written or read. Nothing here says anything about the key itself.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Key files are never replaced.
    #[error("key file {} exists and is not replaced", .0.display())]
    Exists(PathBuf),
    /// The system failed to read or write it; longer than 64 KiB is among this.
    #[error("key file {}: {action} failed", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `write`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the owner may read it, so it may be a secret no more.
    #[error("key file {} can be read by others: mode {mode:04o}, expected 0600\nhint: chmod 600 {}; a FAT or exFAT stick keeps no modes: mount it with umask=077", .path.display(), .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Permission bits found.
        mode: u32,
    },
    /// Neither PKCS#8 nor SPKI PEM of a known algorithm, as the case may be.
    #[error("key file {} is rejected: {reason}", .path.display())]
    NotAKeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is encrypted and no passphrase was given.
    #[error("key file {} is encrypted and needs its passphrase", .0.display())]
    PassphraseNeeded(PathBuf),
    /// It is encrypted with another passphrase.
    #[error("key file {}: wrong passphrase", .0.display())]
    WrongPassphrase(PathBuf),
    /// An empty passphrase protects nothing.
    #[error("key file {}: passphrase is empty", .0.display())]
    EmptyPassphrase(PathBuf),
    /// What was read back is not the key that was written.
    #[error("key file {}: key read back differs from the key written", .0.display())]
    Unproven(PathBuf),
}

/// Writes a new secret key file, mode 0600, encrypted where a passphrase is given, and proves it:
/// a signature made with the key as read back must verify. What cannot be proved is removed again.
pub fn write_new(
    path: &Path,
    key: &SigningKey,
    passphrase: Option<&SecretString>,
) -> Result<(), KeyFileError> {
    let pem = match passphrase {
        Some(passphrase) if passphrase.expose_secret().is_empty() => {
            return Err(KeyFileError::EmptyPassphrase(path.into()));
        }
        Some(passphrase) => Pkcs8(key).to_pkcs8_encrypted_pem(passphrase.expose_secret(), LineEnding::LF),
        None => Pkcs8(key).to_pkcs8_pem(LineEnding::LF),
    }
    .map_err(|error| failed(path, "write", io::Error::other(error)))?;
    create(path, pem.as_bytes(), 0o600)?;
    let proof = read(path, passphrase).and_then(|read_back| {
        key.public()
            .verify(b"key file round trip", &read_back.sign(b"key file round trip"))
            .map_err(|_| KeyFileError::Unproven(path.into()))
    });
    if proof.is_err() {
        durable::remove(path).map_err(|source| failed(path, "write", source))?;
    }
    proof
}

/// Reads a secret key file. A passphrase that the file does not need is ignored, as OpenSSL does.
pub fn read(path: &Path, passphrase: Option<&SecretString>) -> Result<SigningKey, KeyFileError> {
    key_of(&Document::read(path, Others::NoBit)?, path, passphrase)
}

/// Reads an unencrypted secret key that systemd hands to a service (`LoadCredential=`, systemd.exec(5)).
/// It grants the service's user access by an access control list, and the mask of that list shows in
/// the place of the group's bits: mode 0440 there is not a group that may read.
pub fn read_credential(path: &Path) -> Result<SigningKey, KeyFileError> {
    key_of(&Document::read(path, Others::GroupMayRead)?, path, None)
}

fn key_of(
    document: &Document,
    path: &Path,
    passphrase: Option<&SecretString>,
) -> Result<SigningKey, KeyFileError> {
    let rejected = |reason| KeyFileError::NotAKeyFile { path: path.into(), reason };
    if !document.encrypted {
        return key_in(&document.der).map_err(rejected);
    }
    let encrypted = EncryptedPrivateKeyInfoRef::from_der(document.der.as_bytes())
        .map_err(|_| rejected("not an encrypted PKCS#8 key"))?;
    check_cost(&encrypted.encryption_algorithm).map_err(rejected)?;
    let passphrase = passphrase.ok_or_else(|| KeyFileError::PassphraseNeeded(path.into()))?;
    let wrong = || KeyFileError::WrongPassphrase(path.into());
    let decrypted = encrypted.decrypt(passphrase.expose_secret()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs5::Error::AlgorithmParametersInvalid { .. }
            | pkcs5::Error::NoPbes1CryptSupport,
        ) => rejected("encrypted by an algorithm that is not supported"),
        _ => wrong(),
    })?;
    // one wrong passphrase in 256 leaves padding that looks right (RFC 8018 §6.2) and rubbish inside
    key_in(&decrypted).map_err(|_| wrong())
}

/// Whether [`read`] will need a passphrase: ask only then.
pub fn is_encrypted(path: &Path) -> Result<bool, KeyFileError> {
    Ok(Document::read(path, Others::NoBit)?.encrypted)
}

/// Writes a new public key file (SPKI PEM, mode 0644).
pub fn write_public_new(path: &Path, key: &PublicKey) -> Result<(), KeyFileError> {
    create(path, key.to_spki_pem().as_bytes(), 0o644)
}

/// Reads a public key file (SPKI PEM); weak keys are rejected.
pub fn read_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    let rejected = |reason| KeyFileError::NotAKeyFile { path: path.into(), reason };
    let bytes = durable::read(path, CAP).map_err(|source| failed(path, "read", source))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| rejected("not PEM text"))?;
    PublicKey::from_spki_pem(text).map_err(|error| match error {
        InvalidPublicKey::NotPem => rejected("not a public key in PEM"),
        _ => rejected("public key is weak or not on the curve"),
    })
}

/// The DER inside a secret key file.
struct Document {
    encrypted: bool,
    der: SecretDocument,
}

/// Which permission bits others than the owner may have.
#[derive(Clone, Copy)]
enum Others {
    NoBit = 0o077,
    GroupMayRead = 0o037,
}

impl Document {
    fn read(path: &Path, others: Others) -> Result<Self, KeyFileError> {
        let read_failed = |source| failed(path, "read", source);
        let rejected = |reason| KeyFileError::NotAKeyFile { path: path.into(), reason };
        let file = File::open(path).map_err(read_failed)?;
        let metadata = file.metadata().map_err(read_failed)?;
        if !metadata.is_file() {
            return Err(rejected("not a regular file"));
        }
        let mode = metadata.permissions().mode() & 0o7777;
        let bytes = Zeroizing::new(durable::read_open(file, CAP).map_err(read_failed)?);
        if bytes.starts_with(b"-----BEGIN PUBLIC KEY-----") {
            // which everybody may read
            return Err(rejected("it is a public key, and the secret one is needed"));
        }
        if mode & others as u32 != 0 {
            return Err(KeyFileError::Exposed { path: path.into(), mode });
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| rejected("not PEM text"))?;
        let (label, der) = SecretDocument::from_pem(text).map_err(|_| rejected("not PEM text"))?;
        match label {
            "PRIVATE KEY" => Ok(Self { encrypted: false, der }),
            "ENCRYPTED PRIVATE KEY" => Ok(Self { encrypted: true, der }),
            _ => Err(rejected("not a PKCS#8 private key")),
        }
    }
}

fn key_in(der: &SecretDocument) -> Result<SigningKey, &'static str> {
    SigningKey::from_pkcs8(PrivateKeyInfoRef::from_der(der.as_bytes()).map_err(|_| "not a PKCS#8 key")?)
}

fn check_cost(scheme: &pkcs5::EncryptionScheme) -> Result<(), &'static str> {
    let cheap = match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(pbes2::Kdf::Scrypt(scrypt)) => {
            let memory =
                scrypt.cost_parameter.saturating_mul(u64::from(scrypt.block_size)).saturating_mul(128);
            memory <= SCRYPT_MEMORY_CAP && scrypt.parallelization <= SCRYPT_PARALLELISM_CAP
        }
        Some(pbes2::Kdf::Pbkdf2(pbkdf2)) => pbkdf2.iteration_count <= PBKDF2_ITERATION_CAP,
        _ => return Err("encrypted by an algorithm that is not supported"),
    };
    if cheap { Ok(()) } else { Err("deriving its key would cost too much memory or time") }
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyFileError> {
    durable::create_new(path, bytes, mode).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.into()),
        _ => failed(path, "write", source),
    })
}

fn failed(path: &Path, action: &'static str, source: io::Error) -> KeyFileError {
    KeyFileError::Io { path: path.into(), action, source }
}

#[cfg(test)]
mod tests;

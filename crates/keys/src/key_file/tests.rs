use std::fs::{self, Permissions};
use std::process::Command;

use ed25519_dalek::pkcs8::PublicKeyBytes;
use pkcs8::EncodePublicKey as _;
use pkcs8::der::asn1::OctetStringRef;

use super::*;

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn put(path: &Path, bytes: &[u8]) {
    durable::write_atomic(path, bytes, 0o600).unwrap();
}

#[test]
fn reads_back_what_it_wrote() {
    let directory = tempfile::tempdir().unwrap();
    for (name, passphrase, key) in [
        ("plain", None, SigningKey::generate()),
        ("encrypted", Some(secret("correct horse")), SigningKey::generate()),
        ("plain P-256", None, SigningKey::generate_p256()),
        ("encrypted P-256", Some(secret("correct horse")), SigningKey::generate_p256()),
    ] {
        let path = directory.path().join(name);
        write_new(&path, &key, passphrase.as_ref()).unwrap();
        assert_eq!(is_encrypted(&path).unwrap(), passphrase.is_some());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(read(&path, passphrase.as_ref()).unwrap().public(), key.public());
        let again = write_new(&path, &SigningKey::generate(), None);
        assert!(matches!(again, Err(KeyFileError::Exists(_))));
        assert_eq!(read(&path, passphrase.as_ref()).unwrap().public(), key.public());
    }
}

#[test]
fn passphrases_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let key = SigningKey::generate();
    assert!(matches!(write_new(&path, &key, Some(&secret(""))), Err(KeyFileError::EmptyPassphrase(_))));
    write_new(&path, &key, Some(&secret("right"))).unwrap();
    assert!(matches!(read(&path, None), Err(KeyFileError::PassphraseNeeded(_))));
    assert!(matches!(read(&path, Some(&secret("wrong"))), Err(KeyFileError::WrongPassphrase(_))));
}

#[test]
fn a_credential_may_show_its_access_control_list_as_the_group() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    write_new(&path, &SigningKey::generate(), None).unwrap();
    for (mode, taken) in [(0o400, true), (0o440, true), (0o460, false), (0o444, false), (0o550, false)] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(read_credential(&path).is_ok(), taken, "{mode:o}");
    }
}

#[test]
fn refuses_files_that_others_can_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    write_new(&path, &SigningKey::generate(), None).unwrap();
    for mode in [0o640, 0o604, 0o610] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = read(&path, None).unwrap_err();
        assert!(matches!(error, KeyFileError::Exposed { mode: found, .. } if found == mode));
        assert!(error.to_string().contains("chmod 600"));
    }
}

#[test]
fn rejects_what_is_no_key_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let cases: [&[u8]; 4] = [
        b"",
        b"\xff\xfe",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
    ];
    for bytes in cases {
        put(&path, bytes);
        assert!(matches!(read(&path, None), Err(KeyFileError::NotAKeyFile { .. })), "{bytes:?}");
        assert!(matches!(read_public(&path), Err(KeyFileError::NotAKeyFile { .. })), "{bytes:?}");
    }
    put(&path, &vec![b'a'; 64 * 1024 + 1]);
    assert!(matches!(read(&path, None), Err(KeyFileError::Io { .. })));
    assert!(matches!(
        read(directory.path(), None),
        Err(KeyFileError::NotAKeyFile { .. } | KeyFileError::Exposed { .. })
    ));
}

#[test]
fn refuses_a_derivation_that_would_exhaust_the_machine() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let passphrase = secret("any");
    for (log_n, refused) in [(20, true), (14, false)] {
        let cost = pkcs5::scrypt::Params::new(log_n, 8, 1).unwrap();
        let parameters = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &[0; 16], [0; 16]).unwrap();
        let encrypted_data = OctetStringRef::new(&[0; 48]).unwrap();
        let info = EncryptedPrivateKeyInfoRef { encryption_algorithm: parameters.into(), encrypted_data };
        let pem = SecretDocument::encode_msg(&info)
            .unwrap()
            .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
            .unwrap();
        put(&path, pem.as_bytes());
        let error = read(&path, Some(&passphrase)).unwrap_err();
        assert_eq!(error.to_string().contains("would cost too much"), refused, "{error}");
    }
}

#[test]
fn a_public_key_in_place_of_the_secret_one_is_told_by_what_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kim.pub");
    write_public_new(&path, &SigningKey::generate().public()).unwrap();
    let error = read(&path, None).unwrap_err();
    assert!(
        matches!(&error, KeyFileError::NotAKeyFile { reason, .. } if reason.contains("public key")),
        "{error}"
    );
}

#[test]
fn public_keys_round_trip_and_weak_ones_are_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("laptop.pub");
    let key = SigningKey::generate().public();
    write_public_new(&path, &key).unwrap();
    assert_eq!(read_public(&path).unwrap(), key);
    let mut small_order = [0; 32];
    small_order[0] = 1;
    let weak = PublicKeyBytes(small_order).to_public_key_pem(LineEnding::LF).unwrap();
    put(&path, weak.as_bytes());
    assert!(matches!(read_public(&path), Err(KeyFileError::NotAKeyFile { .. })));
}

/// The public key of a secret key file as OpenSSL sees it, in SPKI PEM.
fn openssl_public(path: &Path) -> String {
    let output = Command::new("openssl")
        .args(["pkey", "-pubout", "-passin", "pass:correct horse", "-in"])
        .arg(path)
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn openssl_reads_ours_and_we_read_its() {
    let directory = tempfile::tempdir().unwrap();
    for (number, key) in [SigningKey::generate(), SigningKey::generate_p256()].into_iter().enumerate() {
        let public_path = directory.path().join(format!("public {number}"));
        write_public_new(&public_path, &key.public()).unwrap();
        let public = fs::read_to_string(&public_path).unwrap();
        for (name, passphrase) in [("plain", None), ("encrypted", Some(secret("correct horse")))] {
            let path = directory.path().join(format!("{name} {number}"));
            write_new(&path, &key, passphrase.as_ref()).unwrap();
            assert_eq!(openssl_public(&path), public, "{name}");
        }
    }
    for algorithm in [&["ed25519"][..], &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]] {
        let theirs = directory.path().join(algorithm[0]);
        let made = Command::new("openssl")
            .args(["genpkey", "-aes256", "-pass", "pass:correct horse", "-algorithm"])
            .args(algorithm)
            .arg("-out")
            .arg(&theirs)
            .status()
            .unwrap();
        assert!(made.success());
        fs::set_permissions(&theirs, Permissions::from_mode(0o600)).unwrap();
        let read_theirs = read(&theirs, Some(&secret("correct horse"))).unwrap();
        let their_public = directory.path().join(format!("{} public", algorithm[0]));
        put(&their_public, openssl_public(&theirs).as_bytes());
        assert_eq!(read_theirs.public(), read_public(&their_public).unwrap());
    }
}

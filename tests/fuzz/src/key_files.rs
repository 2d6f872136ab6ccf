use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use keys::key_file::{self, KeyFileError};
use keys::{PublicKey, Signature, SigningKey};
use tempfile::TempDir;

/// What the first byte asks for: a secret (`S`) or public (`P`) key file with these bytes; a public key in
/// hexadecimal (`H`) or raw (`B`); or good key files with changes in their DER (`e`, `p`, `x`: Ed25519,
/// P-256, encrypted; `u`, `v`: public). Secret keys are made here, so that none is in the corpus.
pub fn key_files(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let text = std::str::from_utf8(rest).ok();
    match kind {
        b'S' => secret(rest),
        b'P' => public_pem(rest),
        b'H' => text.and_then(|text| text.parse().ok()).iter().for_each(public),
        b'B' => PublicKey::from_bytes(rest).iter().for_each(public),
        b'e' => secret(&changed(&good().ed25519, rest)),
        b'p' => secret(&changed(&good().p256, rest)),
        b'x' => secret(&changed(&good().encrypted, rest)),
        b'u' => public_pem(&changed(&good().public_ed25519, rest)),
        b'v' => public_pem(&changed(&good().public_p256, rest)),
        _ => {}
    }
}

fn secret(bytes: &[u8]) {
    let path = good().directory.path().join(format!("{:?}.pem", std::thread::current().id()));
    let mut file = File::create(&path).unwrap();
    file.set_permissions(Permissions::from_mode(0o600)).unwrap();
    file.write_all(bytes).unwrap();
    // without a passphrase: deriving a file's key is meant to be slow
    match key_file::read(&path, None) {
        Ok(key) => {
            assert!(!key_file::is_encrypted(&path).unwrap());
            key.public().verify(b"a", &key.sign(b"a")).unwrap();
            public(&key.public());
        }
        Err(KeyFileError::PassphraseNeeded(_)) => assert!(key_file::is_encrypted(&path).unwrap()),
        Err(KeyFileError::NotAKeyFile { .. } | KeyFileError::Io { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

fn public_pem(bytes: &[u8]) {
    if let Some(key) = std::str::from_utf8(bytes).ok().and_then(|text| PublicKey::from_spki_pem(text).ok()) {
        public(&key);
    }
}

/// A key that was taken is written and read back as itself, and verifies nothing by itself.
fn public(key: &PublicKey) {
    assert_eq!(PublicKey::from_spki_pem(&key.to_spki_pem()).as_ref(), Ok(key));
    assert_eq!(key.to_string().parse().as_ref(), Ok(key));
    assert_eq!(PublicKey::from_bytes(key.as_bytes()).as_ref(), Ok(key));
    for signature in [vec![], vec![0; 64], vec![0xff; 64]] {
        assert!(key.verify(b"a", &Signature::from(signature)).is_err());
    }
}

/// A kind of PEM, and its DER.
type Der = (String, Vec<u8>);

/// Good key files, made once.
struct Good {
    directory: TempDir,
    ed25519: Der,
    p256: Der,
    encrypted: Der,
    public_ed25519: Der,
    public_p256: Der,
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let (ed25519, p256) = (SigningKey::generate(), SigningKey::generate_p256());
        let passphrase = "correct horse".to_string().into();
        let written = |name: &str, key: &SigningKey, passphrase| {
            let path = directory.path().join(name);
            key_file::write_new(&path, key, passphrase).unwrap();
            label_and_der(&std::fs::read_to_string(path).unwrap())
        };
        Good {
            ed25519: written("ed25519", &ed25519, None),
            p256: written("p256", &p256, None),
            encrypted: written("encrypted", &ed25519, Some(&passphrase)),
            public_ed25519: label_and_der(&ed25519.public().to_spki_pem()),
            public_p256: label_and_der(&p256.public().to_spki_pem()),
            directory,
        }
    })
}

fn label_and_der(pem: &str) -> Der {
    let lines: Vec<&str> = pem.lines().collect();
    let label = lines[0].trim_start_matches("-----BEGIN ").trim_end_matches('-').to_string();
    (label, BASE64_STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap())
}

/// PEM of the DER after changes of three bytes each: what is done, where, with which byte.
fn changed((label, der): &Der, changes: &[u8]) -> Vec<u8> {
    let mut der = der.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(change[1]).min(der.len());
        match change[0] {
            b'=' if at < der.len() => der[at] = change[2],
            b'+' => der.insert(at, change[2]),
            b'-' if at < der.len() => drop(der.remove(at)),
            b'<' => der.truncate(at),
            _ => {}
        }
    }
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&[u8]> = text.as_bytes().chunks(64).collect();
    [
        format!("-----BEGIN {label}-----\n").as_bytes(),
        &lines.join(&b'\n'),
        format!("\n-----END {label}-----\n").as_bytes(),
    ]
    .concat()
}

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;

/// RFC 8032 §7.1, test 2.
const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

#[test]
fn verifies_the_published_vector_and_nothing_else() {
    let key: PublicKey = PUBLIC.parse().unwrap();
    let signature: Signature = SIGNATURE.parse().unwrap();
    assert_eq!(key.verify(&[0x72], &signature), Ok(()));
    assert_eq!(key.verify(&[0x73], &signature), Err(BadSignature));
    for bit in 0..512 {
        let mut bytes = signature.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.verify(&[0x72], &Signature::from(bytes)), Err(BadSignature), "bit {bit}");
    }
    assert_eq!(key.verify(&[0x72], &Signature::from(vec![0; 63])), Err(BadSignature));
}

#[test]
fn refuses_weak_and_malformed_keys() {
    let mut small_order = [0; 32];
    small_order[0] = 1;
    assert_eq!(PublicKey::from_bytes(&small_order), Err(InvalidPublicKey::Weak));
    assert_eq!(PublicKey::from_bytes(&[7; 31]), Err(InvalidPublicKey::NotAKey { length: 31 }));
    assert_eq!("xy".parse::<PublicKey>(), Err(InvalidPublicKey::NotHex));
}

#[test]
fn hexadecimal_and_fingerprint() {
    let key: PublicKey = PUBLIC.parse().unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{PUBLIC}\""));
    assert_eq!(serde_json::from_str::<PublicKey>(&format!("\"{PUBLIC}\"")).unwrap(), key);
    assert_eq!(key.fingerprint(), hex::encode(Sha256::digest(hex::decode(PUBLIC).unwrap())));
}

fn openssl(directory: &Path, args: &[&str]) {
    let output = Command::new("openssl").current_dir(directory).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What OpenSSL signs with a new key: the public key's PEM, and one signature for each set of options.
fn signed_by_openssl(generate: &[&str], options: &[&[&str]]) -> (String, Vec<Signature>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    openssl(path, &[&["genpkey", "-out", "key", "-algorithm"], generate].concat());
    openssl(path, &["pkey", "-in", "key", "-pubout", "-out", "public"]);
    fs::File::create(path.join("message")).unwrap();
    let sign = |options: &&[&str]| {
        openssl(
            path,
            &[&["dgst", "-sha256", "-sign", "key", "-out", "sig"], *options, &["message"]].concat(),
        );
        Signature::from(fs::read(path.join("sig")).unwrap())
    };
    let signatures = options.iter().map(sign).collect();
    (fs::read_to_string(path.join("public")).unwrap(), signatures)
}

#[test]
fn verifies_what_openssl_signs_by_ecdsa() {
    let (pem, signatures) = signed_by_openssl(&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], &[&[]]);
    let key = PublicKey::from_spki_pem(&pem).unwrap();
    assert_eq!(key.algorithm(), Algorithm::EcdsaP256);
    assert_eq!(key.to_spki_pem(), pem);
    assert_eq!(PublicKey::from_bytes(key.as_bytes()).unwrap(), key);
    for spelling in [pem.trim_end(), &pem.replace('\n', "\r\n")] {
        assert_eq!(PublicKey::from_spki_pem(spelling).as_ref(), Ok(&key), "{spelling:?}");
    }
    assert_eq!(key.verify(b"", &signatures[0]), Ok(()));
    assert_eq!(key.verify(b"x", &signatures[0]), Err(BadSignature));
    for index in 0..signatures[0].as_bytes().len() {
        let mut bytes = signatures[0].as_bytes().to_vec();
        bytes[index] ^= 1;
        assert_eq!(key.verify(b"", &Signature::from(bytes)), Err(BadSignature), "byte {index}");
    }
}

#[test]
fn other_curves_and_other_files_are_no_public_keys() {
    let (p384, _) = signed_by_openssl(&["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], &[]);
    let (short, _) = signed_by_openssl(&["rsa", "-pkeyopt", "rsa_keygen_bits:1024"], &[]);
    let private = crate::SigningKey::generate_p256().public().to_spki_pem().replace("PUBLIC", "PRIVATE");
    for text in
        [p384.as_str(), &short, &private, "", "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"]
    {
        assert_eq!(PublicKey::from_spki_pem(text), Err(InvalidPublicKey::NotPem), "{text}");
    }
    assert!(PublicKey::from_bytes(&[5; 33]).is_err(), "33 bytes that are no point");
}

#[test]
fn rsa_is_verified_with_the_feature_and_unknown_without() {
    let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt"];
    let digest = [&pss[..], &["rsa_pss_saltlen:digest"]].concat();
    let max = [&pss[..], &["rsa_pss_saltlen:max"]].concat();
    let (pem, signatures) =
        signed_by_openssl(&["rsa", "-pkeyopt", "rsa_keygen_bits:2048"], &[&digest, &max, &[]]);
    let read = PublicKey::from_spki_pem(&pem);
    assert_eq!(read.is_ok(), cfg!(feature = "rsa"));
    let Ok(key) = read else { return };
    assert_eq!(key.algorithm(), Algorithm::RsaPssSha256);
    assert_eq!(key.to_spki_pem(), pem);
    for pss in &signatures[..2] {
        assert_eq!(key.verify(b"", pss), Ok(()));
        assert_eq!(key.verify(b"x", pss), Err(BadSignature));
    }
    assert_eq!(key.verify(b"", &signatures[2]), Err(BadSignature), "PKCS #1 v1.5 is another scheme");
}

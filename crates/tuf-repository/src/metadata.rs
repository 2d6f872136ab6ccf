use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use keys::{Algorithm, PublicKey, Signature, SigningKey};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tuf_client::canonical::{self, NotCanonical};
use tuf_client::{Document, Rejection, Root, Verified};

/// Metadata that is complete and that nobody has signed: worthless to a client.
#[derive(Clone)]
pub struct Unsigned<T> {
    version: u64,
    signed: Value,
    message: Vec<u8>,
    kind: PhantomData<T>,
}

/// Metadata with signatures, whether or not they are enough: [`Signed::verified_by`] tells.
#[derive(Clone)]
pub struct Signed<T> {
    content: Unsigned<T>,
    signatures: BTreeMap<String, Signature>,
}

impl<T: Document> Unsigned<T> {
    pub(crate) fn new(signed: Map<String, Value>) -> Result<Self, NotCanonical> {
        let version = signed.get("version").and_then(Value::as_u64).unwrap_or_default();
        let signed = Value::Object(signed);
        let message = canonical::encode(&signed)?;
        Ok(Self { version, signed, message, kind: PhantomData })
    }

    /// Signs with every one of these keys (specification §4.2.1).
    pub fn sign(self, keys: &[&SigningKey]) -> Signed<T> {
        let signatures = keys.iter().map(|key| (key_id(&key.public()), key.sign(&self.message))).collect();
        Signed { content: self, signatures }
    }
}

impl<T: Document> Signed<T> {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let signature = |(id, signature): (&String, &Signature)| json!({"keyid": id, "sig": signature});
        let signatures: Vec<_> = self.signatures.iter().map(signature).collect();
        json!({"signatures": signatures, "signed": self.content.signed}).to_string().into_bytes()
    }

    /// The file's name below `metadata/` (§6.2): `timestamp.json`, or such as `3.targets.json`.
    pub fn file_name(&self) -> String {
        T::ROLE.versioned_file(self.content.version, true)
    }

    /// Reads the bytes back as a client does, with the keys and the threshold of this root.
    pub fn verified_by(&self, root: &Verified<Root>) -> Result<Verified<T>, Rejection> {
        root.verify(&self.bytes())
    }
}

impl<T: Document> fmt::Debug for Unsigned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unsigned({} {})", T::ROLE, self.version)
    }
}

impl<T: Document> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({} {}, by {:?})", T::ROLE, self.content.version, self.signatures.keys())
    }
}

/// The key as root metadata lists it (§4.3).
pub(crate) fn key_object(key: &PublicKey) -> Value {
    let (keytype, scheme, public) = described(key);
    json!({"keytype": keytype, "scheme": scheme, "keyval": {"public": public}})
}

/// SHA-256 of the key's canonical form: what the specification recommends (§4.3) and older clients
/// insist on.
pub(crate) fn key_id(key: &PublicKey) -> String {
    // nothing in it needs escaping, and the line ends of a PEM stand as they are in canonical form
    let (keytype, scheme, public) = described(key);
    let form = format!(r#"{{"keytype":"{keytype}","keyval":{{"public":"{public}"}},"scheme":"{scheme}"}}"#);
    hex::encode(Sha256::digest(form))
}

/// Type, scheme and public key (§4.2.2).
fn described(key: &PublicKey) -> (&'static str, &'static str, String) {
    match key.algorithm() {
        Algorithm::EcdsaP256 => ("ecdsa", "ecdsa-sha2-nistp256", key.to_spki_pem()),
        Algorithm::RsaPssSha256 => ("rsa", "rsassa-pss-sha256", key.to_spki_pem()),
        _ => ("ed25519", "ed25519", key.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_is_the_hash_of_the_listed_key() {
        for key in [SigningKey::generate(), SigningKey::generate_p256()] {
            let key = key.public();
            let form = canonical::encode(&key_object(&key)).unwrap();
            assert_eq!(key_id(&key), hex::encode(Sha256::digest(form)));
        }
    }

    #[test]
    fn numbers_that_cannot_be_signed_are_refused_before_signing() {
        let signed = Map::from_iter([("version".to_string(), json!(1)), ("x".to_string(), json!(0.5))]);
        assert!(Unsigned::<Root>::new(signed).is_err());
    }
}

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use keys::{Algorithm, PublicKey, Signature, SigningKey};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tuf_client::canonical::{self, NotCanonical};
use tuf_client::{Document, Rejection, Role, Root, Verified};

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

/// It cannot be read as metadata of its role that is being signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{role} metadata to be signed is rejected: {reason}")]
pub struct NotMetadata {
    role: Role,
    reason: &'static str,
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
        let mut signed = Signed { content: self, signatures: BTreeMap::new() };
        for key in keys {
            signed.add(key);
        }
        signed
    }
}

impl<T: Document> Signed<T> {
    /// Adds the signature of one more key; one that has signed already changes nothing.
    pub fn add(&mut self, key: &SigningKey) {
        self.signatures.insert(key_id(&key.public()), key.sign(&self.content.message));
    }

    /// Which of these keys have signed, validly.
    pub fn signers<'k>(&self, keys: &'k [PublicKey]) -> Vec<&'k PublicKey> {
        let valid = |key: &&PublicKey| {
            let signature = self.signatures.get(&key_id(key));
            signature.is_some_and(|signature| key.verify(&self.content.message, signature).is_ok())
        };
        keys.iter().filter(valid).collect()
    }

    /// Takes the valid signatures by these keys that another copy of the same metadata has; whether it
    /// is the same.
    pub fn join(&mut self, other: &Self, keys: &[PublicKey]) -> bool {
        if self.content.message != other.content.message {
            return false;
        }
        for key in other.signers(keys) {
            let id = key_id(key);
            if let Some(signature) = other.signatures.get(&id) {
                self.signatures.insert(id, signature.clone());
            }
        }
        true
    }

    /// What is signed, with all its members.
    pub fn signed(&self) -> &Value {
        &self.content.signed
    }

    /// The version, above zero.
    pub fn version(&self) -> u64 {
        self.content.version
    }

    /// The whole document.
    pub(crate) fn to_value(&self) -> Value {
        let signature = |(id, signature): (&String, &Signature)| json!({"keyid": id, "sig": signature});
        let signatures: Vec<_> = self.signatures.iter().map(signature).collect();
        json!({"signatures": signatures, "signed": self.content.signed})
    }

    /// Reads a document that need not have enough signatures yet. Nothing about it is believed.
    pub(crate) fn from_value(document: &Value) -> Result<Self, NotMetadata> {
        let rejected = |reason| NotMetadata { role: T::ROLE, reason };
        let signed = document["signed"].as_object().ok_or(rejected("signed is no object"))?;
        if signed.get("_type").and_then(Value::as_str) != Some(T::ROLE.name()) {
            return Err(rejected("its _type is another"));
        }
        let content =
            Unsigned::new(signed.clone()).map_err(|_| rejected("it holds a number that is no integer"))?;
        if content.version == 0 {
            return Err(rejected("it has no version"));
        }
        let mut signatures = BTreeMap::new();
        for signature in document["signatures"].as_array().ok_or(rejected("signatures is no list"))? {
            let (id, value) = (signature["keyid"].as_str(), signature["sig"].as_str());
            let (Some(id), Some(value)) = (id, value.and_then(|value| value.parse().ok())) else {
                return Err(rejected("a signature is not one"));
            };
            signatures.insert(id.to_string(), value);
        }
        Ok(Self { content, signatures })
    }
}

impl<T: Document> Signed<T> {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.to_value().to_string().into_bytes()
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

/// The key that root metadata lists so, if it is of a kind that signs here.
pub(crate) fn listed_key(key: &Value) -> Option<PublicKey> {
    let public = key["keyval"]["public"].as_str()?;
    let read = public.parse().or_else(|_| PublicKey::from_spki_pem(public)).ok()?;
    (key_object(&read) == *key).then_some(read)
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

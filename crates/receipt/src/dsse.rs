use base64::prelude::{BASE64_STANDARD, Engine};
use firmware::Sha256Digest;
use keys::{PublicKey, Signature, SigningKey};
use serde::{Deserialize, Serialize};

/// The longest envelope that is read, bytes.
pub const LONGEST_ENVELOPE: u64 = 256 * 1024;

/// A DSSE 1.0.2 envelope whose signature nobody has checked yet: the payload has no door until
/// [`Envelope::verify`] opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<(String, Signature)>,
    digest: Sha256Digest,
}

/// Why bytes are not an envelope, or not one of the expected signer.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEnvelope {
    /// Larger than any real one.
    #[error("envelope of {0} bytes is larger than {LONGEST_ENVELOPE}")]
    TooLarge(usize),
    /// Not the JSON of an envelope.
    #[error("envelope cannot be read")]
    Json(#[source] serde_json::Error),
    /// A base64 field is broken.
    #[error("envelope: {field} is not base64")]
    Base64 {
        /// Which field.
        field: &'static str,
    },
    /// The payload is of another kind.
    #[error("envelope: payload type is {found:?}, expected {expected:?}")]
    PayloadType {
        /// In the envelope.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// No signature is by the expected key.
    #[error("envelope: no good signature by key {0}")]
    Signature(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
struct WireSignature {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Signs a payload and gives the bytes of its envelope.
    pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> Vec<u8> {
        let signature = key.sign(&pre_authentication_encoding(payload_type, payload));
        let wire = Wire {
            payload_type: payload_type.to_owned(),
            payload: BASE64_STANDARD.encode(payload),
            signatures: vec![WireSignature {
                keyid: key.public().fingerprint(),
                sig: BASE64_STANDARD.encode(signature.as_bytes()),
            }],
        };
        // three strings and a list: nothing in it can fail to serialise
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Reads an envelope. Nothing is verified yet.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidEnvelope> {
        if bytes.len() as u64 > LONGEST_ENVELOPE {
            return Err(InvalidEnvelope::TooLarge(bytes.len()));
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(InvalidEnvelope::Json)?;
        let signatures = wire
            .signatures
            .into_iter()
            .map(|WireSignature { keyid, sig }| Ok((keyid, Signature::from(decode("sig", &sig)?))));
        Ok(Self {
            payload: decode("payload", &wire.payload)?,
            signatures: signatures.collect::<Result<_, _>>()?,
            payload_type: wire.payload_type,
            digest: Sha256Digest::of(bytes),
        })
    }

    /// The payload, if it is of this type and signed by this key. The key id is a hint only
    /// (DSSE 1.0.2, protocol): every signature is tried.
    pub fn verify(&self, payload_type: &'static str, key: &PublicKey) -> Result<&[u8], InvalidEnvelope> {
        if self.payload_type != payload_type {
            let found = self.payload_type.chars().take(100).collect();
            return Err(InvalidEnvelope::PayloadType { found, expected: payload_type });
        }
        let message = pre_authentication_encoding(&self.payload_type, &self.payload);
        if self.signatures.iter().any(|(_, signature)| key.verify(&message, signature).is_ok()) {
            Ok(&self.payload)
        } else {
            Err(InvalidEnvelope::Signature(key.fingerprint()))
        }
    }

    /// What its signatures say of who made them. Nobody has checked it, and anybody can change it.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|(id, _)| id.as_str())
    }

    /// The digest of the envelope's bytes: what the next statement of the chain names.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }
}

/// PAE of the DSSE 1.0.2 protocol: `DSSEv1 <length> <type> <length> <payload>`.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, InvalidEnvelope> {
    BASE64_STANDARD.decode(text).map_err(|_| InvalidEnvelope::Base64 { field })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // test vector of the DSSE 1.0.2 protocol document
        assert_eq!(
            pre_authentication_encoding("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn only_the_signer_and_the_type_open_it() {
        let key = SigningKey::generate();
        let envelope = Envelope::read(&Envelope::sign("a/b", b"payload", &key)).unwrap();
        assert_eq!(envelope.verify("a/b", &key.public()).unwrap(), b"payload");
        assert!(matches!(envelope.verify("a/c", &key.public()), Err(InvalidEnvelope::PayloadType { .. })));
        let other = SigningKey::generate().public();
        assert!(matches!(envelope.verify("a/b", &other), Err(InvalidEnvelope::Signature(_))));
    }

    #[test]
    fn a_changed_payload_does_not_open() {
        let key = SigningKey::generate();
        let text = String::from_utf8(Envelope::sign("a/b", b"payload", &key)).unwrap();
        let changed = text.replace(&BASE64_STANDARD.encode("payload"), &BASE64_STANDARD.encode("Payload"));
        assert_ne!(text, changed);
        assert!(Envelope::read(changed.as_bytes()).unwrap().verify("a/b", &key.public()).is_err());
    }

    #[test]
    fn size_is_capped() {
        let huge = vec![b' '; usize::try_from(LONGEST_ENVELOPE).unwrap() + 1];
        assert!(matches!(Envelope::read(&huge), Err(InvalidEnvelope::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes: Vec<u8>) {
            let _ = Envelope::read(&bytes);
        }
    }
}

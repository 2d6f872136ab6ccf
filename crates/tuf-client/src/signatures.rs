//! Who may sign, and whether enough of them did (specification §4.2.1, §4.3).
//!
//! Key ids are opaque names. What counts towards a threshold is the number of *different public
//! keys* of the role with a valid signature, so a key listed under two ids counts once. A signature
//! that is invalid or by a stranger does no harm; two under one id are rejected, since readers may
//! pick different ones.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use keys::{Algorithm, PublicKey, Signature};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::delegations::Delegation;
use crate::fields::{self, Object};
use crate::{Rejection, canonical, json};

/// Keys by id; `None` where the type is not known here or the key is unusable: such a key is kept
/// in the metadata and never counts.
#[derive(Debug, Clone)]
pub(crate) struct KeyRing(BTreeMap<String, Option<PublicKey>>);

/// The keys of one role, and how many of them must sign.
#[derive(Debug, Clone)]
pub(crate) struct RoleKeys {
    ids: BTreeSet<String>,
    threshold: u64,
}

/// Metadata that has been read and not verified.
pub(crate) struct Envelope {
    pub(crate) signed: Object,
    message: Vec<u8>,
    signatures: BTreeMap<String, Signature>,
}

impl KeyRing {
    pub(crate) fn parse(listed: &Object) -> Result<Self, Rejection> {
        let key = |(id, value): (&String, &Value)| {
            let key = fields::as_object(value, id)?;
            let kind = (fields::text(key, "keytype")?, fields::text(key, "scheme")?);
            let algorithm = algorithm(kind.0, kind.1);
            let value = fields::object(key, "keyval")?;
            Ok((id.clone(), algorithm.map(|algorithm| public(algorithm, value)).transpose()?.flatten()))
        };
        listed.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// The different usable keys of a role.
    pub(crate) fn of(&self, role: &RoleKeys) -> Vec<&PublicKey> {
        let keys: HashSet<_> = role.ids.iter().filter_map(|id| self.0.get(id)?.as_ref()).collect();
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_unstable_by_key(|key| key.as_bytes());
        keys
    }

    /// Names a set of keys, so that a change of it is seen (§5.3.11). Ids stand for keys of unknown
    /// types; the threshold is no part of it.
    pub(crate) fn digest(&self, role: &RoleKeys) -> String {
        let name = |id: &String| match self.0.get(id) {
            Some(Some(key)) => format!("key {key}\n"),
            _ => format!("id {id:?}\n"),
        };
        let names: BTreeSet<String> = role.ids.iter().map(name).collect();
        hex::encode(Sha256::digest(names.into_iter().collect::<String>()))
    }
}

/// The kinds of key that are known here (§4.2.2); `ecdsa-sha2-nistp256` as a type of key is what
/// older repositories write.
fn algorithm(keytype: &str, scheme: &str) -> Option<Algorithm> {
    match (keytype, scheme) {
        ("ed25519", "ed25519") => Some(Algorithm::Ed25519),
        ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => Some(Algorithm::EcdsaP256),
        ("rsa", "rsassa-pss-sha256") => Some(Algorithm::RsaPssSha256),
        _ => None,
    }
}

/// Hexadecimal for Ed25519, PEM for the others (§4.2.2); `None` where it is no usable key of this
/// algorithm.
fn public(algorithm: Algorithm, keyval: &Object) -> Result<Option<PublicKey>, Rejection> {
    let text = fields::text(keyval, "public")?;
    let key = match algorithm {
        Algorithm::Ed25519 => text.parse(),
        _ => PublicKey::from_spki_pem(text),
    };
    Ok(key.ok().filter(|key: &PublicKey| key.algorithm() == algorithm))
}

impl RoleKeys {
    pub(crate) fn parse(role: &Object) -> Result<Self, Rejection> {
        let duplicate =
            || Rejection::Malformed { field: "keyids".into(), expected: "a list of different strings" };
        let mut ids = BTreeSet::new();
        for id in fields::array(role, "keyids")? {
            if !ids.insert(id.as_str().ok_or_else(duplicate)?.to_string()) {
                return Err(duplicate());
            }
        }
        Ok(Self { ids, threshold: fields::positive(role, "threshold")? })
    }

    pub(crate) fn threshold(&self) -> u64 {
        self.threshold
    }
}

impl Envelope {
    /// Proves that enough keys of the role signed (§5.3.4, 5.4.2, 5.5.3, 5.6.3).
    pub(crate) fn check(&self, delegation: Delegation<'_>) -> Result<(), Rejection> {
        let Delegation { role, ring, keys: RoleKeys { ids, threshold } } = delegation;
        let signer = |id: &String| {
            let key = ring.0.get(id)?.as_ref()?;
            key.verify(&self.message, self.signatures.get(id)?).ok().map(|()| key)
        };
        let valid = ids.iter().filter_map(signer).collect::<HashSet<_>>().len() as u64;
        if valid >= *threshold {
            Ok(())
        } else {
            // a delegated role's name is whatever its delegator wrote
            let role = fields::shown(role);
            Err(Rejection::Threshold { role, valid, threshold: *threshold })
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Rejection> {
        let mut document = json::parse(bytes).map_err(Rejection::NotJson)?;
        let mut signatures = BTreeMap::new();
        for signature in fields::array(fields::as_object(&document, "metadata")?, "signatures")? {
            let signature = fields::as_object(signature, "signatures")?;
            let id = fields::text(signature, "keyid")?;
            // what is not hexadecimal is a signature that never verifies
            let value =
                fields::text(signature, "sig")?.parse().unwrap_or_else(|_| Signature::from(Vec::new()));
            if signatures.insert(id.to_string(), value).is_some() {
                return Err(Rejection::Malformed {
                    field: "signatures".into(),
                    expected: "one signature for each key id",
                });
            }
        }
        let signed = document.get_mut("signed").map(Value::take).unwrap_or_default();
        let message = canonical::encode(&signed)?;
        match signed {
            Value::Object(signed) => Ok(Self { signed, message, signatures }),
            _ => Err(Rejection::Malformed { field: "signed".into(), expected: "an object" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use keys::SigningKey;
    use serde_json::json;

    use super::*;
    use crate::testing::{key_json, sign};

    struct Case {
        ring: KeyRing,
        keys: Vec<SigningKey>,
    }

    /// Three keys, `a`, `b`, `c`; `twin` is `a` under another id, `odd` of an unknown type.
    fn case() -> Case {
        let keys: Vec<_> = (0..3).map(|_| SigningKey::generate()).collect();
        let ring = json!({
            "a": key_json(&keys[0]), "b": key_json(&keys[1]), "c": key_json(&keys[2]), "twin": key_json(&keys[0]),
            "odd": {"keytype": "sphincs", "scheme": "x", "keyval": {"public": "00"}},
            "weak": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": format!("01{}", "0".repeat(62))}},
        });
        Case { ring: KeyRing::parse(ring.as_object().unwrap()).unwrap(), keys }
    }

    fn role(ids: &[&str], threshold: u64) -> RoleKeys {
        RoleKeys::parse(json!({"keyids": ids, "threshold": threshold}).as_object().unwrap()).unwrap()
    }

    fn envelope(signers: &[(&str, &SigningKey)]) -> Envelope {
        Envelope::parse(&sign(&json!({"x": 1}), signers)).unwrap()
    }

    #[test]
    fn counts_different_keys_of_the_role() {
        let Case { ring, keys } = case();
        let [a, b, c] = &keys[..] else { panic!("three keys") };
        let enough = |role: &RoleKeys, signers: &[(&str, &SigningKey)]| {
            envelope(signers).check(Delegation { role: "x", ring: &ring, keys: role }).is_ok()
        };
        let two_of_two = role(&["a", "b"], 2);
        assert!(enough(&two_of_two, &[("a", a), ("b", b)]));
        assert!(!enough(&two_of_two, &[("a", a)]), "one is too few");
        assert!(!enough(&two_of_two, &[("a", a), ("c", c)]), "a stranger does not count");
        assert!(!enough(&two_of_two, &[("a", a), ("b", a)]), "a signature by another key does not count");
        assert!(enough(&two_of_two, &[("a", a), ("b", b), ("c", a)]), "an invalid extra one does no harm");
        assert!(!enough(&role(&["a", "twin"], 2), &[("a", a), ("twin", a)]), "one key, two ids");
        assert!(!enough(&role(&["odd"], 1), &[("odd", a)]), "unknown key types never count");
        assert!(!enough(&role(&["weak"], 1), &[("weak", a)]), "weak keys never count");
        assert!(!enough(&role(&["gone"], 1), &[("gone", a)]), "ids without a key never count");
    }

    #[test]
    fn keys_are_read_as_what_they_say_they_are_and_otherwise_useless() {
        let (ed25519, p256) = (SigningKey::generate(), SigningKey::generate_p256());
        let usable = |keytype: &str, scheme: &str, public: &str, signer: &SigningKey| {
            let listed = json!({"k": {"keytype": keytype, "scheme": scheme, "keyval": {"public": public}, "more": [1]}});
            let ring = KeyRing::parse(listed.as_object().unwrap()).unwrap();
            let delegation = Delegation { role: "x", ring: &ring, keys: &role(&["k"], 1) };
            envelope(&[("k", signer)]).check(delegation).is_ok()
        };
        let pem = p256.public().to_spki_pem();
        let hexadecimal = ed25519.public().to_string();
        assert!(usable("ed25519", "ed25519", &hexadecimal, &ed25519));
        assert!(usable("ecdsa", "ecdsa-sha2-nistp256", &pem, &p256));
        assert!(
            usable("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", &pem, &p256),
            "as older repositories say"
        );
        assert!(!usable("ed25519", "ed25519", &p256.public().to_string(), &p256));
        assert!(!usable("ecdsa", "ecdsa-sha2-nistp256", &ed25519.public().to_spki_pem(), &ed25519));
        assert!(!usable("ecdsa", "ecdsa-sha2-nistp384", &pem, &p256));
        assert!(!usable("rsa", "rsassa-pss-sha256", &pem, &p256));
        assert!(!usable("ed25519", "x", &hexadecimal, &ed25519));
    }

    #[test]
    fn the_signature_covers_the_signed_part_and_not_its_spelling() {
        let Case { ring, keys } = case();
        let bytes = sign(&json!({"x": 1, "y": "é"}), &[("a", &keys[0])]);
        let role = role(&["a"], 1);
        let pretty = serde_json::to_vec_pretty(&json::parse(&bytes).unwrap()).unwrap();
        let delegation = Delegation { role: "x", ring: &ring, keys: &role };
        assert!(Envelope::parse(&pretty).unwrap().check(delegation).is_ok());
        let changed = String::from_utf8(bytes).unwrap().replace("\"x\":1", "\"x\":2");
        assert!(Envelope::parse(changed.as_bytes()).unwrap().check(delegation).is_err());
    }

    #[test]
    fn rejects_what_readers_could_read_differently() {
        let roles = [
            json!({"keyids": ["a", "a"], "threshold": 1}),
            json!({"keyids": [1], "threshold": 1}),
            json!({"keyids": [], "threshold": 0}),
        ];
        for value in roles {
            assert!(RoleKeys::parse(value.as_object().unwrap()).is_err(), "{value}");
        }
        let envelopes = [
            json!({"signed": {}, "signatures": [{"keyid": "a", "sig": "00"}, {"keyid": "a", "sig": "01"}]}),
            json!({"signed": [], "signatures": []}),
            json!({"signatures": []}),
            json!({"signed": {}}),
            json!({"signed": {"x": 1.5}, "signatures": []}),
            json!([{}, []]),
        ];
        for value in envelopes {
            assert!(Envelope::parse(value.to_string().as_bytes()).is_err(), "{value}");
        }
        let not_hexadecimal = json!({"signed": {}, "signatures": [{"keyid": "a", "sig": "?"}]});
        assert!(Envelope::parse(not_hexadecimal.to_string().as_bytes()).is_ok());
    }

    #[test]
    fn a_set_of_keys_is_named_by_its_keys() {
        let Case { ring, .. } = case();
        assert_eq!(ring.digest(&role(&["a", "b"], 1)), ring.digest(&role(&["b", "twin"], 2)));
        assert_ne!(ring.digest(&role(&["a", "b"], 1)), ring.digest(&role(&["a"], 1)));
        assert_eq!(ring.of(&role(&["a", "twin", "odd", "weak"], 1)).len(), 1);
    }
}

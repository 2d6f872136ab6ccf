use sha2::{Digest as _, Sha256, Sha512};

use crate::Rejection;
use crate::fields::{self, Object};

/// The hashes that signed metadata lists for a file, as lower-case hexadecimal. Every one of a known
/// algorithm is verified; others are ignored (§4.4, §4.5).
///
/// Where all are of unknown algorithms the list is read all the same, and no file ever fits it: what
/// one new algorithm makes useless here is the one file, not everything that is listed beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashes {
    sha256: Option<String>,
    sha512: Option<String>,
}

/// A file is not the one that signed metadata lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another length. A longer file is not read further than `expected`.
    #[error("length is {found}, expected {expected} bytes")]
    Length {
        /// Bytes signed.
        expected: u64,
        /// Bytes found, or one more than expected where reading stopped.
        found: u64,
    },
    /// Nothing that is listed can be computed here.
    #[error("no hash of a known algorithm is listed, expected sha256 or sha512")]
    NoKnownHash,
    /// Other contents.
    #[error("{algorithm} is {found}, expected {expected}")]
    Hash {
        /// `SHA-256` or `SHA-512`.
        algorithm: &'static str,
        /// Hexadecimal, as signed.
        expected: String,
        /// Hexadecimal, of the bytes found.
        found: String,
    },
}

impl Hashes {
    pub(crate) fn parse(listed: &Object) -> Result<Self, Rejection> {
        let one = |name: &str, bytes: usize| {
            if !listed.contains_key(name) {
                return Ok(None);
            }
            let digits = fields::text(listed, name)?;
            let lower = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if lower && digits.len() == 2 * bytes {
                Ok(Some(digits.to_string()))
            } else {
                Err(Rejection::Malformed {
                    field: name.into(),
                    expected: "a digest in lower-case hexadecimal",
                })
            }
        };
        if listed.is_empty() {
            return Err(Rejection::Malformed { field: "hashes".into(), expected: "one digest or more" });
        }
        Ok(Self { sha256: one("sha256", 32)?, sha512: one("sha512", 64)? })
    }

    /// Whether any of them can be checked.
    pub fn is_known(&self) -> bool {
        self.sha256.is_some() || self.sha512.is_some()
    }

    /// The SHA-256, 64 hexadecimal digits.
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// The SHA-512, 128 hexadecimal digits.
    pub fn sha512(&self) -> Option<&str> {
        self.sha512.as_deref()
    }

    /// The one that consistent snapshots put before a target's file name: any listed one would do
    /// (§6.2), SHA-256 where there is one.
    pub(crate) fn prefix(&self) -> &str {
        self.sha256().or(self.sha512()).unwrap_or_default()
    }

    /// Checks bytes that are in memory.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), Mismatch> {
        let mut hasher = Hasher::for_listed(self);
        hasher.update(bytes);
        hasher.finish(self)
    }
}

/// Computes the listed algorithms and no others.
#[derive(Debug)]
pub(crate) struct Hasher {
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
}

impl Hasher {
    pub(crate) fn for_listed(hashes: &Hashes) -> Self {
        Self {
            sha256: hashes.sha256.as_ref().map(|_| Sha256::new()),
            sha512: hashes.sha512.as_ref().map(|_| Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
    }

    pub(crate) fn finish(self, hashes: &Hashes) -> Result<(), Mismatch> {
        if !hashes.is_known() {
            return Err(Mismatch::NoKnownHash);
        }
        let sha256 = self.sha256.map(|hasher| hex::encode(hasher.finalize()));
        compare("SHA-256", hashes.sha256.as_ref(), sha256)?;
        let sha512 = self.sha512.map(|hasher| hex::encode(hasher.finalize()));
        compare("SHA-512", hashes.sha512.as_ref(), sha512)
    }
}

fn compare(
    algorithm: &'static str,
    expected: Option<&String>,
    found: Option<String>,
) -> Result<(), Mismatch> {
    match (expected, found) {
        (Some(expected), Some(found)) if *expected != found => {
            Err(Mismatch::Hash { algorithm, expected: expected.clone(), found })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hashes(value: &serde_json::Value) -> Result<Hashes, Rejection> {
        Hashes::parse(value.as_object().unwrap())
    }

    #[test]
    fn every_listed_hash_must_fit() {
        let sha256 = hex::encode(Sha256::digest(b"abc"));
        let sha512 = hex::encode(Sha512::digest(b"abc"));
        let both = hashes(&json!({"sha256": sha256, "sha512": sha512, "blake9": "zz"})).unwrap();
        assert_eq!(both.check(b"abc"), Ok(()));
        assert!(matches!(both.check(b"abd"), Err(Mismatch::Hash { algorithm: "SHA-256", .. })));
        let one_wrong = hashes(&json!({"sha256": sha256, "sha512": "0".repeat(128)})).unwrap();
        assert!(matches!(one_wrong.check(b"abc"), Err(Mismatch::Hash { algorithm: "SHA-512", .. })));
        assert_eq!(hashes(&json!({"sha512": sha512})).unwrap().prefix(), sha512);
        assert_eq!(both.prefix(), sha256);
    }

    #[test]
    fn nothing_fits_hashes_of_unknown_algorithms() {
        let unknown = hashes(&json!({"md5": "00", "blake9": 7})).unwrap();
        assert!(!unknown.is_known());
        assert_eq!(unknown.check(b""), Err(Mismatch::NoKnownHash));
    }

    #[test]
    fn rejects_hashes_that_are_none() {
        for value in
            [json!({}), json!({"sha256": "00"}), json!({"sha256": "A".repeat(64)}), json!({"sha256": 5})]
        {
            assert!(hashes(&value).is_err(), "{value}");
        }
    }
}

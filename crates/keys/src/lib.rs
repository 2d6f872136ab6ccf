//! Key files, signatures and age identities, and the durable file writes they rest on.
//!
//! Ed25519 (RFC 8032) through `verify_strict`, with small-order public keys refused: plain `verify`
//! accepts any message under such a key (reference: crates §1). ECDSA P-256, which hardware tokens
//! offer. RSASSA-PSS, for repositories of others, behind a feature that shipped programs leave off.
//! Secret keys are wiped when dropped and never appear in `Debug`.
//!
//! * [`AgeIdentity`]: what opens files that were encrypted with `age`.
//! * [`key_file`]: secret keys as PKCS#8 PEM, public keys as SPKI PEM; OpenSSL 3.0 reads both.
//! * [`durable`]: files that are whole after a power cut; the one place that renames files.

mod age_identity;
pub mod durable;
pub mod key_file;
mod public_key;
mod rsa_key;
mod signature;
mod signing_key;

pub use age_identity::{AgeIdentity, AgeIdentityError};
pub use public_key::{Algorithm, BadSignature, InvalidPublicKey, PublicKey};
pub use signature::{InvalidSignature, Signature};
pub use signing_key::SigningKey;

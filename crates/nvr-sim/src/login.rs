use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Algorithm;
use crate::scenario::seconds;

/// How the recorder asks for credentials, and when it locks. The default is what was captured from a
/// recorder, with the nonces of the one device whose limit is known (reference: ISAPI §9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // each is an option of its own
pub struct Login {
    /// User name of its one account.
    pub user: String,
    /// Password of that account; never shown again. Empty in the program: one is made up.
    #[serde(skip_serializing)]
    pub password: String,
    /// The hashes on offer, a challenge for each, in this order.
    #[serde(deserialize_with = "one_at_least")]
    pub algorithms: Vec<Algorithm>,
    /// All challenges in one `WWW-Authenticate` header instead of one each.
    pub one_header: bool,
    /// Offer Digest at all, and take it.
    pub digest: bool,
    /// Offer Basic after Digest, and take it.
    pub basic: bool,
    /// Offer `qop="auth"`; without it the answer has the form of RFC 2069.
    pub qop: bool,
    /// Leave `domain`, `opaque` and `algorithm` out of the challenge, as the guide's example does.
    pub short_challenge: bool,
    /// How many requests one nonce is good for.
    pub max_nonce_uses: u32,
    /// A nonce is good only for the URL that it was given out for.
    pub url_bound_nonces: bool,
    /// Wrong passwords before it locks; those of the profile if not given.
    pub tries: Option<u32>,
    /// How long it stays locked.
    #[serde(rename = "lock_seconds", with = "seconds")]
    pub lock: Duration,
    /// Never say the state of the lock: every 401 carries the two status nodes only.
    pub minimal_user_check: bool,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            user: "admin".into(),
            password: String::new(),
            algorithms: vec![Algorithm::Md5],
            one_header: false,
            digest: true,
            basic: false,
            qop: true,
            short_challenge: false,
            max_nonce_uses: 2,
            url_bound_nonces: false,
            tries: None,
            lock: Duration::from_secs(1800),
            minimal_user_check: false,
        }
    }
}

/// A gate without a challenge would be a wall.
fn one_at_least<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Algorithm>, D::Error> {
    let algorithms = Vec::deserialize(deserializer)?;
    if algorithms.is_empty() {
        return Err(serde::de::Error::custom("no algorithm, expected one at least"));
    }
    Ok(algorithms)
}

//! HTTP Digest access authentication, the client's side (RFC 7616; RFC 2069 where a challenge names no
//! `qop`).
//!
//! Pure: a challenge comes in as header text, the answer goes out as header text, the client nonce is
//! an argument. Recorders offer one challenge or several, in one header or in several, with quoted or
//! bare values of any case, and sometimes `Basic` beside them (reference: ISAPI §9.1). SHA-256 is
//! chosen where it is offered, else MD5; either may be `-sess`. Basic never, since it hands the password
//! over.
//!
//! What is left out, and why:
//!
//! * `nextnonce` of `Authentication-Info` is not used. Every request takes a challenge of its own, for its
//!   own method and target: a nonce may be bound to a URL, may live for two uses, and its realm may have
//!   changed with the firmware. On one cable that costs a millisecond; a refused login costs one of five.
//! * `auth-int`: it signs the hash of the body, which for firmware would have to be known before the
//!   challenge is there, and no recorder was seen to want it.
//! * `charset` and `userhash`: a name is always sent as UTF-8, whether or not `charset` was said, since
//!   nothing else is defined (RFC 7616 §4); it is not normalised. A server that offers `userhash` takes the
//!   plain name, too.
//! * SHA-512-256, which no recorder was seen to offer.

mod challenge;

use md5::Md5;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::client::Credentials;

/// The challenges of a reply cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// A 401 without `WWW-Authenticate`.
    #[error("login is required, but the reply holds no challenge (expected WWW-Authenticate: Digest)")]
    NoChallenge,
    /// Only Basic, which hands the password to whoever answers.
    #[error("recorder offers Basic authentication only, which would send the password itself: refused")]
    BasicOnly,
    /// Nothing that this client speaks.
    #[error("recorder offers {offered}; expected Digest with MD5 or SHA-256 and qop auth or none")]
    Unsupported {
        /// Schemes and algorithms, for people.
        offered: String,
    },
    /// The header cannot be read.
    #[error("authentication challenge is malformed: {0}")]
    Malformed(&'static str),
}

/// Ordered by preference (RFC 7616 §3.7: the strongest that is understood).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    /// The hash that a name stands for, and whether it is the `-sess` form. One real setting is spelt
    /// `SHA256` (reference: ISAPI §9.1), so that is understood in a challenge, too.
    fn named(name: Option<&str>) -> Option<(Self, bool)> {
        match name.map(str::to_ascii_uppercase).as_deref() {
            None | Some("MD5") => Some((Self::Md5, false)),
            Some("MD5-SESS") => Some((Self::Md5, true)),
            Some("SHA-256" | "SHA256") => Some((Self::Sha256, false)),
            Some("SHA-256-SESS" | "SHA256-SESS") => Some((Self::Sha256, true)),
            Some(_) => None,
        }
    }

    /// Of these parts, joined by colons.
    fn of(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => hex_of::<Md5>(parts),
            Self::Sha256 => hex_of::<Sha256>(parts),
        }
    }
}

/// A challenge that can be answered, for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    hash: Hash,
    /// `-sess`: the client nonce goes into the hash of the password (RFC 7616 §3.4.2).
    session: bool,
    /// As the recorder spelt it; `None` where it named none. Some units want it back unchanged.
    algorithm_as_sent: Option<String>,
    /// `qop="auth"` was offered; otherwise the RFC 2069 form.
    qop_auth: bool,
    stale: bool,
}

impl Challenge {
    /// The best challenge in these `WWW-Authenticate` headers. One that cannot be read is no reason
    /// against another that can; bytes that are no UTF-8 are not guessed at, since a realm that was
    /// misread costs one of five attempts.
    pub(crate) fn choose(headers: impl IntoIterator<Item: AsRef<[u8]>>) -> Result<Self, DigestError> {
        let (mut offers, mut unreadable) = (Vec::new(), None);
        for header in headers {
            let text = str::from_utf8(header.as_ref());
            match text.map_err(|_| DigestError::Malformed("it is not UTF-8")).and_then(challenge::parse) {
                Ok(found) => offers.extend(found),
                Err(error) => unreadable = Some(error),
            }
        }
        let mut readable: Vec<Self> = offers.iter().filter_map(Self::read).collect();
        // stable: of several equally strong ones the first wins (RFC 7616 §3.7)
        readable.sort_by_key(|c| std::cmp::Reverse(c.hash));
        readable.into_iter().next().ok_or_else(|| match unreadable {
            Some(error) => error,
            None if offers.is_empty() => DigestError::NoChallenge,
            None if offers.iter().all(|o| o.scheme.eq_ignore_ascii_case("basic")) => DigestError::BasicOnly,
            None => DigestError::Unsupported { offered: challenge::describe(&offers) },
        })
    }

    fn read(offer: &challenge::Offer) -> Option<Self> {
        if !offer.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let algorithm_as_sent = offer.get("algorithm").map(str::to_owned);
        let (hash, session) = Hash::named(algorithm_as_sent.as_deref())?;
        let qop = offer.get("qop").unwrap_or_default();
        let qop_auth = qop.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth"));
        // without qop no client nonce is sent, so the -sess form could not be checked by anybody
        if !qop_auth && (session || !qop.trim().is_empty()) {
            return None;
        }
        Some(Self {
            realm: offer.get("realm")?.to_owned(),
            nonce: offer.get("nonce").filter(|n| !n.is_empty())?.to_owned(),
            opaque: offer.get("opaque").map(str::to_owned),
            hash,
            session,
            algorithm_as_sent,
            qop_auth,
            stale: offer.get("stale").is_some_and(|s| s.eq_ignore_ascii_case("true")),
        })
    }

    /// Whether the recorder says that only the nonce was too old (RFC 7616 §3.3, `stale`).
    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Whether both were given for the same nonce.
    pub(crate) fn same_nonce(&self, other: &Self) -> bool {
        self.nonce == other.nonce
    }

    /// The `Authorization` header for one request, the first use of this nonce. `uri` is the request
    /// target, query included (RFC 7616 §3.4); `cnonce` must be fresh.
    pub(crate) fn answer(&self, login: &Credentials, method: &str, uri: &str, cnonce: &str) -> String {
        const NC: &str = "00000001";
        let hash = |parts: &[&str]| self.hash.of(parts);
        let mut a1 = hash(&[&login.user, &self.realm, login.password.expose_secret()]);
        if self.session {
            a1 = hash(&[&a1, &self.nonce, cnonce]);
        }
        let a2 = hash(&[method, uri]);
        let response = if self.qop_auth {
            hash(&[&a1, &self.nonce, NC, cnonce, "auth", &a2])
        } else {
            hash(&[&a1, &self.nonce, &a2])
        };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(&login.user),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(uri),
        );
        if let Some(algorithm) = &self.algorithm_as_sent {
            header.extend([", algorithm=", algorithm]);
        }
        if self.qop_auth {
            header.extend([", qop=auth, nc=", NC, ", cnonce=", &quoted(cnonce)]);
        }
        if let Some(opaque) = &self.opaque {
            header.extend([", opaque=", &quoted(opaque)]);
        }
        header
    }
}

fn hex_of<D: Digest>(parts: &[&str]) -> String {
    let mut hasher = D::new();
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            hasher.update(b":");
        }
        hasher.update(part.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// A quoted-string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;

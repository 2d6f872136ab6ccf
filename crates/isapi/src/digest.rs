//! HTTP Digest access authentication, the client's side (RFC 7616; RFC 2069 where a challenge names no
//! `qop`).
//!
//! Pure: a challenge comes in as header text, the answer goes out as header text, the client nonce is
//! an argument. Recorders offer one challenge or several, in one header or in several, with quoted or
//! bare values of any case, and sometimes `Basic` beside them (reference: ISAPI §9.1). SHA-256 is
//! chosen where it is offered, else MD5; Basic never, since it hands the password over.

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
enum Algorithm {
    Md5,
    Sha256,
}

/// A challenge that can be answered, for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// As the recorder spelt it; `None` where it named none. Some units want it back unchanged.
    algorithm_as_sent: Option<String>,
    /// `qop="auth"` was offered; otherwise the RFC 2069 form.
    qop_auth: bool,
    stale: bool,
}

impl Challenge {
    /// The best challenge in these `WWW-Authenticate` headers.
    pub(crate) fn choose<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Self, DigestError> {
        let mut offers = Vec::new();
        for header in headers {
            offers.extend(challenge::parse(header)?);
        }
        if offers.is_empty() {
            return Err(DigestError::NoChallenge);
        }
        let mut readable: Vec<Self> = offers.iter().filter_map(Self::read).collect();
        // stable: of several equally strong ones the first wins (RFC 7616 §3.7)
        readable.sort_by_key(|c| std::cmp::Reverse(c.algorithm));
        match readable.into_iter().next() {
            Some(challenge) => Ok(challenge),
            None if offers.iter().all(|o| o.scheme.eq_ignore_ascii_case("basic")) => {
                Err(DigestError::BasicOnly)
            }
            None => Err(DigestError::Unsupported { offered: challenge::describe(&offers) }),
        }
    }

    fn read(offer: &challenge::Offer) -> Option<Self> {
        if !offer.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let algorithm_as_sent = offer.get("algorithm").map(str::to_owned);
        let algorithm = match algorithm_as_sent.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("MD5") => Algorithm::Md5,
            Some("SHA-256" | "SHA256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let qop = offer.get("qop").unwrap_or_default();
        let qop_auth = qop.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth"));
        if !qop_auth && !qop.trim().is_empty() {
            return None;
        }
        Some(Self {
            realm: offer.get("realm")?.to_owned(),
            nonce: offer.get("nonce").filter(|n| !n.is_empty())?.to_owned(),
            opaque: offer.get("opaque").map(str::to_owned),
            algorithm,
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
        let hash = match self.algorithm {
            Algorithm::Md5 => hex_of::<Md5>,
            Algorithm::Sha256 => hex_of::<Sha256>,
        };
        let password = login.password.expose_secret();
        let a1 = hash(&[&login.user, &self.realm, password]);
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
mod tests {
    use super::*;

    fn answer(header: &str, password: &str, cnonce: &str) -> String {
        let login = Credentials::new("Mufasa", password.into());
        Challenge::choose([header]).unwrap().answer(&login, "GET", "/dir/index.html", cnonce)
    }

    const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    /// RFC 7616 §3.9.1
    #[test]
    fn answers_the_vectors_of_rfc_7616() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let header = format!(
                r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{NONCE}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
            );
            let answer = answer(&header, "Circle of Life", CNONCE);
            assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
            assert!(
                answer
                    .contains(&format!("algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"{CNONCE}\""))
            );
            assert!(answer.ends_with(r#"opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#));
        }
    }

    /// RFC 2617 §3.5
    #[test]
    fn answers_the_vector_of_rfc_2617() {
        let header = r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
        let answer = answer(header, "Circle Of Life", "0a4f113b");
        assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
        assert!(!answer.contains("algorithm"), "not sent, so not echoed: {answer}");
    }

    /// RFC 2069 §2.4 with the response of its erratum 749
    #[test]
    fn answers_the_vector_of_rfc_2069_where_there_is_no_qop() {
        let header = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
        let answer = answer(header, "CircleOfLife", "unused");
        assert!(answer.contains("response=\"1949323746fe6a43ef61f9606e7febea\""), "{answer}");
        assert!(!answer.contains("cnonce") && !answer.contains("opaque"), "{answer}");
    }

    #[test]
    fn takes_sha_256_wherever_it_stands_and_md5_otherwise() {
        let (md5, sha) = (
            r#"Digest realm="r", nonce="m", algorithm="MD5""#,
            r#"digest realm=r,nonce=s,algorithm="SHA-256""#,
        );
        for headers in [
            vec![md5, sha],
            vec![sha, md5],
            vec![&*format!("{md5}, {sha}")],
            vec![&*format!("Basic realm=\"/\", {sha}")],
        ] {
            assert_eq!(Challenge::choose(headers).unwrap().nonce, "s");
        }
        let old = Challenge::choose([
            r#"Basic realm="/""#,
            r#"Digest qop="auth", realm="IP Camera(C2183)", nonce="a:b", stale="FALSE""#,
        ])
        .unwrap();
        assert_eq!((old.algorithm, old.stale, old.algorithm_as_sent), (Algorithm::Md5, false, None));
    }

    #[test]
    fn refuses_basic_and_what_it_does_not_speak() {
        let choose = |header: &str| Challenge::choose([header]).unwrap_err();
        assert_eq!(Challenge::choose([]), Err(DigestError::NoChallenge));
        assert_eq!(choose(r#"Basic realm="/""#), DigestError::BasicOnly);
        for header in [
            r#"Digest realm="r", nonce="n", algorithm=MD5-sess"#,
            r#"Digest realm="r", nonce="n", qop="auth-int""#,
            r#"Digest realm="r", qop="auth""#,
            r#"Digest realm="r", nonce="", qop="auth""#,
            "Negotiate YWJj==, NTLM",
        ] {
            assert!(matches!(choose(header), DigestError::Unsupported { .. }), "{header}");
        }
    }

    #[test]
    fn quotes_what_needs_it() {
        let header = r#"Digest realm="a \"b\" \\c", nonce="n", stale=TRUE"#;
        let challenge = Challenge::choose([header]).unwrap();
        assert!(challenge.is_stale());
        let answer = challenge.answer(&Credentials::new("x\"y", "p".into()), "GET", "/", "c");
        assert!(answer.contains(r#"username="x\"y", realm="a \"b\" \\c", nonce="n""#), "{answer}");
    }
}

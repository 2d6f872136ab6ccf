//! Digest access authentication, the server's half (RFC 7616; its RFC 2069 form without `qop`).
//!
//! Pure text: which nonces are good and how many tries are left is the business of `gate`.

use std::collections::HashMap;

use ::md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A hash that the recorder's challenge asks for (reference: ISAPI §9.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// MD5, what every captured recorder asks for.
    #[default]
    Md5,
    /// SHA-256, on some OEM units alone; the answer must name it.
    Sha256,
    /// MD5-sess: the secret is hashed once more with both nonces.
    Md5Sess,
    /// SHA-256-sess: likewise.
    Sha256Sess,
}

impl Algorithm {
    /// The token of RFC 7616 §6.1.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256Sess => "SHA-256-sess",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 | Self::Md5Sess => hex::encode(Md5::digest(text)),
            Self::Sha256 | Self::Sha256Sess => hex::encode(Sha256::digest(text)),
        }
    }

    fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess)
    }
}

/// What a challenge consists of.
pub(crate) struct Challenge<'a> {
    pub(crate) realm: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) algorithm: Algorithm,
    pub(crate) stale: bool,
    /// Offer `qop`; RFC 2069 knows none.
    pub(crate) qop: bool,
    /// In the form of the guide's example.
    pub(crate) short: bool,
}

impl Challenge<'_> {
    /// In the order and spelling of a captured recorder, `stale` in capitals included.
    pub(crate) fn text(&self) -> String {
        let Self { realm, nonce, .. } = self;
        let qop = if self.qop { r#"qop="auth", "# } else { "" };
        let (algorithm, stale) = (self.algorithm.token(), if self.stale { "TRUE" } else { "FALSE" });
        if self.short {
            return format!(r#"Digest {qop}realm="{realm}", nonce="{nonce}", stale="{stale}""#);
        }
        format!(
            r#"Digest realm="{realm}", domain="::", {qop}nonce="{nonce}", opaque="", algorithm="{algorithm}", stale="{stale}""#
        )
    }
}

/// What an `Authorization: Digest` header says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    username: String,
    pub(crate) nonce: String,
    pub(crate) uri: String,
    response: String,
    algorithm: Option<String>,
    protection: Option<Protection>,
}

/// The parameters that come with `qop=auth`.
#[derive(Debug, PartialEq, Eq)]
struct Protection {
    nonce_count: String,
    client_nonce: String,
}

impl Authorization {
    /// Reads the header's value. `None`: another scheme, a missing parameter, another `qop`, or not
    /// the grammar of RFC 9110 §11.4.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut parameters = parameters(rest)?;
        let mut take = |name: &str| parameters.remove(name);
        let protection = match take("qop") {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                Some(Protection { nonce_count: take("nc")?, client_nonce: take("cnonce")? })
            }
            Some(_) => return None,
            None => None,
        };
        Some(Self {
            username: take("username")?,
            nonce: take("nonce")?,
            uri: take("uri")?,
            response: take("response")?,
            algorithm: take("algorithm"),
            protection,
        })
    }

    /// The nonce count, `None` where there is none or it is not eight hexadecimal digits.
    pub(crate) fn nonce_count(&self) -> Option<u32> {
        let text = &self.protection.as_ref()?.nonce_count;
        (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok())?
    }

    /// Whether the header names this algorithm; one that names none means MD5 (RFC 7616 §3.4).
    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithm.as_deref().unwrap_or("MD5").eq_ignore_ascii_case(algorithm.token())
    }

    /// Whether the sender knows the password (RFC 7616 §3.4.1). The realm is the server's own, so a
    /// client that kept one from before an upgrade is wrong here.
    pub(crate) fn proves(
        &self,
        method: &str,
        realm: &str,
        user: &str,
        password: &str,
        algorithm: Algorithm,
    ) -> bool {
        let Self { nonce, uri, .. } = self;
        let mut who = algorithm.hash(&format!("{user}:{realm}:{password}"));
        if algorithm.is_session() {
            let Some(Protection { client_nonce, .. }) = &self.protection else { return false };
            who = algorithm.hash(&format!("{who}:{nonce}:{client_nonce}"));
        }
        let what = algorithm.hash(&format!("{method}:{uri}"));
        let expected = match &self.protection {
            Some(Protection { nonce_count, client_nonce }) => {
                algorithm.hash(&format!("{who}:{nonce}:{nonce_count}:{client_nonce}:auth:{what}"))
            }
            None => algorithm.hash(&format!("{who}:{nonce}:{what}")),
        };
        self.username == user && self.response.eq_ignore_ascii_case(&expected)
    }
}

/// `name=value` pairs, values quoted or bare, separated by commas; a name twice is an error.
fn parameters(text: &str) -> Option<HashMap<String, String>> {
    let mut parameters = HashMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after.trim_start())?;
        if parameters.insert(name.trim().to_ascii_lowercase(), value).is_some() {
            return None;
        }
        let after = after.trim_start();
        rest = if after.is_empty() { after } else { after.strip_prefix(',')?.trim_start() };
    }
    Some(parameters)
}

/// One value and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return Some((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1, both algorithms.
    fn rfc(algorithm: &str, response: &str) -> String {
        format!(
            r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
        )
    }

    fn proves(header: &str, algorithm: Algorithm, password: &str) -> bool {
        let authorization = Authorization::parse(header).unwrap();
        authorization.is_for(algorithm)
            && authorization.proves("GET", "http-auth@example.org", "Mufasa", password, algorithm)
    }

    #[test]
    fn accepts_the_published_vectors_and_no_other_password() {
        let md5 = rfc("MD5", "8ca523f5e9506fed4657c9700eebdbec");
        let sha = rfc("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
        assert!(proves(&md5, Algorithm::Md5, "Circle of Life"));
        assert!(proves(&sha, Algorithm::Sha256, "Circle of Life"));
        assert!(!proves(&md5, Algorithm::Md5, "Circle of life"));
        assert!(!proves(&sha, Algorithm::Md5, "Circle of Life"));
    }

    #[test]
    fn the_old_form_without_qop_is_accepted() {
        let hash = |text: &str| Algorithm::Md5.hash(text);
        let response = hash(&format!("{}:n:{}", hash("Mufasa:http-auth@example.org:pw"), hash("GET:/x")));
        let header = format!(r#"Digest username="Mufasa", nonce=n, uri="/x", response="{response}""#);
        assert!(proves(&header, Algorithm::Md5, "pw"));
        assert_eq!(Authorization::parse(&header).unwrap().nonce_count(), None);
    }

    #[test]
    fn a_session_hashes_the_secret_with_both_nonces() {
        let hash = |text: &str| Algorithm::Sha256Sess.hash(text);
        let who = hash(&format!("{}:n:c", hash("a:r:pw")));
        let response = hash(&format!("{who}:n:00000001:c:auth:{}", hash("GET:/x")));
        let header = format!(
            r#"Digest username="a", nonce=n, uri="/x", response={response}, qop=auth, nc=00000001, cnonce=c, algorithm=SHA-256-sess"#
        );
        let read = Authorization::parse(&header).unwrap();
        assert!(read.is_for(Algorithm::Sha256Sess) && !read.is_for(Algorithm::Sha256));
        assert!(read.proves("GET", "r", "a", "pw", Algorithm::Sha256Sess));
        assert!(!read.proves("GET", "r", "a", "pw", Algorithm::Sha256));
    }

    #[test]
    fn reads_quoted_and_bare_values_of_any_case() {
        let header = r#"dIgEsT USERNAME="a\"b,c=d", nonce=x ,URI="/a?b=c,d",response=r"#;
        let read = Authorization::parse(header).unwrap();
        assert_eq!(
            (read.username.as_str(), read.nonce.as_str(), read.uri.as_str()),
            ("a\"b,c=d", "x", "/a?b=c,d")
        );
    }

    #[test]
    fn rejects_what_is_not_a_digest_answer() {
        for header in [
            "",
            "Digest",
            "Basic YWRtaW46",
            "Digest username=a, nonce=b, uri=c",
            "Digest username=a, nonce=b, uri=c, response=d, nonce=e",
            "Digest username=a, nonce=b, uri=c, response=d, qop=auth-int, nc=00000001, cnonce=e",
            "Digest username=a, nonce=b, uri=c, response=d, qop=auth, cnonce=e",
            "Digest username=\"a, nonce=b, uri=c, response=d",
            "Digest username=\"a\" nonce=b, uri=c, response=d",
        ] {
            assert_eq!(Authorization::parse(header), None, "{header}");
        }
    }
}

//! `WWW-Authenticate` (RFC 9110 §11.6.1), read tolerantly: several challenges in one header, bare or
//! quoted values, names of any case.

use super::DigestError;

/// Bytes of one header. The longest documented one has about 400.
const LONGEST: usize = 8 * 1024;
/// Challenges in one header, and parameters in one challenge.
const MOST: usize = 32;

/// One challenge as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Offer {
    /// A parameter by its name, in any case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Schemes and algorithms, for people.
pub(super) fn describe(offers: &[Offer]) -> String {
    let one = |offer: &Offer| {
        let details =
            ["algorithm", "qop"].map(|name| offer.get(name).map(|value| format!(" {name} {value}")));
        format!("{}{}", offer.scheme, details.into_iter().flatten().collect::<String>())
    };
    let offers: Vec<String> = offers.iter().map(one).collect();
    firmware::Text::cleaned(&offers.join(", ")).to_string()
}

/// The challenges of one header value.
pub(super) fn parse(header: &str) -> Result<Vec<Offer>, DigestError> {
    if header.len() > LONGEST {
        return Err(DigestError::Malformed("header is longer than 8 KiB"));
    }
    let mut offers: Vec<Offer> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            return Ok(offers);
        }
        let (name, after) = token(rest)?;
        let Some(value) = after.trim_start().strip_prefix('=') else {
            offers.push(Offer { scheme: name.to_owned(), parameters: Vec::new() });
            if offers.len() > MOST {
                return Err(DigestError::Malformed("more than 32 challenges"));
            }
            rest = after;
            continue;
        };
        let (value, after) = parameter_value(value.trim_start())?;
        let offer =
            offers.last_mut().ok_or(DigestError::Malformed("a parameter stands before any scheme"))?;
        if offer.get(name).is_some() {
            // two nonces or two realms: which one is meant cannot be known
            return Err(DigestError::Malformed("a parameter stands twice in one challenge"));
        }
        offer.parameters.push((name.to_owned(), value));
        if offer.parameters.len() > MOST {
            return Err(DigestError::Malformed("more than 32 parameters in one challenge"));
        }
        rest = after;
    }
}

/// A token (RFC 9110 §5.6.2) and what follows it.
fn token(text: &str) -> Result<(&str, &str), DigestError> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~/".contains(c));
    match text.split_at(end.unwrap_or(text.len())) {
        ("", _) => Err(DigestError::Malformed("a name is missing where one must stand")),
        found => Ok(found),
    }
}

/// A quoted or bare value and what follows it. A bare one ends at a comma or blank, so that base64
/// with its `=` passes, be it an unquoted nonce or the token68 of another scheme.
fn parameter_value(text: &str) -> Result<(String, &str), DigestError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    Err(DigestError::Malformed("a quoted value does not end"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_challenge_of_a_real_recorder() {
        let offers = parse(r#"Digest realm="fe12f37bd", domain="::", qop="auth", nonce="300b:1685", opaque="", algorithm="MD5", stale="FALSE""#).unwrap();
        let get = |name| offers[0].get(name);
        assert_eq!(
            (get("REALM"), get("nonce"), get("opaque")),
            (Some("fe12f37bd"), Some("300b:1685"), Some(""))
        );
        assert_eq!((get("domain"), get("absent")), (Some("::"), None));
    }

    #[test]
    fn reads_several_challenges_and_bare_values() {
        let offers = parse("Negotiate YWJj==,, NTLM, Digest Nonce = ab+/c== ,Realm=\"a, Basic b\"").unwrap();
        assert_eq!(
            offers.iter().map(|o| o.scheme.as_str()).collect::<Vec<_>>(),
            ["Negotiate", "NTLM", "Digest"]
        );
        assert_eq!((offers[2].get("nonce"), offers[2].get("realm")), (Some("ab+/c=="), Some("a, Basic b")));
    }

    #[test]
    fn rejects_what_cannot_be_read_in_one_way() {
        for header in [
            "realm=x",
            r#"Digest realm="x"#,
            "Digest a=1, A=2",
            "Digest ;",
            &"x".repeat(LONGEST + 1),
            &"a,".repeat(40),
        ] {
            assert!(matches!(parse(header), Err(DigestError::Malformed(_))), "{header:.40}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(header in "[a-z=\", \\\\é;]{0,60}|.{0,60}") {
            let _ = parse(&header);
        }
    }
}

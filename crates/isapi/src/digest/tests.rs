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
            answer.contains(&format!("algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"{CNONCE}\""))
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

/// The vectors of RFC 7616 §3.9.1 with the `-sess` forms of §3.4.2. Nobody publishes their responses:
/// these were computed apart, with Python's `hashlib`.
#[test]
fn the_session_forms_hash_the_client_nonce_in() {
    for (algorithm, response) in [
        ("MD5-sess", "e783283f46242139c486a698fec7211d"),
        ("SHA-256-sess", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"),
    ] {
        let header = format!(
            r#"Digest realm="http-auth@example.org", qop="auth", algorithm={algorithm}, nonce="{NONCE}""#
        );
        let answer = answer(&header, "Circle of Life", CNONCE);
        assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
        assert!(answer.contains(&format!("algorithm={algorithm}")), "{answer}");
    }
    let both = [
        r#"Digest realm="r", nonce="m", qop="auth", algorithm=MD5-sess"#,
        r#"Digest realm="r", nonce="s", qop="auth", algorithm=sha-256-SESS"#,
    ];
    assert_eq!(Challenge::choose(both).unwrap().nonce, "s");
}

#[test]
fn names_beyond_ascii_are_sent_as_utf_8() {
    let challenge = Challenge::choose([r#"Digest realm="r", nonce="n""#]).unwrap();
    let answer = challenge.answer(&Credentials::new("Jörg", "p".into()), "GET", "/", "c");
    assert!(answer.contains("username=\"Jörg\""), "{answer}");
    let a1 = hex_of::<Md5>(&["J\u{f6}rg", "r", "p"]);
    let response = hex_of::<Md5>(&[&a1, "n", &hex_of::<Md5>(&["GET", "/"])]);
    assert!(answer.contains(&response), "{answer}");
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
    let (md5, sha) =
        (r#"Digest realm="r", nonce="m", algorithm="MD5""#, r#"digest realm=r,nonce=s,algorithm="SHA-256""#);
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
    assert_eq!((old.hash, old.stale, old.algorithm_as_sent), (Hash::Md5, false, None));
}

#[test]
fn refuses_basic_and_what_it_does_not_speak() {
    let choose = |header: &str| Challenge::choose([header]).unwrap_err();
    assert_eq!(Challenge::choose([""; 0]), Err(DigestError::NoChallenge));
    assert_eq!(choose(r#"Basic realm="/""#), DigestError::BasicOnly);
    for header in [
        r#"Digest realm="r", nonce="n", algorithm=MD5-sess"#,
        r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-512-256"#,
        r#"Digest realm="r", nonce="n", qop="auth-int""#,
        r#"Digest realm="r", qop="auth""#,
        r#"Digest realm="r", nonce="", qop="auth""#,
        "Negotiate YWJj==, NTLM",
    ] {
        assert!(matches!(choose(header), DigestError::Unsupported { .. }), "{header}");
    }
    assert_eq!(
        choose(r#"Digest realm="r", nonce="n", algorithm=MD5, qop="auth-int""#).to_string(),
        "recorder offers Digest algorithm MD5 qop auth-int; expected Digest with MD5 or SHA-256 and qop auth or none"
    );
}

#[test]
fn what_cannot_be_read_is_not_guessed_at_and_hides_nothing() {
    let (good, cut) = (&b"Digest realm=\"r\", nonce=\"n\""[..], &b"Digest realm=\"r, nonce=\"n\""[..]);
    let latin = &b"Digest realm=\"K\xfcche\", nonce=\"n\""[..];
    for headers in [[cut, good], [good, cut], [latin, good], [b"Negotiate =;", good]] {
        assert_eq!(Challenge::choose(headers).unwrap().realm, "r");
    }
    for headers in [[latin, b""], [cut, b"Basic realm=\"/\""]] {
        assert!(matches!(Challenge::choose(headers), Err(DigestError::Malformed(_))), "{headers:?}");
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

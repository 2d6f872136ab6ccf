use std::fmt;
use std::time::Duration;

use firmware::Text;
use firmware::container::{Rejected, known_wrapping};
use httpdate::parse_http_date;
use reqwest::StatusCode;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName,
    LAST_MODIFIED, LOCATION, RETRY_AFTER, TRANSFER_ENCODING,
};

use super::{DownloadError, LARGEST};

/// The rest of a file of which a part is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rest {
    /// The first byte that is wanted.
    pub(super) from: u64,
    /// Bytes of the whole file.
    pub(super) total: u64,
    /// Names the version of the file: a strong entity tag, or a date.
    pub(super) validator: String,
}

/// What the head of an answer announces.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The file from its first byte on.
    Whole {
        /// Bytes.
        total: u64,
        /// What a later request can name this version by.
        validator: Option<String>,
    },
    /// Exactly the rest that was asked for.
    Rest,
    /// Not the rest that was asked for; the file may still be had whole.
    Unusable,
    /// No file.
    Other,
}

/// Judges the head of an answer to a request for `rest`, or for the whole file. Only a 206 that says
/// exactly what was asked for goes on with a kept part (RFC 9110 §15.3.7).
pub(super) fn judge(
    url: &str,
    status: StatusCode,
    headers: &HeaderMap,
    rest: Option<&Rest>,
) -> Result<Answer, DownloadError> {
    match (status, rest) {
        (StatusCode::OK, _) => whole(url, headers),
        (StatusCode::PARTIAL_CONTENT, Some(rest)) if is_rest(headers, rest) => {
            is_plain(url, headers).map(|()| Answer::Rest)
        }
        (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => Ok(Answer::Unusable),
        _ => match headers.get(LOCATION).filter(|_| status.is_redirection()) {
            Some(target) => {
                let target = Text::cleaned(&String::from_utf8_lossy(target.as_bytes()));
                Err(DownloadError::Redirected { url: url.to_owned(), target })
            }
            None => Ok(Answer::Other),
        },
    }
}

fn whole(url: &str, headers: &HeaderMap) -> Result<Answer, DownloadError> {
    is_plain(url, headers)?;
    let total = text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let total = total.ok_or_else(|| DownloadError::NoLength { url: url.to_owned() })?;
    if total > LARGEST {
        return Err(DownloadError::TooLarge { url: url.to_owned(), size: total });
    }
    Ok(Answer::Whole { total, validator: validator(headers) })
}

fn is_plain(url: &str, headers: &HeaderMap) -> Result<(), DownloadError> {
    let named = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let content = named(CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    match content.or_else(|| named(TRANSFER_ENCODING)) {
        Some(encoding) => {
            Err(DownloadError::Encoded { url: url.to_owned(), encoding: Text::cleaned(&encoding) })
        }
        None => Ok(()),
    }
}

fn is_rest(headers: &HeaderMap, rest: &Rest) -> bool {
    let Rest { from, total, validator } = rest;
    let range = format!("bytes {from}-{}/{total}", total - 1);
    let other_version = text(headers, ETAG).is_some_and(|tag| validator.starts_with('"') && tag != validator);
    let length = text(headers, CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    text(headers, CONTENT_RANGE) == Some(&range) && !other_version && length == Some(total - from)
}

/// A name for this version of the file that no other version shares: an entity tag that is not weak,
/// else a date of last change that lies before the answer's own second (RFC 9110 §8.8.2.2).
fn validator(headers: &HeaderMap) -> Option<String> {
    if let Some(tag) = text(headers, ETAG) {
        return tag.starts_with('"').then(|| tag.to_owned());
    }
    let date = |name| parse_http_date(text(headers, name)?).ok();
    let settled = date(LAST_MODIFIED)? < date(DATE)?;
    text(headers, LAST_MODIFIED).filter(|_| settled).map(str::to_owned)
}

/// How long the server asks to be left alone, in seconds or until a date by its own clock (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, RETRY_AFTER)?;
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let now = parse_http_date(text(headers, DATE)?).ok()?;
    parse_http_date(asked).ok()?.duration_since(now).ok()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What a server sent in place of a file, by its own words and by its first bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    status: StatusCode,
    content_type: Option<Text>,
    size: Option<u64>,
    kind: &'static str,
}

impl Came {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, head: &[u8]) -> Self {
        let content_type =
            headers.get(CONTENT_TYPE).map(|value| Text::cleaned(&String::from_utf8_lossy(value.as_bytes())));
        let size = text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let kind = match known_wrapping(head) {
            Some(Rejected::Html) => "a web page",
            Some(Rejected::Pdf) => "a PDF document",
            Some(Rejected::Zip) => "a zip archive",
            _ if head.is_empty() => "nothing",
            _ if head.is_ascii() => "text",
            _ => "other bytes",
        };
        Self { status, content_type, size, kind }
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        let size = self.size.filter(|size| *size > 0).map(|size| format!("{size} bytes"));
        let content_type = self.content_type.as_ref().map(|kind| format!("type {kind}"));
        let facts: Vec<String> = [size, content_type].into_iter().flatten().collect();
        if facts.is_empty() { Ok(()) } else { write!(f, " ({})", facts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://host/x.zip";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn judged(code: u16, pairs: &[(HeaderName, &str)], rest: Option<&Rest>) -> Result<Answer, DownloadError> {
        judge(URL, StatusCode::from_u16(code).unwrap(), &headers(pairs), rest)
    }

    fn rest() -> Rest {
        Rest { from: 60, total: 100, validator: "\"v1\"".into() }
    }

    #[test]
    fn only_the_exact_rest_goes_on() {
        let answer = |code, range: &str, length: &str, tag: &str| {
            judged(code, &[(CONTENT_RANGE, range), (CONTENT_LENGTH, length), (ETAG, tag)], Some(&rest()))
                .unwrap()
        };
        assert_eq!(answer(206, "bytes 60-99/100", "40", "\"v1\""), Answer::Rest);
        for (range, length, tag) in [
            ("bytes 60-99/100", "40", "\"v2\""),
            ("bytes 60-99/100", "41", "\"v1\""),
            ("bytes 0-99/100", "100", "\"v1\""),
            ("bytes 60-98/100", "39", "\"v1\""),
            ("bytes 60-99/101", "40", "\"v1\""),
            ("bytes 60-99/*", "40", "\"v1\""),
            ("lines 60-99/100", "40", "\"v1\""),
        ] {
            assert_eq!(answer(206, range, length, tag), Answer::Unusable, "{range} {length} {tag}");
        }
        assert_eq!(answer(416, "bytes */50", "9", ""), Answer::Unusable);
        assert_eq!(judged(206, &[], None).unwrap(), Answer::Other, "nobody asked for a part");
    }

    #[test]
    fn only_strong_validators_are_kept() {
        let (old, new) = ("Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT");
        let kept = |pairs: &[(HeaderName, &str)]| {
            let pairs = [&[(CONTENT_LENGTH, "5")], pairs].concat();
            match judged(200, &pairs, None).unwrap() {
                Answer::Whole { total: 5, validator } => validator,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(kept(&[(ETAG, "\"a\"")]).as_deref(), Some("\"a\""));
        assert_eq!(kept(&[(ETAG, "W/\"a\""), (LAST_MODIFIED, old), (DATE, new)]), None);
        assert_eq!(kept(&[(LAST_MODIFIED, old), (DATE, new)]).as_deref(), Some(old));
        assert_eq!(kept(&[(LAST_MODIFIED, new), (DATE, new)]), None);
        assert_eq!(kept(&[(LAST_MODIFIED, old)]), None);
        assert_eq!(kept(&[]), None);
    }

    #[test]
    fn a_server_is_left_alone_as_long_as_it_asks() {
        let (now, then) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:07 GMT");
        let after = |asked: &str, now: &str| {
            retry_after(&headers(&[(RETRY_AFTER, asked), (DATE, now)])).map(|after| after.as_secs())
        };
        assert_eq!(after("120", now), Some(120));
        assert_eq!(after("99999999999999999999", now), Some(u64::MAX));
        assert_eq!(after(then, now), Some(30));
        assert_eq!(after("Sunday, 06-Nov-94 08:50:07 GMT", now), Some(30), "an older spelling");
        for (asked, now) in [(now, then), (then, "soon"), ("", now), ("-5", now), ("1.5", now), ("soon", now)]
        {
            assert_eq!(after(asked, now), None, "{asked}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_whole_file_has_a_length_a_limit_and_no_encoding() {
        assert!(matches!(judged(200, &[], None), Err(DownloadError::NoLength { .. })));
        let length = |length: &str| judged(200, &[(CONTENT_LENGTH, length)], Some(&rest()));
        assert!(matches!(length("4294967295"), Ok(Answer::Whole { total: LARGEST, validator: None })));
        assert!(matches!(length("4294967296"), Err(DownloadError::TooLarge { size: 4_294_967_296, .. })));
        let encoded = [(CONTENT_LENGTH, "5"), (CONTENT_ENCODING, "gzip")];
        assert!(judged(200, &encoded, None).unwrap_err().to_string().contains("encoded as gzip"));
        let chunked = [(CONTENT_LENGTH, "40"), (TRANSFER_ENCODING, "chunked")];
        assert!(matches!(judged(200, &chunked, None), Err(DownloadError::Encoded { .. })));
        let chunked = [&chunked[..], &[(CONTENT_RANGE, "bytes 60-99/100")]].concat();
        assert!(matches!(judged(206, &chunked, Some(&rest())), Err(DownloadError::Encoded { .. })));
    }

    #[test]
    fn a_redirect_is_named_and_safe_to_show() {
        let answer = judged(302, &[(LOCATION, "http://evil/\u{9b}2J")], None);
        let error = answer.unwrap_err().to_string();
        assert!(error.contains("redirects to http://evil/?2J"), "{error}");
        assert_eq!(judged(304, &[], None).unwrap(), Answer::Other);
        assert_eq!(judged(404, &[(LOCATION, "/x")], None).unwrap(), Answer::Other);
    }

    #[test]
    fn what_came_is_told_by_its_bytes_and_in_its_words() {
        let of = |head: &[u8]| {
            let headers = headers(&[(CONTENT_TYPE, "text/html"), (CONTENT_LENGTH, "522")]);
            Came::of(StatusCode::OK, &headers, head).to_string()
        };
        assert_eq!(of(b" <html>"), "a web page (522 bytes, type text/html)");
        assert_eq!(of(b"denied"), "text (522 bytes, type text/html)");
        assert_eq!(of(b"\xe9\x9a"), "other bytes (522 bytes, type text/html)");
        assert_eq!(Came::of(StatusCode::OK, &HeaderMap::new(), b"").to_string(), "nothing");
    }
}

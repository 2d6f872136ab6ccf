use std::convert::Infallible;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE, RETRY_AFTER,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::fs::File;

use super::body::{self, Body};
use super::range::{Wanted, wanted};
use super::{Faults, Server};

/// Bytes of the page that the vendor's network sends to data-centre addresses.
const BLOCK_PAGE_SIZE: usize = 522;

/// Answers one request; what the disk refuses becomes a 500.
pub(super) async fn answer(
    server: &Arc<Server>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if request.uri().path() == "/__counters" {
        let counters = serde_json::json!(server.state.borrow().counters);
        return Ok(text(StatusCode::OK, "application/json", counters.to_string()));
    }
    server.count(|counters| counters.requests += 1);
    let answered = file(server, &request).await;
    Ok(answered.unwrap_or_else(|error| plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())))
}

async fn file(server: &Arc<Server>, request: &Request<Incoming>) -> io::Result<Response<Body>> {
    let faults = server.take_faults(request.uri().path().trim_start_matches('/'));
    if let Some(status) = faults.status.and_then(|code| StatusCode::from_u16(code).ok()) {
        let mut response = plain(status, "fault");
        if let Some(when) = &faults.retry_after {
            put(&mut response, RETRY_AFTER, when);
        }
        return Ok(response);
    }
    if faults.block_page {
        let page = format!(
            "<!DOCTYPE html><html><head><title>Access Denied</title></head><body>{}",
            " ".repeat(BLOCK_PAGE_SIZE)
        );
        return Ok(text(StatusCode::OK, "text/html", page[..BLOCK_PAGE_SIZE].to_owned()));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"));
    }
    let Some(path) = below(&server.directory, request.uri().path()) else {
        return Ok(plain(StatusCode::NOT_FOUND, "not found"));
    };
    let file = match File::open(&path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(plain(StatusCode::NOT_FOUND, "not found"));
        }
        file => file?,
    };
    let metadata = file.metadata().await?;
    if !metadata.is_file() {
        return Ok(plain(StatusCode::NOT_FOUND, "not found"));
    }
    send(server, request, &faults, &path, file, &metadata).await
}

async fn send(
    server: &Arc<Server>,
    request: &Request<Incoming>,
    faults: &Faults,
    path: &Path,
    file: File,
    metadata: &Metadata,
) -> io::Result<Response<Body>> {
    let (size, tag) = (metadata.len(), entity_tag(metadata)?);
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // a range of another version of the file would be spliced to the wrong bytes (RFC 9110 §13.1.5)
    let same = header(IF_RANGE).is_none_or(|asked| asked == tag);
    let wanted = if same && !faults.no_range { wanted(header(RANGE), size) } else { Wanted::Whole };
    let (status, part) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => {
            let mut response = plain(StatusCode::RANGE_NOT_SATISFIABLE, "range not satisfiable");
            put(&mut response, CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    let head = *request.method() == Method::HEAD;
    let body = if head {
        body::of("")
    } else {
        body::stream(Arc::clone(server), faults, file, part.clone()).await?
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let announced = part.end - part.start + faults.excess.unwrap_or(0);
    put(&mut response, CONTENT_LENGTH, &announced.to_string());
    put(&mut response, CONTENT_TYPE, content_type(path));
    if !faults.no_range {
        put(&mut response, ACCEPT_RANGES, "bytes");
        put(&mut response, ETAG, &tag);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        server.count(|counters| counters.partial += 1);
        put(&mut response, CONTENT_RANGE, &format!("bytes {}-{}/{size}", part.start, part.end - 1));
    }
    Ok(response)
}

/// The file that a request path names, if all its segments are plain names.
fn below(directory: &Path, path: &str) -> Option<PathBuf> {
    let plain = |name: &str| {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+');
        !name.starts_with('.') && !name.is_empty() && name.bytes().all(harmless)
    };
    let names = path.strip_prefix('/')?.split('/');
    names.clone().all(plain).then(|| directory.join(names.collect::<PathBuf>()))
}

/// Changes with the file: its size and the time of its last change.
fn entity_tag(metadata: &Metadata) -> io::Result<String> {
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("\"{:x}-{:x}\"", metadata.len(), changed.as_nanos()))
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("zip") => "application/zip",
        Some("pdf") => "application/pdf",
        Some("html") => "text/html",
        _ => "application/octet-stream",
    }
}

fn plain(status: StatusCode, message: &str) -> Response<Body> {
    text(status, "text/plain", format!("{message}\n"))
}

fn text(status: StatusCode, content_type: &str, body: String) -> Response<Body> {
    let mut response = Response::new(body::of(body));
    *response.status_mut() = status;
    put(&mut response, CONTENT_TYPE, content_type);
    response
}

/// All values come from this file and from numbers: none can hold what a header may not.
fn put(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_lead_below_the_directory() {
        let directory = Path::new("/srv");
        assert_eq!(below(directory, "/a/b_1.0.zip"), Some("/srv/a/b_1.0.zip".into()));
        for path in ["", "/", "/a/", "//a", "/../a", "/a/../b", "/.hidden", "/%2e%2e/a", "/a\\b", "a"] {
            assert_eq!(below(directory, path), None, "{path}");
        }
    }
}

use std::path::PathBuf;
use std::time::Duration;

use firmware::Text;

use super::{Came, LARGEST, pace};

/// What ended a connection early.
#[derive(Debug, thiserror::Error)]
pub enum Interruption {
    /// The other end.
    #[error("it was closed before the end of the file")]
    Closed,
    /// This end, since hardly anything came.
    #[error("too slow: {received} bytes in {} s, expected at least {} a second", over.as_secs(), pace::LEAST)]
    Slow {
        /// Bytes that came.
        received: u64,
        /// In so long.
        over: Duration,
    },
    /// The network, or something on the way.
    #[error(transparent)]
    Network(#[from] reqwest::Error),
}

/// Why a file was not fetched. What has arrived is kept where a later run can go on with it.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The HTTP client could not be set up.
    #[error("download client: cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No such host, no connection, or no answer.
    #[error("source {url}: no answer")]
    Unreachable {
        /// Address of the file.
        url: String,
        /// Why.
        source: Interruption,
    },
    /// The connection ended before the file did.
    #[error("source {url}: connection cut after {arrived} of {total} bytes")]
    Cut {
        /// Address of the file.
        url: String,
        /// Bytes that are here.
        arrived: u64,
        /// Bytes of the whole file.
        total: u64,
        /// Why.
        source: Interruption,
    },
    /// The server has no file to give, now or at all.
    #[error("source {url}: status {}, expected 200 OK; it sent {came}{}", came.status(), asked(*retry_after))]
    Status {
        /// Address of the file.
        url: String,
        /// What it sent.
        came: Box<Came>,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// A secret would be read on the way.
    #[error(
        "source {url}: not asked: fetcher.toml has a secret header for this host, and the address is not https"
    )]
    InTheClear {
        /// Address of the file.
        url: String,
    },
    /// The server points elsewhere.
    #[error("source {url}: redirects to {target}, and a redirect is never followed")]
    Redirected {
        /// Address of the file.
        url: String,
        /// Where to.
        target: Text,
    },
    /// A page under the status of a file: a licence dialog, or a block page.
    #[error("source {url}: rejected: it sent {came} instead of firmware, with status {}", came.status())]
    NotFirmware {
        /// Address of the file.
        url: String,
        /// What it sent.
        came: Box<Came>,
    },
    /// More than a stick can carry.
    #[error("source {url}: rejected: file of {size} bytes, expected at most {LARGEST}")]
    TooLarge {
        /// Address of the file.
        url: String,
        /// Bytes announced.
        size: u64,
    },
    /// Without a length, the end of the file and a cut look alike (RFC 9112 §6.3).
    #[error("source {url}: rejected: the answer does not say how long the file is")]
    NoLength {
        /// Address of the file.
        url: String,
    },
    /// The server does not keep to its own word.
    #[error("source {url}: rejected: it sends more than the {total} bytes that it announced")]
    TooLong {
        /// Address of the file.
        url: String,
        /// Bytes announced.
        total: u64,
    },
    /// It ended early, had no rest to give, was asked for all of it, and did the same again.
    #[error(
        "source {url}: rejected: it announces {total} bytes, ended after {arrived} and has no rest to give, twice"
    )]
    NoRest {
        /// Address of the file.
        url: String,
        /// Bytes that came.
        arrived: u64,
        /// Bytes announced.
        total: u64,
    },
    /// The bytes on the wire are not those of the file (RFC 9110 §8.4), or they come in chunks, which
    /// overrule any length that was announced (RFC 9112 §6.3).
    #[error("source {url}: rejected: the answer is encoded as {encoding}, which was not asked for")]
    Encoded {
        /// Address of the file.
        url: String,
        /// Its `Content-Encoding` or `Transfer-Encoding`.
        encoding: Text,
    },
    /// The disk failed.
    #[error("download {}: cannot be kept", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn asked(retry_after: Option<Duration>) -> String {
    retry_after
        .map_or_else(String::new, |after| format!("; it asks to be left alone for {} s", after.as_secs()))
}

impl DownloadError {
    /// With all that led to it, in one line.
    pub(super) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text = text + ": " + &error.to_string();
            source = error.source();
        }
        text
    }
}

//! Release to downloaded file: the one file of this crate that speaks HTTP.
//!
//! Vendor addresses are mostly plain HTTP, so nothing that arrives is believed: it is capped, hashed
//! on its way to the disk, and looked into by [`crate::pin`]. Redirects are not followed, nor proxies
//! that the environment names: the host that the catalogue names is the host in the provenance. TLS is
//! always verified. An interrupted download is resumed, within a run and by a later one, but only where
//! the server can tell versions of the file apart (RFC 9110 §13.1.5, §14): halves of two files would
//! make one that nobody made.
//!
//! `answer` judges the head of each answer, `pace` cuts what drips, `partial` keeps what has arrived,
//! `retry` says when to ask again, `rate` how fast to take, `sources` how a host is asked.

mod answer;
mod error;
mod pace;
mod partial;
mod rate;
mod retry;
mod sources;

use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware::Sha256Digest;
use firmware::container::{Rejected, known_wrapping};
use reqwest::header::{HeaderMap, IF_RANGE, RANGE};
use reqwest::{Client, Response};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::{self, Runtime};

use answer::Answer;
pub use answer::Came;
pub use error::{DownloadError, Interruption};
use pace::{PATIENCE, Pace};
use partial::Partial;
pub use partial::discard;
pub use rate::{InvalidRate, RateLimit};
pub use retry::Retries;
pub use sources::{Source, SourceFault, Sources};
use url::Url;

/// The largest file that is taken, bytes: what FAT32 holds, since a stick must carry it.
pub const LARGEST: u64 = stick::layout::LARGEST_FILE;

/// A lost SYN is sent again after 1, 3 and 7 s (RFC 6298 §2, §5.5): 20 s are four tries.
const CONNECT: Duration = Duration::from_secs(20);
/// How often one run goes on after a cut; each time, bytes must have arrived.
const MOST_CUTS: u32 = 5;
/// First bytes in which a web page is recognised, behind a byte-order mark and blanks.
const HEAD: usize = 512;

/// How sources are asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// With which headers, through which proxies.
    pub sources: Sources,
    /// How often again.
    pub retries: Retries,
    /// How fast files may arrive, all of them together.
    pub rate_limit: Option<RateLimit>,
}

impl Default for Options {
    fn default() -> Self {
        Self { sources: Sources::default(), retries: Retries::NONE, rate_limit: None }
    }
}

/// Fetches files, one at a time.
#[derive(Debug)]
pub struct Downloader {
    client: Client,
    runtime: Runtime,
    options: Options,
    patience: Duration,
}

/// A file that arrived whole. It stays where it is until [`discard`].
#[derive(Debug)]
pub struct Downloaded {
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Digest.
    pub sha256: Sha256Digest,
}

/// What happens during a download; sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Bytes are about to arrive.
    Started {
        /// Here already, from an earlier try.
        from: u64,
        /// The whole file.
        total: u64,
    },
    /// So much is here.
    Arrived(u64),
    /// The connection was cut; the rest is asked for.
    Cut {
        /// Here already.
        arrived: u64,
    },
    /// What an earlier try left belongs to another version of the file, or the server cannot continue
    /// it: the whole file is fetched again.
    Restarted,
    /// It failed, perhaps for now only: it is asked for again after this time.
    Retry {
        /// Why.
        why: String,
        /// From now.
        after: Duration,
    },
}

/// How a request ended that did not fail.
enum Ended {
    Complete,
    /// What is kept is of no use: ask for everything.
    AskAgain,
}

impl Downloader {
    /// Prepares to fetch; sends nothing.
    pub fn new(options: Options) -> Result<Self, DownloadError> {
        let setup = |source: Box<dyn std::error::Error + Send + Sync>| DownloadError::Setup(source);
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| setup(e.into()))?;
        // reqwest panics without a TLS backend, and takes none of another rustls version than its own
        let tls = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|e| setup(e.into()))?
            .with_root_certificates(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
            .with_no_client_auth();
        // no_proxy() first: it forgets what was added before
        let client = Client::builder().no_proxy();
        let client = options.sources.proxies().fold(client, reqwest::ClientBuilder::proxy);
        let client = client
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("courier-fetcher/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .connect_timeout(CONNECT)
            .build()
            .map_err(|e| setup(e.into()))?;
        Ok(Self { client, runtime, options, patience: PATIENCE })
    }

    /// Fetches `url` into the file `part`, going on where an earlier try left it, and tells what
    /// happens.
    pub fn fetch(
        &self,
        url: &str,
        part: &Path,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Downloaded, DownloadError> {
        let mut partial = Partial::open(part, url)?;
        let mut delays = self.options.retries.delays();
        while let Err(error) = self.go_on(url, &mut partial, tell) {
            let Some(after) = delays.next().and_then(|delay| error.wait(delay)) else {
                partial.leave()?;
                return Err(error);
            };
            if partial.rest().is_some() {
                partial.leave()?;
            }
            tell(Event::Retry { why: error.in_full(), after });
            // made within the runtime, which has the clock
            self.runtime.block_on(async { tokio::time::sleep(after).await });
        }
        let (size, sha256) = partial.finish()?;
        Ok(Downloaded { path: part.to_owned(), size, sha256 })
    }

    /// Asks until the file is here whole, or something fails; a cut is none while bytes arrive.
    fn go_on(
        &self,
        url: &str,
        partial: &mut Partial,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), DownloadError> {
        let mut cuts = 0;
        let mut asked_again = false;
        loop {
            let before = partial.received();
            match self.runtime.block_on(self.attempt(url, partial, tell)) {
                Ok(Ended::Complete) => return Ok(()),
                Ok(Ended::AskAgain) => {
                    let (arrived, total) = (partial.arrived(), partial.total());
                    partial.forget()?;
                    if std::mem::replace(&mut asked_again, true) {
                        return Err(DownloadError::NoRest { url: url.to_owned(), arrived, total });
                    }
                }
                Err(DownloadError::Cut { arrived, .. })
                    if cuts < MOST_CUTS && partial.received() > before && partial.rest().is_some() =>
                {
                    cuts += 1;
                    tell(Event::Cut { arrived });
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One request: for the rest of the file where a part of it is here, else for all of it.
    async fn attempt(
        &self,
        url: &str,
        partial: &mut Partial,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Ended, DownloadError> {
        let rest = partial.rest();
        // what is no address fails when it is sent
        let headers =
            Url::parse(url).map_or_else(|_| Some(HeaderMap::new()), |url| self.options.sources.headers(&url));
        let headers = headers.ok_or_else(|| DownloadError::InTheClear { url: url.to_owned() })?;
        let mut request = self.client.get(url).headers(headers);
        if let Some(rest) = &rest {
            request = request.header(RANGE, format!("bytes={}-", rest.from));
            request = request.header(IF_RANGE, &rest.validator);
        }
        let mut pace = Pace::of(self.patience);
        let answered = pace.head(request).await;
        let mut response =
            answered.map_err(|source| DownloadError::Unreachable { url: url.to_owned(), source })?;
        match answer::judge(url, response.status(), response.headers(), rest.as_ref())? {
            Answer::Rest => tell(Event::Started { from: partial.arrived(), total: partial.total() }),
            Answer::Unusable => {
                tell(Event::Restarted);
                return Ok(Ended::AskAgain);
            }
            Answer::Other => {
                // what it sends instead only goes into the message
                let head = first_bytes(&mut response, &mut pace).await.unwrap_or_default();
                let came = Box::new(Came::of(response.status(), response.headers(), &head));
                let retry_after = answer::retry_after(response.headers());
                return Err(DownloadError::Status { url: url.to_owned(), came, retry_after });
            }
            Answer::Whole { total, validator } => {
                let head = first_bytes(&mut response, &mut pace).await;
                let head = head.map_err(|source| cut(url, 0, total, source))?;
                // judged before the kept part goes: a block page for an hour must not cost it
                if let Some(Rejected::Html | Rejected::Pdf) = known_wrapping(&head) {
                    let came = Box::new(Came::of(response.status(), response.headers(), &head));
                    return Err(DownloadError::NotFirmware { url: url.to_owned(), came });
                }
                if rest.is_some() {
                    tell(Event::Restarted);
                }
                partial.restart(total, validator)?;
                tell(Event::Started { from: 0, total });
                partial.write(&head)?;
            }
        }
        let total = partial.total();
        while let Some(chunk) =
            pace.chunk(&mut response).await.map_err(|source| cut(url, partial.arrived(), total, source))?
        {
            partial.write(&chunk)?;
            tell(Event::Arrived(partial.arrived()));
            if let Some(limit) = &self.options.rate_limit {
                pace.rested(limit.wait_for(chunk.len() as u64).await);
            }
        }
        match partial.arrived() {
            arrived if arrived == total => Ok(Ended::Complete),
            arrived => Err(cut(url, arrived, total, Interruption::Closed)),
        }
    }
}

fn cut(url: &str, arrived: u64, total: u64, source: Interruption) -> DownloadError {
    DownloadError::Cut { url: url.to_owned(), arrived, total, source }
}

/// The first bytes of a body: enough to tell a web page, or all there are.
async fn first_bytes(response: &mut Response, pace: &mut Pace) -> Result<Vec<u8>, Interruption> {
    let mut head = Vec::new();
    while head.len() < HEAD {
        match pace.chunk(response).await? {
            Some(chunk) => head.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(head)
}

#[cfg(test)]
mod tests;

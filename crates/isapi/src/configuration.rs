//! The recorder's configuration as one opaque file (reference: ISAPI §11).
//!
//! It holds passwords and keys, encrypted by the recorder with the key that the request names. The key
//! stands in the URL, so on a plain-text connection whoever listens has both: it protects the file where
//! it is kept, no more.
//!
//! Whether a recorder of today exports without a key, or with one, is not proven: an export is asked for
//! with the key, and where that is refused without, and which of the two it was is told.

use std::time::Duration;

use firmware::Sha256Digest;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::client::Recorder;
use crate::error::Error;
use crate::exchange::{Reply, Response};
use crate::request::Request;
use crate::status::ResponseStatus;
use crate::upload::Ticket;
use crate::xml::Malformed;

const PATH: &str = "/ISAPI/System/configurationData";
/// Nobody says how large these files are; firmware of the largest recorders is below 200 MiB.
const LARGEST: u64 = 64 * 1024 * 1024;
/// What may be a refusal in words is held until it is clear that it is none; real ones are below 1 KiB.
const WORDS: usize = 16 * 1024;
/// Without a byte. The recorder gathers the file when it is asked for it, and how long that takes is not
/// known; more than for a small reply.
const QUIET: Duration = Duration::from_secs(60);
/// In all: the largest at 100 KiB/s, so that one that comes in drops has an end.
const WHOLE: Duration = Duration::from_secs(660);

/// The key that encrypts an exported configuration.
#[derive(Debug, Clone)]
pub struct ConfigurationKey(pub(crate) SecretString);

/// The text cannot be such a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key of the configuration is refused: expected 1 to 32 letters and digits of ASCII, or -._~")]
pub struct InvalidConfigurationKey;

impl ConfigurationKey {
    /// Takes 1 to 32 characters; recorders allow 16 ([`crate::SecurityCapabilities`] says). Only those
    /// that stand in a URL as they are (RFC 3986 §2.3): how recorders decode others is not known, and a
    /// key that was understood in another way opens nothing.
    pub fn new(text: SecretString) -> Result<Self, InvalidConfigurationKey> {
        let key = secrecy::ExposeSecret::expose_secret(&text);
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
        if !(1..=32).contains(&key.len()) || !key.bytes().all(plain) {
            return Err(InvalidConfigurationKey);
        }
        Ok(Self(text))
    }
}

/// An export that was written whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Bytes.
    pub size: u64,
    /// Of all of them.
    pub sha256: Sha256Digest,
    /// Whether the key was accepted. If not, the file is as the recorder makes it without one.
    pub keyed: bool,
}

impl Recorder {
    /// Writes the configuration to `to`, at most 64 MiB. After an error what was written is no
    /// configuration.
    pub async fn export_configuration(
        &self,
        key: Option<&ConfigurationKey>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Exported, Error> {
        self.export_within(WHOLE, key, to).await
    }

    async fn export_within(
        &self,
        whole: Duration,
        key: Option<&ConfigurationKey>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Exported, Error> {
        let export = async {
            match (self.export(key, to).await, key) {
                (Err(error), Some(_)) if is_about_the_key(&error) => self.export(None, to).await,
                (exported, _) => exported,
            }
        };
        self.in_time(whole, export).await?
    }

    /// Collects the challenge for restoring a configuration, which [`Recorder::upload`] then sends like
    /// firmware: once, its last block held back. The key is the one that it was exported with. The
    /// recorder restarts by itself afterwards (reference: ISAPI §6, §11).
    pub async fn restore_ticket(&self, key: Option<&ConfigurationKey>) -> Result<Ticket, Error> {
        self.ticket(Request::put(PATH).keyed(key)).await
    }

    async fn export(
        &self,
        key: Option<&ConfigurationKey>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Exported, Error> {
        let request = Request::get(PATH).keyed(key);
        let opened = self.in_time(QUIET, self.log_in(&request, None)).await??;
        let mut response = match opened {
            Response::Open(response) if response.status() == 200 => response,
            Response::Open(response) => {
                return Err(self.no_configuration(&self.in_time(QUIET, self.receive(PATH, response)).await??));
            }
            Response::Read(reply) => return Err(self.no_configuration(&reply)),
        };
        let (mut held, mut hasher, mut size) = (Some(Vec::new()), Sha256::new(), 0);
        loop {
            let chunk = self.in_time(QUIET, response.chunk()).await?.map_err(|e| self.failed(PATH, e))?;
            size += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
            if size > LARGEST {
                let limit = usize::try_from(LARGEST).unwrap_or(usize::MAX);
                return Err(Error::TooLarge { address: self.address().clone(), path: PATH, limit });
            }
            let is_last = chunk.is_none();
            let mut out = chunk.unwrap_or_default();
            if let Some(mut words) = held.take() {
                words.extend_from_slice(&out);
                if !is_last && words.len() <= WORDS {
                    held = Some(words);
                    continue;
                }
                if is_last && (words.is_empty() || ResponseStatus::read(&words).is_ok()) {
                    return Err(self.no_configuration(&Reply::of(200, words)));
                }
                if is_a_page(&words) {
                    let page = Malformed::Excess("or HTML stands where a configuration should");
                    return Err(self.malformed(PATH, 200, page));
                }
                out = words.into();
            }
            hasher.update(&out);
            to.write_all(&out).await.map_err(|e| self.not_kept(e))?;
            if is_last {
                to.flush().await.map_err(|e| self.not_kept(e))?;
                return Ok(Exported { size, sha256: hasher.into(), keyed: key.is_some() });
            }
        }
    }

    fn no_configuration(&self, reply: &Reply) -> Error {
        self.no(PATH, reply, reply.body.is_empty().then_some(Malformed::Missing("configuration")))
    }

    fn not_kept(&self, source: std::io::Error) -> Error {
        Error::Keep { address: self.address().clone(), source }
    }

    async fn in_time<T>(&self, limit: Duration, waits: impl Future<Output = T>) -> Result<T, Error> {
        tokio::time::timeout(limit, waits).await.map_err(|_| {
            let (address, seconds) = (self.address().clone(), limit.as_secs());
            Error::Silent { address, path: PATH, seconds }
        })
    }
}

/// Whether asking without the key makes sense.
fn is_about_the_key(error: &Error) -> bool {
    matches!(error, Error::NotOffered { .. }) || error.is_about_configuration_key()
}

impl Error {
    /// Whether a recorder that refused to export its configuration may mean the key: that there is one, or
    /// that there is none.
    pub fn is_about_configuration_key(&self) -> bool {
        const KEY: [&str; 5] = [
            "badParameters",
            "cfgFileSecretKeyError",
            "importCfgFilePasswordErr",
            "badURLFormat",
            "invalidOperation",
        ];
        let Self::Refused { refusal, .. } = self else { return false };
        let sub_code = refusal.sub_code.as_ref();
        sub_code.is_some_and(|s| KEY.iter().any(|k| s.as_str().eq_ignore_ascii_case(k)))
    }
}

/// Whether this is a page for people or another document, and so no export, which is binary.
fn is_a_page(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    [&b"<?xml"[..], b"<!doctype", b"<html"]
        .iter()
        .any(|page| start.get(..page.len()).is_some_and(|start| start.eq_ignore_ascii_case(page)))
}

#[cfg(test)]
mod tests;

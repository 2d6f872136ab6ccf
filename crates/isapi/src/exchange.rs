//! Requests that log in. Each takes a challenge of its own and answers it once.
//!
//! What a wrong password costs decides everything here: five of them lock the account for half an hour
//! (reference: ISAPI §9.3). So one refusal ends all logins of a [`Recorder`], and only a recorder that
//! says the nonce was at fault, and counts no attempt, gets a request without body once more.

use std::time::Duration;

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue, WWW_AUTHENTICATE};

use crate::address::Address;
use crate::answer::Answer;
use crate::client::Recorder;
use crate::digest::Challenge;
use crate::error::Error;
use crate::login::UserCheck;
use crate::request::Request;
use crate::status::ResponseStatus;
use crate::tls;
use crate::transport::unanswered;
use crate::xml::LARGEST;

/// From the request to the end of a small reply. Replies are a few KiB; while it flashes a recorder was
/// seen not to answer at all (reference: ISAPI §4), so more patience would gain nothing.
pub(crate) const REPLY: Duration = Duration::from_secs(15);

/// A reply, its body read whole.
pub(crate) struct Reply {
    pub(crate) http: u16,
    challenges: Vec<HeaderValue>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn of(http: u16, body: Vec<u8>) -> Self {
        Self { http, challenges: Vec::new(), body }
    }

    /// Whether a code says that the login is wrong (`loginPasswordError` and its like). That is about the
    /// password, whatever the challenge beside it says of the nonce.
    pub(crate) fn refuses_the_login_in_words(&self) -> bool {
        let answer = Answer::of(self.http, &self.body);
        matches!(answer, Answer::Authentication(_)) && ResponseStatus::read(&self.body).is_ok()
    }

    pub(crate) fn challenge(&self) -> Result<Challenge, Error> {
        Ok(Challenge::choose(&self.challenges)?)
    }
}

/// A response to a request that logged in.
pub(crate) enum Response {
    /// Its body still to be read.
    Open(reqwest::Response),
    /// Read already, to see what a 401 is about.
    Read(Reply),
}

/// A refused login in words.
pub(crate) fn refusal(address: &Address, check: &UserCheck) -> Error {
    let address = address.clone();
    if check.is_locked() {
        return Error::Locked { address, seconds: check.unlock_seconds };
    }
    Error::WrongPassword { address, attempts_left: check.attempts_left }
}

impl Recorder {
    /// A request without body, and its reply.
    pub(crate) async fn exchange(&self, request: &Request) -> Result<Reply, Error> {
        let reply = match self.log_in(request, Some(REPLY)).await? {
            Response::Open(response) => self.receive(request.path, response).await?,
            Response::Read(reply) => reply,
        };
        match Answer::of(reply.http, &reply.body) {
            Answer::Authentication(check) => Err(self.login_refused(&check)),
            _ => Ok(reply),
        }
    }

    /// A request without body, with a challenge of its own. Only where the recorder says that the nonce
    /// was stale (RFC 7616 §3.3), gives a new one and counted no wrong password it is sent once more.
    pub(crate) async fn log_in(
        &self,
        request: &Request,
        within: Option<Duration>,
    ) -> Result<Response, Error> {
        self.may_log_in()?;
        let open = self.open(request, None, within).await?;
        if open.status() != 401 {
            return Ok(Response::Open(open));
        }
        let asked = self.receive(request.path, open).await?;
        let before = UserCheck::of_401(&asked.body);
        if before.is_locked() {
            return Err(self.login_refused(&before));
        }
        let mut challenge = asked.challenge()?;
        for may_repeat in [true, false] {
            let authorization = self.authorize(&challenge, request)?;
            let open = self.open(request, Some(authorization), within).await?;
            if open.status() != 401 {
                return Ok(Response::Open(open));
            }
            let reply = self.receive(request.path, open).await?;
            let answer = Answer::of(reply.http, &reply.body);
            let expired = is_expired_nonce(reply.http, &answer);
            let in_words = reply.refuses_the_login_in_words();
            let check = match answer {
                Answer::Authentication(check) => check,
                _ if expired => UserCheck::default(),
                _ => return Ok(Response::Read(reply)),
            };
            let fresh = reply.challenge().ok().filter(|c| !c.same_nonce(&challenge));
            let counted = check.is_locked() || check.counted_since(before.attempts_left);
            let counted = counted || in_words;
            match fresh.filter(|c| (expired || c.is_stale()) && may_repeat && !counted) {
                Some(fresh) => challenge = fresh,
                None if expired => return Ok(Response::Read(reply)),
                None => return Err(self.login_refused(&check)),
            }
        }
        Err(self.login_refused(&UserCheck::default()))
    }

    /// The `Authorization` header of one request.
    pub(crate) fn authorize(&self, challenge: &Challenge, request: &Request) -> Result<HeaderValue, Error> {
        self.may_log_in()?;
        let cnonce = hex::encode(rand::random::<[u8; 16]>());
        let header = challenge.answer(&self.login, request.method.as_str(), &request.target(), &cnonce);
        let mut header = HeaderValue::from_bytes(header.as_bytes()).map_err(|_| Error::UserName)?;
        header.set_sensitive(true);
        Ok(header)
    }

    fn may_log_in(&self) -> Result<(), Error> {
        if self.refused.get().is_some() {
            return Err(Error::LoginStopped { address: self.address().clone() });
        }
        Ok(())
    }

    /// Notes that a login was refused: this client sends no other.
    pub(crate) fn login_refused(&self, check: &UserCheck) -> Error {
        // the first one counts: nothing is sent after it
        let _ = self.refused.set((self.address().clone(), check.clone()));
        refusal(self.address(), check)
    }

    /// One request without body and without login, and its reply, as they are.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Reply, Error> {
        let response = self.open(request, None, Some(REPLY)).await?;
        self.receive(request.path, response).await
    }

    async fn open(
        &self,
        request: &Request,
        authorization: Option<HeaderValue>,
        within: Option<Duration>,
    ) -> Result<reqwest::Response, Error> {
        let mut sent = self.http.request(request.method.clone(), self.url(request));
        if let Some(within) = within {
            sent = sent.timeout(within);
        }
        if request.method == Method::PUT {
            sent = sent.header(CONTENT_LENGTH, 0);
        }
        if let Some(authorization) = authorization {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        sent.send().await.map_err(|e| self.failed(request.path, e))
    }

    /// Reads a reply under its cap.
    pub(crate) async fn receive(
        &self,
        path: &'static str,
        mut response: reqwest::Response,
    ) -> Result<Reply, Error> {
        let http = response.status().as_u16();
        if response.status().is_redirection() {
            return Err(Error::Redirected { address: self.address().clone(), path, http });
        }
        let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter().cloned().collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(path, e))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Error::TooLarge { address: self.address().clone(), path, limit: LARGEST });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { http, challenges, body })
    }

    /// Whether the connection may have been taken, and only TLS not have come to be over it. A recorder that
    /// flashes falls silent or hangs up; to call it absent would make a restart of that.
    fn may_have_connected(&self, error: &reqwest::Error) -> bool {
        self.is_tls() && (error.is_timeout() || tls::broke_in_handshake(error))
    }

    pub(crate) fn failed(&self, path: &'static str, source: reqwest::Error) -> Error {
        let address = self.address().clone();
        if let Some(fault) = tls::fault_in(&source) {
            return Error::Tls { address, source: Box::new(fault) };
        }
        let source = source.without_url();
        if source.is_connect() && !self.may_have_connected(&source) {
            let why = if source.is_timeout() { unanswered() } else { innermost(&source) };
            Error::Unreachable { address, port: self.port, why }
        } else if source.is_timeout() {
            Error::Silent { address, path, seconds: REPLY.as_secs() }
        } else {
            Error::Lost { address, path, source }
        }
    }
}

/// What the system said: the layers around it only say that it was about a connection.
fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

/// Some firmware reports an expired nonce as a 401 with `invalidOperation` (reference: ISAPI §9.2).
pub(crate) fn is_expired_nonce(http: u16, answer: &Answer) -> bool {
    let Answer::Refused(refusal) = answer else { return false };
    let sub_code = refusal.sub_code.as_ref();
    http == 401 && sub_code.is_some_and(|s| s.as_str().eq_ignore_ascii_case("invalidOperation"))
}

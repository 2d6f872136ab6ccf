//! One recorder, one login.
//!
//! Every request stands on its own connection: recorders close idle ones when they please, and a
//! request lost on a half-closed one would look like a recorder that went away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use firmware::Device;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue, WWW_AUTHENTICATE};
use secrecy::SecretString;

use crate::address::Address;
use crate::answer::Answer;
use crate::device::device_info;
use crate::digest::Challenge;
use crate::error::Error;
use crate::login::{OnlineUser, UserCheck};
use crate::storage::Disk;
use crate::time::DeviceTime;
use crate::upgrade::UpgradeStatus;
use crate::xml::{Element, LARGEST, Malformed};

/// On one cable an answer to SYN takes a millisecond; a recorder that starts up or filters this laptop
/// drops it silently (reference: ISAPI §15.2), and the vendor's page tries again every 5 s (§6).
const CONNECT: Duration = Duration::from_secs(5);
/// From the request to the end of a small reply. Replies are a few KiB; while it flashes a recorder was
/// seen not to answer at all (reference: ISAPI §4), so more patience would gain nothing.
const REPLY: Duration = Duration::from_secs(15);

/// User and password.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub(crate) user: String,
    pub(crate) password: SecretString,
}

impl Credentials {
    /// The password never appears in `Debug`.
    pub fn new(user: impl Into<String>, password: SecretString) -> Self {
        Self { user: user.into(), password }
    }
}

/// A recorder and the login to it.
#[derive(Debug)]
pub struct Recorder {
    address: Address,
    login: Credentials,
    pub(crate) http: reqwest::Client,
    stopped: AtomicBool,
}

/// A reply, its body read whole.
pub(crate) struct Reply {
    pub(crate) http: u16,
    pub(crate) challenges: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn challenge(&self) -> Result<Challenge, Error> {
        Ok(Challenge::choose(self.challenges.iter().map(String::as_str))?)
    }
}

impl Recorder {
    /// Prepares to talk; sends nothing.
    pub fn new(address: Address, login: Credentials) -> Result<Self, Error> {
        if login.user.chars().any(char::is_control) {
            return Err(Error::UserName);
        }
        let setup = |source: Box<dyn std::error::Error + Send + Sync>| Error::Setup {
            address: address.clone(),
            source,
        };
        // reqwest panics without a TLS backend, so it gets one that trusts nobody: this client speaks
        // plain HTTP only
        let tls =
            rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .map_err(|e| setup(e.into()))?
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            // reqwest's defaults (15 s, 30 s) end a connection whose other side takes nothing: a
            // recorder that erases flash during an upload is just that, and must not be cut off
            .tcp_keepalive(None)
            .tcp_user_timeout(None);
        if let Some(zone) = address.zone() {
            http = http.interface(zone);
        }
        let http = http.build().map_err(|e| setup(e.into()))?;
        Ok(Self { address, login, http, stopped: AtomicBool::new(false) })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// `GET /ISAPI/System/deviceInfo`: who it is.
    pub async fn device_info(&self) -> Result<Device, Error> {
        self.read("/ISAPI/System/deviceInfo", "DeviceInfo", device_info).await
    }

    /// `GET /ISAPI/Security/userCheck`; `None` where the recorder has no such function.
    pub async fn user_check(&self) -> Result<Option<UserCheck>, Error> {
        offered(self.read("/ISAPI/Security/userCheck", UserCheck::ROOT, UserCheck::read).await)
    }

    /// `GET /ISAPI/Security/onlineUser`: who is logged in.
    pub async fn online_users(&self) -> Result<Option<Vec<OnlineUser>>, Error> {
        offered(
            self.read("/ISAPI/Security/onlineUser", OnlineUser::ROOT, |root| Ok(OnlineUser::list(root)))
                .await,
        )
    }

    /// `GET /ISAPI/ContentMgmt/Storage`: the disks.
    pub async fn disks(&self) -> Result<Option<Vec<Disk>>, Error> {
        offered(self.read("/ISAPI/ContentMgmt/Storage", Disk::ROOT, Disk::list).await)
    }

    /// `GET /ISAPI/System/time`: the wall clock.
    pub async fn time(&self) -> Result<Option<DeviceTime>, Error> {
        offered(self.read("/ISAPI/System/time", DeviceTime::ROOT, DeviceTime::read).await)
    }

    /// `GET /ISAPI/System/upgradeStatus`; some models answer 404 or `notSupport` when idle, which is
    /// `None`.
    pub async fn upgrade_status(&self) -> Result<Option<UpgradeStatus>, Error> {
        offered(self.read(Self::UPGRADE_STATUS, UpgradeStatus::ROOT, UpgradeStatus::read).await)
    }

    pub(crate) const UPGRADE_STATUS: &str = "/ISAPI/System/upgradeStatus";

    /// `PUT /ISAPI/System/reboot`. A refusal or a lost connection may mean that it is going down
    /// already (reference: ISAPI §6).
    pub async fn reboot(&self) -> Result<Answer, Error> {
        let reply = self.exchange(Method::PUT, "/ISAPI/System/reboot").await?;
        Ok(Answer::of(reply.http, &reply.body))
    }

    async fn read<T>(
        &self,
        path: &'static str,
        root: &'static str,
        read: impl FnOnce(&Element) -> Result<T, Malformed>,
    ) -> Result<T, Error> {
        let reply = self.exchange(Method::GET, path).await?;
        let document = Element::document(&reply.body, root);
        match document {
            Ok(root) if reply.http == 200 => read(&root).map_err(|e| self.malformed(path, reply.http, e)),
            // a refusal comes under any HTTP status, 200 included
            document => Err(self.no(path, &reply, document.err())),
        }
    }

    fn no(&self, path: &'static str, reply: &Reply, fault: Option<Malformed>) -> Error {
        let address = self.address.clone();
        match Answer::of(reply.http, &reply.body) {
            // some models have no page for it when idle (reference: ISAPI §4)
            Answer::NotOffered(_) | Answer::Unclear { http: 404, .. } => Error::NotOffered { address, path },
            Answer::NoPermission(_) => Error::NoPermission { address, path },
            Answer::StillUpgrading => Error::Upgrading { address, path },
            Answer::Refused(refusal) | Answer::RetryLater(refusal) => {
                let refusal = Box::new(refusal);
                Error::Refused { address, path, refusal }
            }
            Answer::Authentication(check) => self.login_refused(&check),
            Answer::Taken { .. } | Answer::Unclear { .. } => {
                let missing = Malformed::Excess("is not what the HTTP status goes with");
                self.malformed(path, reply.http, fault.unwrap_or(missing))
            }
        }
    }

    fn malformed(&self, path: &'static str, http: u16, source: Malformed) -> Error {
        Error::Malformed { address: self.address.clone(), path, http, source }
    }

    /// A request without body, with a challenge of its own. Only where the recorder says that the
    /// nonce was stale, and thereby that the password was right, it is sent once more (RFC 7616 §3.3).
    async fn exchange(&self, method: Method, path: &'static str) -> Result<Reply, Error> {
        self.may_log_in()?;
        let mut reply = self.send(method.clone(), path, None).await?;
        for last in [false, true] {
            if reply.http != 401 {
                return Ok(reply);
            }
            let check = UserCheck::of_401(&reply.body);
            if check.is_locked() {
                return Err(self.login_refused(&check));
            }
            let challenge = reply.challenge()?;
            let authorization = self.authorize(&challenge, &method, path)?;
            reply = self.send(method.clone(), path, Some(authorization)).await?;
            let stale = reply.challenge().is_ok_and(|c| c.is_stale() && !c.same_nonce(&challenge));
            match Answer::of(reply.http, &reply.body) {
                Answer::Authentication(check) if last || !stale => return Err(self.login_refused(&check)),
                Answer::Authentication(_) => {}
                _ => return Ok(reply),
            }
        }
        Ok(reply)
    }

    /// The `Authorization` header of one request.
    pub(crate) fn authorize(
        &self,
        challenge: &Challenge,
        method: &Method,
        path: &str,
    ) -> Result<HeaderValue, Error> {
        self.may_log_in()?;
        let cnonce = hex::encode(rand::random::<[u8; 16]>());
        let header = challenge.answer(&self.login, method.as_str(), path, &cnonce);
        let mut header = HeaderValue::from_bytes(header.as_bytes()).map_err(|_| Error::UserName)?;
        header.set_sensitive(true);
        Ok(header)
    }

    fn may_log_in(&self) -> Result<(), Error> {
        if self.stopped.load(Ordering::SeqCst) {
            return Err(Error::LoginStopped { address: self.address.clone() });
        }
        Ok(())
    }

    /// Notes that a login was refused: this client sends no other.
    pub(crate) fn login_refused(&self, check: &UserCheck) -> Error {
        self.stopped.store(true, Ordering::SeqCst);
        let address = self.address.clone();
        if check.is_locked() {
            return Error::Locked { address, seconds: check.unlock_seconds };
        }
        Error::WrongPassword { address, attempts_left: check.attempts_left }
    }

    /// One request without body and its reply, as they are.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &'static str,
        authorization: Option<HeaderValue>,
    ) -> Result<Reply, Error> {
        let mut request = self.http.request(method.clone(), self.url(path)).timeout(REPLY);
        if method == Method::PUT {
            request = request.header(CONTENT_LENGTH, 0);
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.send().await.map_err(|e| self.failed(path, e))?;
        self.receive(path, response).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address.origin())
    }

    /// Reads a reply under its cap.
    pub(crate) async fn receive(
        &self,
        path: &'static str,
        mut response: reqwest::Response,
    ) -> Result<Reply, Error> {
        let http = response.status().as_u16();
        if response.status().is_redirection() {
            return Err(Error::Redirected { address: self.address.clone(), path, http });
        }
        let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenges = challenges.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(path, e))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Error::TooLarge { address: self.address.clone(), path, limit: LARGEST });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { http, challenges, body })
    }

    pub(crate) fn failed(&self, path: &'static str, source: reqwest::Error) -> Error {
        let (address, source) = (self.address.clone(), source.without_url());
        if source.is_connect() {
            Error::Unreachable { address, source }
        } else if source.is_timeout() {
            Error::Silent { address, path, seconds: REPLY.as_secs() }
        } else {
            Error::Lost { address, path, source }
        }
    }
}

fn offered<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotOffered { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;

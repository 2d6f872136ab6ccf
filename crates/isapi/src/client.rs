//! One recorder, one login.
//!
//! Every request stands on its own connection: recorders close idle ones when they please, and a
//! request lost on a half-closed one would look like a recorder that went away.

use std::sync::{Arc, OnceLock};

use firmware::Device;
use secrecy::SecretString;

use crate::address::Address;
use crate::answer::Answer;
use crate::document::Document;
use crate::error::Error;
use crate::exchange::{Reply, refusal};
use crate::login::{OnlineUser, UserCheck};
use crate::request::Request;
use crate::storage::Disk;
use crate::time::DeviceTime;
use crate::transport::Transport;
use crate::upgrade::UpgradeStatus;
use crate::xml::Malformed;

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
    origin: String,
    pub(crate) port: u16,
    pub(crate) login: Credentials,
    pub(crate) http: reqwest::Client,
    /// The first refused login, and where: no other is sent.
    pub(crate) refused: Arc<OnceLock<(Address, UserCheck)>>,
}

impl Recorder {
    /// Prepares to talk in plain text; sends nothing.
    pub fn new(address: Address, login: Credentials) -> Result<Self, Error> {
        Self::over(address, login, &Transport::default())
    }

    /// Prepares to talk over this transport; sends nothing.
    pub fn over(address: Address, login: Credentials, transport: &Transport) -> Result<Self, Error> {
        if login.user.chars().any(char::is_control) {
            return Err(Error::UserName);
        }
        let (http, origin) = (transport.client(&address)?, transport.origin(&address));
        let port = transport.socket(&address).port();
        Ok(Self { address, origin, port, login, http, refused: Arc::default() })
    }

    /// The same recorder where it is now, with the same login; sends nothing. Where a login was refused before,
    /// none is sent there either, and the other way round.
    pub fn moved_to(&self, address: Address, transport: &Transport) -> Result<Self, Error> {
        let there = Self::over(address, self.login.clone(), transport)?;
        Ok(Self { refused: Arc::clone(&self.refused), ..there })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The login that was refused, and where, if one was; since then none was sent.
    pub fn refused_login(&self) -> Option<(&Address, Error)> {
        self.refused.get().map(|(address, check)| (address, refusal(address, check)))
    }

    /// Reads a document. That the recorder has none is [`Error::NotOffered`], that the account may not
    /// read it [`Error::NoPermission`] (reference: ISAPI §15).
    pub async fn read<D: Document>(&self) -> Result<D, Error> {
        let reply = self.exchange(&Request::get(D::PATH)).await?;
        match D::parse(&reply.body) {
            Ok(document) if reply.http == 200 => Ok(document),
            // a refusal comes under any HTTP status, 200 included
            document => Err(self.no(D::PATH, &reply, document.err())),
        }
    }

    /// Reads a document that not every recorder has; `None` where this one does not.
    pub async fn read_offered<D: Document>(&self) -> Result<Option<D>, Error> {
        match self.read().await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotOffered { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Who it is.
    pub async fn device_info(&self) -> Result<Device, Error> {
        self.read().await
    }

    /// The state of the account; `None` where the recorder has no such function.
    pub async fn user_check(&self) -> Result<Option<UserCheck>, Error> {
        self.read_offered().await
    }

    /// Who is logged in.
    pub async fn online_users(&self) -> Result<Option<Vec<OnlineUser>>, Error> {
        self.read_offered().await
    }

    /// The disks.
    pub async fn disks(&self) -> Result<Option<Vec<Disk>>, Error> {
        self.read_offered().await
    }

    /// The wall clock.
    pub async fn time(&self) -> Result<Option<DeviceTime>, Error> {
        self.read_offered().await
    }

    /// How far an upgrade is; some models answer 404 or `notSupport` when idle, which is `None`.
    pub async fn upgrade_status(&self) -> Result<Option<UpgradeStatus>, Error> {
        self.read_offered().await
    }

    /// `PUT /ISAPI/System/reboot`. A refusal or a lost connection may mean that it is going down
    /// already (reference: ISAPI §6).
    pub async fn reboot(&self) -> Result<Answer, Error> {
        let reply = self.exchange(&Request::put("/ISAPI/System/reboot")).await?;
        Ok(Answer::of(reply.http, &reply.body))
    }

    /// What a reply says that is not what was asked for.
    pub(crate) fn no(&self, path: &'static str, reply: &Reply, fault: Option<Malformed>) -> Error {
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

    pub(crate) fn malformed(&self, path: &'static str, http: u16, source: Malformed) -> Error {
        Error::Malformed { address: self.address.clone(), path, http, source }
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.origin.starts_with("https:")
    }

    pub(crate) fn url(&self, request: &Request) -> String {
        format!("{}{}", self.origin, request.target())
    }
}

#[cfg(test)]
mod tests;

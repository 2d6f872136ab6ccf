//! A recorder that somebody is logged in to, and what is written down of it meanwhile.

use std::cell::RefCell;
use std::path::PathBuf;

use ::link::Listener;
use firmware::{Serial, Sha256Digest, Text};
use isapi::{Address, Recorder};
use terminal::{Exit, Failure};
use tokio::runtime::Runtime;

use super::failure;
use crate::audit::PasswordFacts;
use crate::certificates::Certificates;
use crate::context::{Context, link_failure};
use crate::failed_logins::FailedLogins;
use crate::isolation::{CheckedLink, NotIsolated, look, permit};
use crate::record::RecordError;
use crate::search::Search;

/// A recorder that may be talked to.
#[derive(Debug)]
pub struct Session {
    /// The recorder, with the one login.
    pub recorder: Recorder,
    /// The link to it.
    pub link: CheckedLink,
    /// Hears who else is on that link, where this laptop can.
    pub listener: RefCell<Option<Listener>>,
    /// The certificate it is talked to over; none without TLS.
    pub certificate: Option<Sha256Digest>,
    /// Why it is talked to without TLS, where something spoke against it.
    pub plain_http: Option<Text>,
    /// What is kept of the password: whether it keeps the rule.
    pub password: PasswordFacts,
    /// Drives the requests.
    pub runtime: Runtime,
    pub(super) records: Records,
}

/// Where it is written down what is known of recorders.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) certificates: PathBuf,
    pub(super) failed_logins: PathBuf,
}

impl Session {
    /// The recorder was met at another address: all goes on there, with the same login over the same
    /// interface and certificate, and its certificate is known there. What became of the recorder matters
    /// more: what fails is a warning.
    pub fn follow(&mut self, serial: &Serial, to: &Address, search: &Search, context: &Context) {
        if let Err(error) = self.pin(serial, to, context) {
            context.output.warn(format_args!(
                "{error}: the recorder's certificate will be asked for at its new address"
            ));
        }
        if let Err(failure) = self.go_on_at(to, search) {
            context.output.warn(format_args!("nothing more is pushed at {to}: {:#}", failure.error));
        }
    }

    fn pin(&self, serial: &Serial, to: &Address, context: &Context) -> Result<(), RecordError> {
        let Some(certificate) = self.certificate else { return Ok(()) };
        let mut certificates = Certificates::open(&self.records.certificates)?;
        certificates.pin(serial.clone(), to.clone(), certificate, (context.now)())
    }

    fn go_on_at(&mut self, to: &Address, search: &Search) -> Result<(), Failure> {
        self.recorder = search.there(&self.recorder, to).map_err(|error| failure(error, to))?;
        let isolation = look(to).map_err(link_failure)?;
        // a link that nobody agreed to is not taken, and refused before the next push: `still_alone`
        let link = permit(to, isolation, self.link.is_networked()).map_err(not_isolated)?;
        self.link = link.over(self.certificate);
        Ok(())
    }

    /// Writes down that a login was refused since the first one was taken, and where. What became of the recorder
    /// matters more: a record that cannot be written is a warning.
    pub fn remember_refusal(&self, context: &Context) {
        let Some((address, refusal)) = self.recorder.refused_login() else { return };
        let noted = FailedLogins::open(&self.records.failed_logins)
            .and_then(|mut known| known.note(address, &refusal, (context.now)()));
        if let Err(error) = noted {
            let error = anyhow::Error::from(error);
            context.output.warn(format_args!("{refusal}; that cannot be remembered: {error:#}"));
        }
    }

    /// Looks at this laptop's network once more, right before something is pushed.
    pub fn still_alone(&self) -> Result<(), Failure> {
        let now = look(self.recorder.address()).map_err(link_failure)?;
        self.link.still(now).map_err(not_isolated)
    }
}

pub(super) fn not_isolated(refused: Box<NotIsolated>) -> Failure {
    let hints = refused.hints();
    Failure::new(Exit::NotIsolated, refused).hint(hints)
}

//! Over what a recorder is talked to, and the certificate that it is held to (`docs/safety.md`, rule 2).

use firmware::Serial;
use isapi::{Channel, Error, Offer, PlainTextBecause};
use terminal::{Exit, Failure};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::failure::{failure, record_failure, tls_exit};
use super::{Session, Visit};
use crate::certificates::Certificates;
use crate::connect::{Decision, Refused, Said, decide};
use crate::context::Context;
use crate::isolation::CheckedLink;
use crate::run::Deadlines;

impl Visit<'_> {
    /// Over what to talk, and whether only `--plain-http` allows it.
    pub(super) fn channel(
        self,
        link: &CheckedLink,
        runtime: &Runtime,
        certificates: &Certificates,
        context: &Context,
    ) -> Result<(Channel, bool), Failure> {
        let known = certificates.at(self.address);
        let known = known.or_else(|| certificates.of(self.expected?));
        let offer = runtime.block_on(self.offer(link, known.is_some()));
        let said = Said { certificate: self.login.certificate, plain_http: self.login.plain_http.is_some() };
        match decide(offer, known, said) {
            Decision::Use { channel, lifted } => Ok((channel, lifted)),
            Decision::Refuse(refused) => Err(self.refused(refused, certificates)),
            Decision::Ask { certificate, facts } => {
                context
                    .output
                    .data(format_args!("recorder {}: its certificate is new to this laptop", self.address));
                context.output.data(format_args!("SHA-256    {certificate}"));
                if let Some(facts) = facts {
                    context.output.data(format_args!("it says    {facts}"));
                }
                let question = "Is this the recorder? From now on no other certificate is taken for it.";
                if terminal::confirm(question, &format!("--certificate {certificate}"))? {
                    return Ok((Channel::Tls { certificate }, false));
                }
                Err(Failure::new(Exit::Refused, "not agreed to: nothing was sent"))
            }
        }
    }

    /// What it offers, once it answers. The port of a recorder that restarts is closed, which is no offer
    /// of plain text where a certificate is known.
    async fn offer(self, link: &CheckedLink, has_tls: bool) -> Result<Offer, Error> {
        let began = Instant::now();
        loop {
            let offer = isapi::probe(self.address, link.interface()).await;
            let away = match &offer {
                Err(Error::Tls { source, .. }) => tls_exit(source) == Exit::Unreachable,
                Err(error) => error.is_absence(),
                Ok(Offer::PlainText(PlainTextBecause::Closed)) => has_tls,
                Ok(_) => false,
            };
            if !away || began.elapsed() >= self.patience {
                return offer;
            }
            tokio::time::sleep(Deadlines::default().poll).await;
        }
    }

    fn refused(self, refused: Refused, certificates: &Certificates) -> Failure {
        let hint = match &refused {
            Refused::Failed(_) => String::new(),
            Refused::Changed { found, .. } => {
                let known = certificates.recorder_at(self.address).or(self.expected);
                let serial = known.map_or("SERIAL", Serial::as_str);
                format!(
                    "nothing was sent; if it was reset or updated since, compare the digest with its own screen, then: applier trust recorder {serial} --certificate {found}\nif another recorder has this address now: --certificate {found}\nif neither, something else answers in its name"
                )
            }
            Refused::NotTheOne { .. } => {
                "nothing was sent; it is another recorder, or the digits are wrong".into()
            }
            Refused::NoTls { .. } if self.address.port().is_some() => {
                "nothing was sent; give the address without the port, so that TLS is looked for where it belongs; if it was switched off on the recorder, and you have a reason: --plain-http REASON".into()
            }
            Refused::NoTls { .. } => {
                "nothing was sent; if TLS was switched off on the recorder, and you have a reason: --plain-http REASON".into()
            }
        };
        match refused {
            Refused::Failed(error) => failure(*error, self.address),
            refused => {
                let failure =
                    Failure::of(Exit::Rejected, refused).context(format!("recorder {}", self.address));
                failure.hint(hint)
            }
        }
    }

    /// Holds the recorder to the certificate that is known of its serial number, and pins a new one.
    pub(super) fn remember(
        self,
        session: &Session,
        serial: &Serial,
        certificates: &mut Certificates,
        context: &Context,
    ) -> Result<(), Failure> {
        match session.certificate {
            Some(certificate) => {
                certificates.check(serial, certificate).map_err(|error| {
                    Failure::of(Exit::Rejected, error).hint(format!(
                        "the recorder was not changed; if it was reset or updated since: applier trust recorder {serial} --certificate {certificate}; if not, something else answers in its name"
                    ))
                })?;
                certificates
                    .pin(serial.clone(), self.address.clone(), certificate, (context.now)())
                    .map_err(record_failure)
            }
            None => match certificates.of(serial).filter(|_| session.plain_http.is_none()) {
                None => Ok(()),
                Some(known) => {
                    let message = format!(
                        "recorder {serial} answers without TLS at {}, but is known by its certificate {known}",
                        self.address
                    );
                    Err(Failure::new(Exit::Rejected, message)
                        .hint("the recorder was not changed; if TLS was switched off on it, and you have a reason: --plain-http REASON"))
                }
            },
        }
    }
}

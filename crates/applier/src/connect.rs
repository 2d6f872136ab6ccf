//! Over what a recorder is talked to (`docs/safety.md`, rule 2). Pure: what it offers, what is known of it and what a
//! person said come in.
//!
//! The password is never sent in the clear (digest), and yet whoever sits in between can read everything
//! else and answer in the recorder's name. So plain text is taken only where nothing speaks against it: no
//! certificate is known of the recorder, and its TLS port is closed or answers in plain text. Anything
//! that looks like TLS and fails may be somebody who wants just that.
//!
//! Recorders leave the factory with one and the same address, so another certificate there may be the next
//! recorder on the same cable: a person may name it. Whether it belongs to a recorder that is known by
//! another one shows once its serial number was read ([`crate::certificates`]).

use firmware::Sha256Digest;
use isapi::{CertificateFacts, Channel, Error, Offer};

/// What a person said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// `--certificate HEX`: this one, which came another way.
    pub certificate: Option<Sha256Digest>,
    /// `--plain-http REASON`.
    pub plain_http: bool,
}

/// What follows.
#[derive(Debug)]
pub enum Decision {
    /// Talk over this. `lifted` where only `--plain-http` allows it.
    Use {
        /// With TLS or without.
        channel: Channel,
        /// Whether plain text was a person's decision.
        lifted: bool,
    },
    /// A certificate that nobody has vouched for yet.
    Ask {
        /// Its SHA-256.
        certificate: Sha256Digest,
        /// What it says about itself.
        facts: Option<Box<CertificateFacts>>,
    },
    /// Nothing is sent.
    Refuse(Refused),
}

/// Why nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Another certificate than the one that is known at this address.
    #[error("certificate has SHA-256 {found}, known at this address is {known}")]
    Changed {
        /// Known here.
        known: Sha256Digest,
        /// Shown now.
        found: Sha256Digest,
    },
    /// Another certificate than the one that a person named.
    #[error("certificate has SHA-256 {found}, expected {expected}")]
    NotTheOne {
        /// As given.
        expected: Sha256Digest,
        /// Shown now.
        found: Sha256Digest,
    },
    /// It has spoken TLS before, or a certificate was named, and now it does not.
    #[error("no TLS is offered, but a certificate is known: {certificate}")]
    NoTls {
        /// Known here, or as given.
        certificate: Sha256Digest,
    },
    /// It could not be found out, or its TLS is of a kind that is not taken.
    #[error(transparent)]
    Failed(Box<Error>),
}

/// What to do about what a recorder offers, where `known` is the certificate pinned at its address.
pub fn decide(offer: Result<Offer, Error>, known: Option<Sha256Digest>, said: Said) -> Decision {
    let plain = |lifted| Decision::Use { channel: Channel::PlainText, lifted };
    match (offer, known.or(said.certificate)) {
        (Ok(Offer::PlainText(_)), None) => plain(false),
        _ if said.plain_http => plain(true),
        (Ok(Offer::PlainText(_)), Some(certificate)) => Decision::Refuse(Refused::NoTls { certificate }),
        (Err(error), _) => Decision::Refuse(Refused::Failed(Box::new(error))),
        (Ok(Offer::Tls { certificate_sha256: found, facts, .. }), _) => match (said.certificate, known) {
            (Some(expected), _) if expected != found => {
                Decision::Refuse(Refused::NotTheOne { expected, found })
            }
            (None, Some(known)) if known != found => Decision::Refuse(Refused::Changed { known, found }),
            (None, None) => Decision::Ask { certificate: found, facts },
            _ => Decision::Use { channel: Channel::Tls { certificate: found }, lifted: false },
        },
    }
}

#[cfg(test)]
mod tests {
    use isapi::{PlainTextBecause, TlsFault};

    use super::*;

    fn digest(byte: u8) -> Sha256Digest {
        Sha256Digest::of(&[byte])
    }

    fn tls(byte: u8) -> Offer {
        Offer::Tls { certificate_sha256: digest(byte), version: "TLS 1.3", facts: None }
    }

    const CLOSED: Offer = Offer::PlainText(PlainTextBecause::Closed);

    fn alert() -> Result<Offer, Error> {
        let source = Box::new(TlsFault::EndedEarly);
        Err(Error::Tls { address: "192.168.1.64".parse().unwrap(), source })
    }

    fn said(certificate: Option<u8>, plain_http: bool) -> Said {
        Said { certificate: certificate.map(digest), plain_http }
    }

    fn word(decision: &Decision) -> String {
        match decision {
            Decision::Use { channel: Channel::PlainText, lifted } => format!("plain {lifted}"),
            Decision::Use { channel: Channel::Tls { .. }, .. } => "tls".into(),
            Decision::Ask { .. } => "ask".into(),
            Decision::Refuse(Refused::Changed { .. }) => "changed".into(),
            Decision::Refuse(Refused::NotTheOne { .. }) => "not the one".into(),
            Decision::Refuse(Refused::NoTls { .. }) => "no tls".into(),
            Decision::Refuse(Refused::Failed(_)) => "failed".into(),
        }
    }

    #[test]
    fn plain_text_is_taken_only_where_nothing_speaks_against_it() {
        let decided = |offer, known: Option<u8>, certificate, plain| {
            word(&decide(offer, known.map(digest), said(certificate, plain)))
        };
        assert_eq!(decided(Ok(CLOSED), None, None, false), "plain false");
        assert_eq!(decided(Ok(CLOSED), Some(1), None, false), "no tls", "it had TLS before");
        assert_eq!(decided(Ok(CLOSED), None, Some(1), false), "no tls", "a person expects TLS");
        assert_eq!(decided(alert(), None, None, false), "failed");
        assert_eq!(decided(alert(), Some(1), None, false), "failed");
        for (offer, known) in
            [(Ok(CLOSED), Some(1)), (alert(), None), (Ok(tls(1)), Some(2)), (Ok(tls(1)), None)]
        {
            assert_eq!(decided(offer, known, None, true), "plain true");
        }
        assert_eq!(decided(Ok(CLOSED), None, None, true), "plain false", "nothing was lifted");
    }

    #[test]
    fn a_certificate_is_taken_if_it_is_known_or_named() {
        let decided = |known: Option<u8>, certificate| {
            word(&decide(Ok(tls(1)), known.map(digest), said(certificate, false)))
        };
        assert_eq!(decided(None, None), "ask");
        assert_eq!(decided(Some(1), None), "tls");
        assert_eq!(decided(None, Some(1)), "tls");
        assert_eq!(decided(Some(1), Some(1)), "tls");
        assert_eq!(decided(Some(2), None), "changed");
        assert_eq!(
            decided(Some(2), Some(1)),
            "tls",
            "another recorder at the same address, named by a person"
        );
        assert_eq!(decided(Some(1), Some(2)), "not the one");
        assert_eq!(decided(None, Some(2)), "not the one");
    }
}

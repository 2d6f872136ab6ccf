//! Writes down what happened, in this laptop's chain and on the stick.

use firmware::Text;
use jiff::Timestamp;
use keys::SigningKey;
use receipt::{Body, Chain};
use terminal::{Exit, Fail, Failure};

use crate::context::Context;
use crate::delivery::undelivered_hint;
use crate::open_stick::{OpenStick, Which};
use crate::report::{self, Facts};

/// Who is at the laptop, and where, as they say.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct WhoArgs {
    /// Who does this; stands in what is signed
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
    /// Where this is; stands in what is signed
    #[arg(long, value_name = "NAME")]
    pub(super) site_name: Option<String>,
}

impl WhoArgs {
    /// At this site, unless another name was given.
    pub(super) fn at(&self, site: Option<&Text>) -> Self {
        let site_name = self.site_name.clone().or_else(|| site.map(ToString::to_string));
        Self { site_name, ..self.clone() }
    }
}

/// Everything that a statement about this run needs.
pub(super) struct Clerk<'a> {
    pub(super) chain: &'a mut Chain,
    pub(super) key: &'a SigningKey,
    /// Where statements are delivered to, if it is plugged in.
    pub(super) stick: Option<&'a OpenStick>,
    pub(super) facts: Facts,
    pub(super) context: &'a Context,
}

impl Clerk<'_> {
    /// Signs a statement and keeps it on this laptop.
    pub(super) fn state(&mut self, body: impl FnOnce(&Facts, Timestamp) -> Body) -> Result<(), Failure> {
        let now = (self.context.now)();
        let body = body(&self.facts, now);
        report::keep(self.chain, self.key, &self.facts, body, now).map(drop).fail(Exit::Internal)
    }

    /// Signs how it ended and delivers it. What became of the recorder matters more than the receipt:
    /// one that cannot be written is a warning and changes no exit code. Whether it is signed.
    pub(super) fn last_word(&mut self, body: impl FnOnce(&Facts, Timestamp) -> Body) -> bool {
        let stated = self.state(body);
        if let Err(failure) = &stated {
            self.context.output.warn(format_args!(
                "RECEIPT NOT WRITTEN: {:#}; no statement tells how this run ended: note down what is said here, and tell the depot",
                failure.error
            ));
        }
        self.deliver();
        stated.is_ok()
    }

    /// Nothing is lost where the stick cannot take it, so that is a warning.
    pub(super) fn deliver(&self) {
        let Some(stick) = self.stick.filter(|stick| stick.takes_statements()) else {
            let why =
                if self.stick.is_some() { "a tar file takes no statements" } else { "no stick is named" };
            self.context.output.warn(format_args!(
                "{why}: they stay on this laptop; deliver them with applier receipts --copy-to PATH"
            ));
            return;
        };
        if let Err(error) = stick.deliver(self.chain, self.key, Which::NotArrived) {
            self.context.output.warn(format_args!("{error:#}; {}", undelivered_hint(&error)));
        }
    }
}

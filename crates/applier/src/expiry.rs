//! `--accept-expired REASON`: metadata past its expiry that a person takes all the same (DESIGN §3).

use firmware::Text;
use receipt::{Forgiven, Override};
use serde::Serialize;
use stick::VerifiedPublication;
use terminal::Output;
use tuf_client::ExpiryPolicy;

use crate::commands::plan::reason;

/// What is forgiven of a stick's age: the same for every command that verifies one.
#[derive(Debug, clap::Args)]
pub struct ExpiryArgs {
    /// Take timestamp, snapshot and targets metadata up to 180 days past their expiry, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    accept_expired: Option<Text>,
}

/// Metadata that had expired, and why it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcceptedExpired {
    /// What a person gave as the reason.
    pub reason: Text,
    /// All that was forgiven.
    pub forgiven: Vec<Forgiven>,
}

impl ExpiryArgs {
    /// As the TUF client takes it.
    pub fn policy(&self) -> ExpiryPolicy {
        if self.accept_expired.is_some() { ExpiryPolicy::AcceptExpired } else { ExpiryPolicy::Enforce }
    }

    /// What the flag lifted; none where nothing has expired, so that a statement tells no more than
    /// happened.
    pub fn accepted(&self, publication: &VerifiedPublication<'_>) -> Option<AcceptedExpired> {
        let reason = self.accept_expired.clone()?;
        let forgiven = publication.publication().forgiven;
        (!forgiven.is_empty()).then_some(AcceptedExpired { reason, forgiven })
    }
}

impl AcceptedExpired {
    /// As it stands among the overrides of plans and statements.
    pub fn as_override(&self) -> Override {
        Override { flag: Text::cleaned("accept-expired"), reason: self.reason.clone() }
    }

    /// Says it to a person.
    pub fn tell(&self, output: Output) {
        for Forgiven { role, expires } in &self.forgiven {
            output.warn(format_args!(
                "{role} metadata expired on {}; accepted for this reason: {}",
                expires.strftime("%F"),
                self.reason
            ));
        }
    }
}

//! `--accept-expired REASON`: metadata past its expiry that a person takes all the same.

use firmware::Text;
use receipt::Forgiven;
use stick::VerifiedPublication;
use terminal::Output;
use tuf_client::ExpiryPolicy;

use crate::plan::AcceptedExpired;
use crate::reason::reason;

/// What is forgiven of a stick's age: the same for every command that verifies one.
#[derive(Debug, clap::Args)]
pub struct ExpiryArgs {
    /// Take timestamp, snapshot and targets metadata up to 180 days past their expiry, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    accept_expired: Option<Text>,
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

/// Says to a person what was forgiven, and why.
pub(crate) fn tell(accepted: &AcceptedExpired, output: Output) {
    for Forgiven { role, expires } in &accepted.forgiven {
        output.warn(format_args!(
            "{role} metadata expired on {}; accepted for this reason: {}",
            expires.strftime("%F"),
            accepted.reason
        ));
    }
}

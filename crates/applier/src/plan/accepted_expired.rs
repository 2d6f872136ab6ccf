use firmware::Text;
use receipt::{Forgiven, Override};
use serde::Serialize;

/// Metadata that had expired, and why it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcceptedExpired {
    /// What a person gave as the reason.
    pub reason: Text,
    /// All that was forgiven.
    pub forgiven: Vec<Forgiven>,
}

impl AcceptedExpired {
    /// As it stands among the overrides of plans and statements.
    pub fn as_override(&self) -> Override {
        Override { flag: Text::cleaned("accept-expired"), reason: self.reason.clone() }
    }
}

//! What is known of refused logins, before another is tried (`docs/safety.md`, rule 3).

use terminal::{Exit, Failure};

use super::Visit;
use crate::context::{Context, long};
use crate::failed_logins::{Care, FailedLogins};

impl Visit<'_> {
    /// Says what is known, and wants a person to mean it where little is left. What is known is of an address:
    /// a lock is not known to another recorder that has it now, and some forget it when they restart.
    pub(super) fn heed(self, failed_logins: &FailedLogins, context: &Context) -> Result<(), Failure> {
        let Some((failed, care)) = failed_logins.care(self.address, (context.now)()) else { return Ok(()) };
        let when = failed.on.strftime("%F %H:%M UTC");
        let left = match care {
            Care::Locked(left) => format!("the account there is locked for {} more", long(left)),
            Care::Some(left) | Care::Few(Some(left)) => format!("{left} wrong ones more lock the account"),
            Care::Few(None) => "how many more lock the account is not known".into(),
        };
        context.output.warn(format_args!("recorder {}: a login was refused on {when}; {left}", self.address));
        let (question, hint) = match care {
            Care::Some(_) => return Ok(()),
            Care::Few(_) => (
                "Are you sure of the password?",
                "find the right password first; once you are sure of it: --risk-lockout",
            ),
            Care::Locked(_) => (
                "Is it another recorder, or has it restarted since, and are you sure of the password?",
                "wait until the lock has run out: trying again makes it longer; if it is another recorder, or has restarted since: --risk-lockout",
            ),
        };
        // a script that goes on trying is what locks accounts: for it this is a refused login
        let is_sure = |sure: Result<bool, Failure>| sure.is_ok_and(|sure| sure);
        if self.login.risk_lockout || is_sure(terminal::confirm(question, "--risk-lockout")) {
            return Ok(());
        }
        let message = format!(
            "recorder {}: {left}, and nobody is sure of the password: nothing was sent",
            self.address
        );
        Err(Failure::new(Exit::Credentials, message).hint(hint))
    }
}

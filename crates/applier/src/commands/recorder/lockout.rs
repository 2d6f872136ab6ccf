//! What is known of refused logins, before another is tried (`docs/safety.md`, rule 3).

use terminal::{Exit, Failure};

use super::Visit;
use crate::context::{Context, long};
use crate::failed_logins::{Care, FailedLogins};

impl Visit<'_> {
    /// Says what is left, and wants a person to mean it where that is little.
    pub(super) fn heed(self, failed_logins: &FailedLogins, context: &Context) -> Result<(), Failure> {
        let Some((failed, care)) = failed_logins.care(self.address, (context.now)()) else { return Ok(()) };
        let when = failed.on.strftime("%F %H:%M UTC");
        let left = match care {
            Care::Locked(left) => {
                let message =
                    format!("recorder {}: its account is locked for {} more", self.address, long(left));
                return Err(Failure::new(Exit::Credentials, message).hint(
                    "nothing was sent; wait until the lock has run out: trying again makes it longer",
                ));
            }
            Care::Some(left) | Care::Few(Some(left)) => format!("{left} wrong ones more lock the account"),
            Care::Few(None) => "how many more lock the account is not known".into(),
        };
        context.output.warn(format_args!("a login was refused on {when}; {left}"));
        let few = matches!(care, Care::Few(_)) && !self.login.risk_lockout;
        if !few {
            return Ok(());
        }
        // a script that goes on trying is what locks accounts: for it this is a refused login
        let sure = terminal::confirm("Are you sure of the password?", "--risk-lockout");
        if sure.map_err(|failure| Failure { exit: Exit::Credentials, ..failure })? {
            return Ok(());
        }
        Err(Failure::new(Exit::Credentials, "not sure of the password: nothing was sent")
            .hint("find the right password first"))
    }
}

use super::ledger::Ledger;
use super::{End, Going, chain};
use crate::backup::{BackupError, Keeper};
use crate::event::Reason;
use crate::stage::Stage;

impl Going<'_> {
    /// Keeps the configuration. Where that fails nothing is sent: whether to go on without is for a person
    /// to say, with a reason (`docs/safety.md`).
    pub(super) async fn back_up(self, keeper: Option<&Keeper>, ledger: &mut Ledger<'_>) -> Result<(), End> {
        let Some(keeper) = keeper else { return Ok(()) };
        match keeper.take(self.recorder, self.job.before, ledger.now()).await {
            Ok(kept) => {
                ledger.back_up(kept);
                Ok(())
            }
            Err(BackupError::Recorder(error)) if error.is_login() || error.is_absence() => {
                Err(End::not_begun(&error))
            }
            Err(error) => {
                let advice = error.advice();
                let detail = format!("no backup of its configuration: {}; {advice}", chain(&error));
                Err(End::new(Stage::refuse, Reason::NoBackup, detail))
            }
        }
    }
}

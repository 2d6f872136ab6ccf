//! This laptop is kept awake from before a recorder is asked anything until all is written down
//! (`docs/safety.md`, rule 5).

use std::cell::Cell;

use firmware::Text;
use isapi::Address;
use terminal::{Exit, Fail, Failure, Output};

use crate::presence::inhibitor::{Inhibitor, NotHeld};
use crate::run::Payload;

/// While it lives this laptop is kept awake, or it is known why not.
pub(super) struct Awake {
    lock: Result<Inhibitor, NotHeld>,
    told: Cell<bool>,
}

impl Awake {
    /// From now on, for what is done to this recorder.
    pub(super) fn keep(payload: Payload, recorder: &Address) -> Result<Self, Failure> {
        let done = match payload {
            Payload::Firmware => "updated",
            Payload::Configuration => "restored",
        };
        let why = format!("recorder {recorder} is being {done}");
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().fail(Exit::Internal)?;
        Ok(Self { lock: runtime.block_on(Inhibitor::take(&why)), told: Cell::new(false) })
    }

    /// Says once that nothing keeps it awake, where that is so.
    pub(super) fn warn(&self, output: Output) {
        if let Some(why) = self.missing().filter(|_| !self.told.replace(true)) {
            output.warn(format_args!("{why}; do not close the lid"));
        }
    }

    /// Why nothing does.
    pub(super) fn missing(&self) -> Option<Text> {
        let why = self.lock.as_ref().err()?;
        Some(Text::cleaned(&format!("nothing keeps this laptop awake: {why}")))
    }
}

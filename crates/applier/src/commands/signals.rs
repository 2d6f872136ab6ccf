//! Ctrl-C, and the signals by which a system or a closed terminal ends a program.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::stage::Stage;

/// Counts how often this program was asked to end. Only Ctrl-C leaves a choice, so the others count
/// twice: nobody is there to press again. Must be called within a Tokio runtime.
pub(super) fn listen() -> io::Result<watch::Receiver<u32>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (asked, receiver) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            let times = tokio::select! {
                Some(()) = interrupt.recv() => 1,
                Some(()) = terminate.recv() => 2,
                Some(()) = hang_up.recv() => 2,
                else => return,
            };
            asked.send_modify(|asked| *asked += times);
        }
    });
    Ok(receiver)
}

/// What Ctrl-C would do at this stage, if it is pressed again.
pub(super) fn warning(stage: Stage) -> &'static str {
    match stage {
        Stage::Uploading => {
            "Ctrl-C again breaks the upload off: its last block is still here, so the recorder throws it away, and is read once more to see that it is unchanged"
        }
        _ => {
            "DO NOT CUT THE POWER: the recorder may be writing its flash, and Ctrl-C does not stop that; watching goes on; Ctrl-C again leaves it unwatched, to be taken up with applier resume"
        }
    }
}

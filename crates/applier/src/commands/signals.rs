//! Ctrl-C, and the signals by which a system or a closed terminal ends a program.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::run::Payload;
use crate::stage::Stage;

/// What must not be broken off now.
static UNDER_WAY: AtomicU32 = AtomicU32::new(0);
static WATCHED: Once = Once::new();

/// While it lives, what a signal does is decided by who listens to it. The system no longer ends a program that
/// once listened; between two runs, where nothing is under way, that is done here.
pub(super) struct UnderWay(());

impl UnderWay {
    /// From now on.
    pub(super) fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        WATCHED.call_once(|| drop(thread::spawn(end_between_runs)));
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends this program as the signal would have, whenever nothing is under way.
#[allow(clippy::disallowed_methods, reason = "the system ends it no otherwise, where nobody listens")]
fn end_between_runs() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let Ok(mut asked) = listen() else { return };
        while asked.changed().await.is_ok() {
            if UNDER_WAY.load(Ordering::SeqCst) == 0 {
                std::process::exit(INTERRUPTED);
            }
        }
    });
}

/// As shells tell a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

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
pub(super) fn warning(payload: Payload, stage: Stage) -> &'static str {
    match (stage, payload) {
        (Stage::Uploading, _) => {
            "Ctrl-C again breaks the upload off: its last block is still here, so the recorder throws it away, and is read once more to see that it is unchanged"
        }
        (_, Payload::Configuration) => {
            "DO NOT CUT THE POWER: the recorder may be taking the configuration over or restarting, and Ctrl-C does not stop that; watching goes on; Ctrl-C again leaves it unwatched, to be looked at with applier inspect"
        }
        (_, Payload::Firmware) => {
            "DO NOT CUT THE POWER: the recorder may be writing its flash, and Ctrl-C does not stop that; watching goes on; Ctrl-C again leaves it unwatched, to be taken up with applier resume"
        }
    }
}

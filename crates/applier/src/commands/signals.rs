//! Ctrl-C, and the signals by which a system or a closed terminal ends a program.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::run::Payload;
use crate::stage::Stage;

/// What must not be broken off now.
static UNDER_WAY: AtomicU32 = AtomicU32::new(0);
/// How often this program was asked to end, ever.
static ASKED: LazyLock<watch::Sender<u32>> = LazyLock::new(|| watch::Sender::new(0));
/// Whether somebody counts that.
static COUNTED: Mutex<bool> = Mutex::new(false);

/// While it lives, what a signal does is decided by who listens to it. The system no longer ends a program that
/// once listened; between two runs, where nothing is under way, that is done here.
pub(super) struct UnderWay(());

impl UnderWay {
    /// From now on.
    ///
    /// # Errors
    ///
    /// Signals cannot be heard.
    pub(super) fn begin() -> io::Result<Self> {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        let under_way = Self(());
        let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
        if !*counted {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let signals = Signals::listen(&runtime)?;
            thread::Builder::new().spawn(move || runtime.block_on(signals.count()))?;
            *counted = true;
        }
        Ok(under_way)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How often this program was asked to end, and whenever it is once more.
pub(super) fn asked() -> watch::Receiver<u32> {
    ASKED.subscribe()
}

/// Whether this program was asked to end, and still goes on because something was under way: nothing else is
/// begun after that.
pub(super) fn asked_to_end() -> bool {
    *ASKED.borrow() > 0
}

/// The one listener of this program.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen(runtime: &Runtime) -> io::Result<Self> {
        let _runtime = runtime.enter();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Counts them. Only Ctrl-C leaves a choice, so the others count twice: nobody is there to press again. Ends
    /// this program as the signal would have, whenever nothing is under way.
    #[allow(clippy::disallowed_methods, reason = "the system ends it no otherwise, where nobody listens")]
    async fn count(mut self) {
        loop {
            let times = tokio::select! {
                Some(()) = self.interrupt.recv() => 1,
                Some(()) = self.terminate.recv() => 2,
                Some(()) = self.hang_up.recv() => 2,
                else => return,
            };
            ASKED.send_modify(|asked| *asked += times);
            if UNDER_WAY.load(Ordering::SeqCst) == 0 {
                std::process::exit(INTERRUPTED);
            }
        }
    }
}

/// As shells tell a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

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

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn what_was_asked_during_one_run_is_known_before_the_next() {
        let first = UnderWay::begin().unwrap();
        let mut asked = asked();
        assert!(!asked_to_end());
        kill_process(getpid(), Signal::INT).unwrap();
        asked.changed().await.unwrap();
        drop(first);
        let _second = UnderWay::begin().unwrap();
        assert_eq!((*super::asked().borrow(), asked_to_end()), (1, true));
        kill_process(getpid(), Signal::TERM).unwrap();
        asked.changed().await.unwrap();
        assert_eq!(*asked.borrow(), 3);
    }
}

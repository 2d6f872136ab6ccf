//! How long is waited for what, as flags.

use std::time::Duration;

use crate::run::Deadlines;

/// How long is waited for what, in seconds.
#[derive(Debug, clap::Args)]
pub(super) struct PatienceArgs {
    /// Give up an upload after this long without a byte taken
    #[arg(long, value_name = "SECONDS", default_value = "600", hide_short_help = true)]
    upload_timeout: u64,
    /// Give up the whole push with its flashing after this long
    #[arg(long, value_name = "SECONDS", default_value = "1800", hide_short_help = true)]
    push_timeout: u64,
    /// Look for so long whether disks, cameras and users are as before, once the push is confirmed
    #[arg(long, value_name = "SECONDS", default_value = "60", hide_short_help = true)]
    pub(super) settle_time: u64,
    #[command(flatten)]
    watch: WatchArgs,
}

/// How long a recorder is watched, in seconds.
#[derive(Debug, clap::Args)]
pub(super) struct WatchArgs {
    /// Give up waiting for its return after a restart after this long
    #[arg(long, value_name = "SECONDS", default_value = "300", hide_short_help = true)]
    return_timeout: u64,
    #[command(flatten)]
    quiet: QuietArgs,
}

/// How long nothing else is pushed after a push that may still be going on, in seconds.
#[derive(Debug, clap::Args)]
pub(super) struct QuietArgs {
    /// Watch a push that may still be going on for this long, and allow no other before
    #[arg(long, value_name = "SECONDS", default_value = "900", hide_short_help = true)]
    quiet_period: u64,
}

impl QuietArgs {
    /// The same.
    pub(super) fn period(&self) -> Duration {
        Duration::from_secs(self.quiet_period)
    }
}

impl WatchArgs {
    /// In place of those.
    pub(super) fn over(&self, deadlines: Deadlines) -> Deadlines {
        let back = Duration::from_secs(self.return_timeout);
        Deadlines { back, quiet: self.quiet.period(), ..deadlines }
    }
}

impl PatienceArgs {
    /// As a run takes them.
    pub(super) fn deadlines(&self) -> Deadlines {
        let seconds = Duration::from_secs;
        let (stalled, whole) = (seconds(self.upload_timeout), seconds(self.push_timeout));
        self.watch.over(Deadlines { stalled, whole, ..Deadlines::default() })
    }
}

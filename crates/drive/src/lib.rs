//! Removable drives: which sticks are plugged in, what is on them as far as their first bytes say, which one is
//! meant, and how its files are reached and let go of again.
//!
//! Everything that must be known comes from sysfs and mountinfo; no service has to run. With the feature `udev`,
//! and where udevd runs, a drive has the name of its hardware database, too. A drive is one that hangs on USB and
//! does not carry the running system: an internal disk is never listed.
//!
//! What a drive says about itself is a convenience for people, never a proof: anybody can make a stick
//! that says the same serial number. What lies on it is believed for its signatures alone.

mod check;
mod choose;
mod drive;
mod eject;
mod error;
mod farewell;
mod medium;
mod mounts;
mod private;
mod sticks;
mod superblock;
mod sysfs;
#[cfg(feature = "udev")]
mod udev;
mod udisks;
mod users;
mod watch;
mod words;

use std::io;
use std::path::Path;

pub use check::Check;
pub use choose::{ask, choose, named, volume};
pub use drive::{Drive, Mount, Volume};
pub use eject::Ejected;
pub use error::{MountError, NotSafe};
pub use farewell::{EjectArgs, Parting};
pub use medium::{Access, Medium};
pub use sticks::{SticksArgs, sticks};
pub use superblock::Filesystem;
pub use watch::{Change, Watch};

/// The drives that are plugged in, in the order of their nodes.
pub fn list() -> io::Result<Vec<Drive>> {
    let mounts = mounts::read(Path::new("/proc/self/mountinfo"))?;
    let drives = sysfs::drives(Path::new("/sys"), Path::new("/dev"), &mounts)?;
    #[cfg(feature = "udev")]
    let drives = {
        let mut drives = drives;
        udev::describe(&mut drives);
        drives
    };
    Ok(drives)
}

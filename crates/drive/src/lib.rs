//! Removable drives: which sticks are plugged in, what is on them as far as their first bytes say, and
//! where they are mounted.
//!
//! Everything comes from what the kernel shows in sysfs and mountinfo; no service has to run. A drive is
//! one that hangs on USB and does not carry the running system: an internal disk is never listed.
//!
//! What a drive says about itself is a convenience for people, never a proof: anybody can make a stick
//! that says the same serial number. What lies on it is believed for its signatures alone.

mod drive;
mod mounts;
mod superblock;
mod sysfs;
mod words;

use std::io;
use std::path::Path;

pub use drive::{Drive, Mount, Volume};
pub use superblock::Filesystem;

/// The drives that are plugged in, in the order of their nodes.
pub fn list() -> io::Result<Vec<Drive>> {
    let mounts = mounts::read(Path::new("/proc/self/mountinfo"))?;
    sysfs::drives(Path::new("/sys"), Path::new("/dev"), &mounts)
}

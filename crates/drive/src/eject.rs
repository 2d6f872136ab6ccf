use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, syncfs};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::drive::Volume;
use crate::error::NotSafe;
use crate::medium::Medium;
use crate::sysfs;
use crate::udisks::{NotDone, Udisks};
use crate::users::users;

/// More mounts of one drive are not ended but made anew.
const MOST_MOUNTS: usize = 64;

/// A stick that may be pulled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ejected {
    /// Whether it was switched off as well, so that nothing can mount it again by itself.
    pub powered_off: bool,
}

impl Medium {
    /// Syncs it, unmounts all of its drive, whoever mounted that, and switches it off where that is possible.
    pub fn eject(self) -> Result<Ejected, NotSafe> {
        self.unmount_all()?;
        let udisks = Udisks::of(&self.volume.node);
        let powered_off = udisks.and_then(|udisks| udisks.power_off()).is_ok()
            || sysfs::power_off(Path::new("/sys"), &self.drive);
        Ok(Ejected { powered_off })
    }

    /// Syncs it and unmounts all of its drive.
    pub(crate) fn unmount_all(&self) -> Result<(), NotSafe> {
        let folder = self.folder();
        let sync = |error| NotSafe::Sync(self.volume.node.clone(), error);
        let open = self.open_folder().map_err(sync)?;
        syncfs(&open).map_err(|error| sync(error.into()))?;
        drop(open);
        self.release().map_err(|error| not_unmounted(&folder, &error))?;
        // what is mounted several times comes to light one by one
        for _ in 0..MOST_MOUNTS {
            let Some(drive) = self.now()? else { return Err(NotSafe::Gone(self.drive.node.clone())) };
            let Some((volume, mount)) = drive.mounts().next() else { return is_free(&drive.node) };
            unmount_from(volume, &mount.folder)?;
        }
        Err(NotSafe::Elsewhere(self.drive.node.clone()))
    }
}

fn unmount_from(volume: &Volume, folder: &Path) -> Result<(), NotSafe> {
    match Udisks::of(&volume.node).and_then(|udisks| udisks.unmount()) {
        Ok(()) => return Ok(()),
        Err(error @ NotDone::Busy) => return Err(not_unmounted(folder, &error)),
        Err(NotDone::Absent | NotDone::Refused(_)) => {}
    }
    // the folder may lie below a link that somebody changes meanwhile
    unmount(folder, UnmountFlags::NOFOLLOW).map_err(|error| match error {
        Errno::BUSY => not_unmounted(folder, &NotDone::Busy),
        error => NotSafe::Refused { folder: folder.into(), why: io::Error::from(error).to_string() },
    })
}

fn not_unmounted(folder: &Path, error: &NotDone) -> NotSafe {
    let folder = PathBuf::from(folder);
    match error {
        NotDone::Busy => NotSafe::InUse { by: users(&folder), folder },
        error => NotSafe::Refused { folder, why: error.to_string() },
    }
}

/// The kernel gives a drive to one at a time, and a mount in any namespace has it; this can be asked only by who
/// may read the drive.
fn is_free(node: &Path) -> Result<(), NotSafe> {
    let flags = i32::try_from(OFlags::EXCL.bits()).unwrap_or_default();
    match OpenOptions::new().read(true).custom_flags(flags).open(node) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Err(NotSafe::Elsewhere(node.into())),
        _ => Ok(()),
    }
}

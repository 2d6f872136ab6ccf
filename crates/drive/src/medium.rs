//! A volume whose files can be reached: where somebody mounted it, or mounted by this program, which then
//! unmounts it again.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::drive::{Drive, Volume};
use crate::error::MountError;
use crate::private::Private;
use crate::superblock::Filesystem;
use crate::udisks::{NotDone, Udisks};

/// What a volume is mounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be written, too.
    Write,
}

impl Access {
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Read => "ro",
            Self::Write => "rw",
        }
    }
}

/// A volume whose files can be reached. What this program mounted is unmounted when it is dropped.
#[derive(Debug)]
pub struct Medium {
    pub(crate) drive: Drive,
    pub(crate) volume: Volume,
    access: Access,
    held: Mutex<Held>,
}

/// Who mounted it, and where.
#[derive(Debug)]
enum Held {
    Found(PathBuf),
    Udisks(PathBuf),
    Private(Private),
    /// By nobody any more.
    Not,
}

impl Medium {
    /// Uses the volume where it is mounted; mounts it where it is not: by udisks2 where that runs, else as root.
    pub fn open(drive: &Drive, volume: &Volume, access: Access) -> Result<Self, MountError> {
        let held = match &volume.mount {
            Some(mount) => Held::Found(mount.folder.clone()),
            None => mount(volume, access)?,
        };
        Ok(Self { drive: drive.clone(), volume: volume.clone(), access, held: Mutex::new(held) })
    }

    /// The removable drive that is mounted at this very folder, if one is.
    pub fn mounted_at(folder: &Path) -> Result<Option<Self>, MountError> {
        // a folder that is not there is none's; whoever opens it says so
        let Ok(folder) = folder.canonicalize() else { return Ok(None) };
        for drive in crate::list()? {
            if let Some((volume, _)) = drive.mounts().find(|(_, mount)| mount.folder == folder) {
                return Self::open(&drive, volume, Access::Read).map(Some);
            }
        }
        Ok(None)
    }

    /// What it is on.
    pub fn drive(&self) -> &Drive {
        &self.drive
    }

    /// Which of its volumes.
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// Where its files are now; another folder after [`Medium::writable`], perhaps.
    pub fn folder(&self) -> PathBuf {
        match &*self.held() {
            Held::Found(folder) | Held::Udisks(folder) => folder.clone(),
            Held::Private(private) => private.folder(),
            Held::Not => self.volume.node.clone(),
        }
    }

    /// Lets `write` write below the folder that it is given. What was mounted for reading is mounted for
    /// writing just so long.
    pub fn writable<T>(&self, write: impl FnOnce(&Path) -> T) -> Result<T, MountError> {
        self.remount(Access::Write)?;
        let written = write(&self.folder());
        // what was written is synced; where this fails, the next read or the eject says why
        let _ = self.remount(Access::Read);
        Ok(written)
    }

    fn remount(&self, access: Access) -> Result<(), MountError> {
        if self.access == Access::Write {
            return Ok(());
        }
        let mut held = self.held();
        let refused = |why: String| {
            let to_write = access == Access::Write;
            MountError::Refused { node: self.volume.node.clone(), why: vec![why], to_write }
        };
        match &*held {
            Held::Private(private) => private.remount(access).map_err(|error| refused(error.to_string())),
            Held::Udisks(_) => {
                // it knows no other way
                let again = Udisks::of(&self.volume.node).and_then(|udisks| {
                    udisks.unmount()?;
                    *held = Held::Not;
                    let mounted = udisks.mount(access);
                    // what takes no writes can still be read
                    let folder = if mounted.is_err() {
                        udisks.mount(Access::Read).ok()
                    } else {
                        mounted.as_ref().ok().cloned()
                    };
                    *held = folder.map_or(Held::Not, Held::Udisks);
                    mounted.map(drop)
                });
                again.map_err(|error| refused(error.to_string()))
            }
            Held::Found(_) | Held::Not => Ok(()),
        }
    }

    /// Unmounts what this program mounted, and mounts it anew: the system has forgotten by then what it held in
    /// memory, names included. `false` where somebody else mounted it, or works on it, so that it stays as it is.
    /// Nothing of it may be open.
    pub fn renew(&self) -> Result<bool, MountError> {
        if matches!(&*self.held(), Held::Found(_) | Held::Not) || self.release().is_err() {
            return Ok(false);
        }
        *self.held() = mount(&self.volume, self.access)?;
        Ok(true)
    }

    /// Unmounts what this program mounted. Nothing happens to what somebody else mounted.
    pub(crate) fn release(&self) -> Result<(), NotDone> {
        let mut held = self.held();
        if let Held::Udisks(_) = &*held {
            Udisks::of(&self.volume.node)?.unmount()?;
        }
        if !matches!(&*held, Held::Found(_)) {
            *held = Held::Not;
        }
        Ok(())
    }

    /// The drive as it is now; `None` where it is not plugged in any more.
    pub(crate) fn now(&self) -> io::Result<Option<Drive>> {
        Ok(crate::list()?.into_iter().find(|drive| drive.is_same_plug(&self.drive)))
    }

    /// Where somebody else mounted anything of its drive.
    pub(crate) fn mounted_by_others(&self) -> io::Result<Vec<PathBuf>> {
        let own = if let Held::Udisks(folder) = &*self.held() { Some(folder.clone()) } else { None };
        let Some(drive) = self.now()? else { return Ok(Vec::new()) };
        let folders = drive.mounts().map(|(_, mount)| mount.folder.clone());
        Ok(folders.filter(|folder| Some(folder) != own.as_ref()).collect())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its folder, held open.
    pub(crate) fn open_folder(&self) -> io::Result<OwnedFd> {
        use rustix::fs::{Mode, OFlags, open};
        Ok(open(self.folder(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        // what stays mounted is not told to be safe
        let _ = self.release();
    }
}

fn mount(volume: &Volume, access: Access) -> Result<Held, MountError> {
    if !volume.holds_files() {
        return Err(MountError::NoFilesystem(volume.node.clone()));
    }
    let mut why = Vec::new();
    match Udisks::of(&volume.node).and_then(|udisks| udisks.mount(access)) {
        Ok(folder) => return Ok(Held::Udisks(folder)),
        Err(error) => why.push(error.to_string()),
    }
    if !rustix::process::geteuid().is_root() {
        why.push("only root may mount it otherwise".into());
    } else if let Some(name) = volume.filesystem.as_ref().and_then(Filesystem::kernel_name) {
        match Private::mount(&volume.node, name, access) {
            Ok(private) => return Ok(Held::Private(private)),
            Err(error) if error.raw_os_error() == Some(NO_DRIVER) => {
                why.push(format!("this kernel has no driver for {name}"));
            }
            Err(error) => why.push(error.to_string()),
        }
    } else {
        why.push(format!("{} cannot be read", volume.node.display()));
    }
    Err(MountError::Refused { node: volume.node.clone(), why, to_write: access == Access::Write })
}

/// What the kernel says of a file system that it does not know.
const NO_DRIVER: i32 = rustix::io::Errno::NODEV.raw_os_error();

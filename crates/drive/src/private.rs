use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, fsconfig_create, fsconfig_reconfigure,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, fspick,
};

use crate::medium::Access;

/// A mount that is attached nowhere: no other program sees what is on it, and it goes with this process,
/// whatever ends that. Only root can make one.
#[derive(Debug)]
pub(crate) struct Private(OwnedFd);

impl Private {
    /// Mounts a node with a file system as the kernel calls it.
    pub(crate) fn mount(node: &Path, filesystem: &str, access: Access) -> io::Result<Self> {
        let context = fsopen(filesystem, FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, "source", CString::new(node.as_os_str().as_bytes())?.as_c_str())?;
        fsconfig_set_flag(&context, access.option())?;
        fsconfig_create(&context)?;
        let safe = MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        Ok(Self(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, safe)?))
    }

    /// Its folder, for this process alone.
    pub(crate) fn folder(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }

    /// Mounts it anew for reading or for writing; what was written is on the medium before it is read-only.
    pub(crate) fn remount(&self, access: Access) -> io::Result<()> {
        let flags = FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_EMPTY_PATH;
        let context = fspick(&self.0, "", flags)?;
        fsconfig_set_flag(&context, access.option())?;
        Ok(fsconfig_reconfigure(&context)?)
    }
}

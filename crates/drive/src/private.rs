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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;

    use rustix::fs::{StatVfsMountFlags, statvfs};

    use super::*;

    /// A file system that the kernel takes; `None` where this machine lends no loop device.
    fn attached(image: &Path) -> Option<String> {
        File::create(image).unwrap().set_len(16 << 20).unwrap();
        assert!(Command::new("mkfs.ext4").arg("-q").arg(image).status().unwrap().success());
        let run = Command::new("losetup").args(["--find", "--show"]).arg(image).output().unwrap();
        run.status.success().then(|| String::from_utf8(run.stdout).unwrap().trim().to_owned())
    }

    #[test]
    fn it_is_read_only_but_for_a_while_and_nobody_else_has_it() {
        let temp = tempfile::tempdir().unwrap();
        let Some(node) = attached(&temp.path().join("image")) else {
            eprintln!("this machine lends no loop device; scripts/vm-test holds the same on real sticks");
            return;
        };
        let private = Private::mount(Path::new(&node), "ext4", Access::Read).unwrap();
        let file = private.folder().join("x");
        let refused = |file: &Path| File::create(file).unwrap_err().kind();
        assert_eq!(refused(&file), io::ErrorKind::ReadOnlyFilesystem);
        private.remount(Access::Write).unwrap();
        File::create(&file).unwrap();
        private.remount(Access::Read).unwrap();
        assert_eq!(refused(&private.folder().join("y")), io::ErrorKind::ReadOnlyFilesystem);
        let flags = statvfs(private.folder()).unwrap().f_flag;
        let safe = StatVfsMountFlags::NOSUID | StatVfsMountFlags::NODEV | StatVfsMountFlags::NOEXEC;
        assert!(flags.contains(safe), "{flags:?}");
        assert!(!std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&node));
        drop(private);
        // nothing holds the device any more
        assert!(Command::new("losetup").args(["--detach", &node]).status().unwrap().success());
    }
}

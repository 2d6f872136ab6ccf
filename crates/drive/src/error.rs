use std::io;
use std::path::PathBuf;

use firmware::Text;
use terminal::{Exit, Failure};

/// A volume whose files cannot be reached. Nothing was changed on it.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// It holds none of the file systems that travel.
    #[error("stick {}: it has no file system that is known here", .0.display())]
    NoFilesystem(PathBuf),
    /// Nobody would mount it.
    #[error("stick {}: cannot be mounted: {}", node.display(), why.join("; "))]
    Refused {
        /// Which.
        node: PathBuf,
        /// What each said that was asked.
        why: Vec<String>,
        /// To be mounted for writing, too.
        to_write: bool,
    },
    /// sysfs or mountinfo cannot be read.
    #[error("removable drives: cannot be listed")]
    List(#[from] io::Error),
}

impl MountError {
    /// As a command ends by it.
    pub fn failure(self) -> Failure {
        let exit = if matches!(self, Self::List(_)) { Exit::Internal } else { Exit::Stick };
        let hint = self.hint();
        Failure::of(exit, self).hint(hint)
    }

    /// What to do now.
    fn hint(&self) -> String {
        match self {
            Self::NoFilesystem(node) => format!(
                "if nothing on it is needed, format it, which deletes all that it holds: sudo mkfs.vfat -F 32 {}",
                node.display()
            ),
            Self::Refused { node, to_write, .. } => {
                let access = if *to_write { "" } else { "ro," };
                let node = node.display();
                format!(
                    "give the same command with sudo; or mount it and name the folder: sudo mount -o {access}nosuid,nodev,noexec {node} /mnt"
                )
            }
            Self::List(_) => "see that /sys and /proc are mounted".into(),
        }
    }
}

/// Why a stick must not be pulled out yet.
#[derive(Debug, thiserror::Error)]
pub enum NotSafe {
    /// What was written could not be brought to it.
    #[error("stick {}: what was written may not be on it", .0.display())]
    Sync(PathBuf, #[source] io::Error),
    /// A program works on it.
    #[error("stick {}: in use by {}", folder.display(), users(by))]
    InUse {
        /// Where it is mounted.
        folder: PathBuf,
        /// Which programs are known to, with their process numbers.
        by: Vec<Text>,
    },
    /// It may not be unmounted by this user.
    #[error("stick {}: cannot be unmounted: {why}", folder.display())]
    Refused {
        /// Where it is mounted.
        folder: PathBuf,
        /// What was said.
        why: String,
    },
    /// It is mounted where this program does not see it.
    #[error("stick {}: still mounted by another program, session or container", .0.display())]
    Elsewhere(PathBuf),
    /// It was pulled out before.
    #[error("stick {}: it was pulled out before it was unmounted", .0.display())]
    Gone(PathBuf),
    /// Whether it is still mounted cannot be read.
    #[error("removable drives: cannot be listed")]
    List(#[from] io::Error),
}

fn users(by: &[Text]) -> String {
    if by.is_empty() {
        return "a program of another user".into();
    }
    by.iter().map(Text::as_str).collect::<Vec<_>>().join(", ")
}

impl NotSafe {
    /// As a command ends by it.
    pub fn failure(self) -> Failure {
        let hint = self.hint();
        Failure::of(Exit::Stick, self).hint(hint)
    }

    /// What to do now.
    fn hint(&self) -> String {
        match self {
            Self::Sync(..) => "do not trust this stick: write it again, or use another one".into(),
            Self::InUse { folder, by } if by.is_empty() => format!(
                "do not pull it out; sudo fuser -vm {0} says who uses it; end that, then: sudo umount {0}",
                folder.display()
            ),
            Self::InUse { folder, .. } => {
                format!("do not pull it out; end that first, then: umount {}", folder.display())
            }
            Self::Refused { folder, .. } => {
                format!("do not pull it out; unmount it first: sudo umount {}", folder.display())
            }
            Self::Elsewhere(node) => {
                format!("do not pull it out; sudo grep {} /proc/*/mountinfo says where", node.display())
            }
            Self::Gone(_) => "plug it in again and verify it before it is trusted".into(),
            Self::List(_) => "do not pull it out; unmount it first".into(),
        }
    }
}

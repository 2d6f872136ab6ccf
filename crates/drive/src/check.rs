//! Checking the file system of a stick that was pulled out before it was unmounted.
//!
//! FAT and exFAT keep in one place which clusters are taken, and in another whose they are. A pull may leave the
//! two apart; the kernel mounts them all the same, and what is written next lands in files that are there.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::OFlags;
use serde::Serialize;
use tokio::process::Command;
use tokio::runtime::Builder;

use crate::drive::Volume;
use crate::superblock::{Filesystem, recognise};
use crate::udisks::Udisks;

/// A large, slow stick takes minutes; one that was made to keep a checker busy gets no more.
const PATIENCE: Duration = Duration::from_secs(900);
/// Where a system keeps its checkers; no other folder is looked into, whatever the caller's `PATH` says.
const FOLDERS: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "check", rename_all = "kebab-case")]
pub enum Check {
    /// It is in order, or was brought in order.
    Mended,
    /// It could not be checked.
    NotDone {
        /// Why: what each said that was asked.
        why: Vec<String>,
        /// What a person can type.
        command: String,
    },
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was pulled out before it was unmounted; its file system ")?;
        match self {
            Self::Mended => f.write_str("was checked and is in order now"),
            Self::NotDone { why, command } => {
                let why = why.join("; ");
                write!(f, "may be damaged and could not be checked ({why}); to have it checked: {command}")
            }
        }
    }
}

impl Volume {
    /// Has its file system checked and mended, by udisks2 where that runs, else as root by the program that
    /// belongs to the file system; `None` where it needs none. `begin` is told before: it may take minutes.
    pub fn check(&self, begin: impl FnOnce()) -> Option<Check> {
        let checker = self.filesystem.as_ref().and_then(Filesystem::checker)?;
        if !self.dirty || self.mount.is_some() {
            return None;
        }
        begin();
        let mut why = Vec::new();
        let asked = Udisks::of(&self.node).and_then(|udisks| udisks.repair(PATIENCE));
        // udisks2 2.9 calls it an error when something was mended
        if is_clean(&self.node) {
            return Some(Check::Mended);
        }
        why.push(
            asked.err().map_or_else(|| "udisks2: it could not be mended".into(), |error| error.to_string()),
        );
        if rustix::process::geteuid().is_root() {
            match run(checker, &self.node) {
                Ok(()) => return Some(Check::Mended),
                Err(error) => why.push(error),
            }
        } else {
            why.push("only root may check it otherwise".into());
        }
        Some(Check::NotDone { why, command: format!("sudo {checker} -a {}", self.node.display()) })
    }
}

/// Whether the mark has gone. `fsck.fat` ends with 1 for what it mended, and for what it gave up as well.
fn is_clean(node: &Path) -> bool {
    File::open(node).and_then(recognise).is_ok_and(|found| !found.dirty)
}

/// Runs a checker. What it says is of the stick's making and goes nowhere.
fn run(checker: &str, node: &Path) -> Result<(), String> {
    // what is mounted meanwhile is not to be checked: `fsck.exfat` sees to that itself, `fsck.fat` does not
    let _alone =
        if checker == "fsck.fat" { Some(alone(node).map_err(|error| error.to_string())?) } else { None };
    let mut command = Command::new(checker);
    command.arg("-a").arg(node).env_clear().env("PATH", FOLDERS);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C is for this program; a checker that is cut off leaves the file system worse
    command.process_group(0).kill_on_drop(true);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE, command.status()).await });
    match ended {
        Ok(Ok(status)) if mended(status) && is_clean(node) => Ok(()),
        Ok(Ok(status)) => Err(format!("{checker}: {status}")),
        Ok(Err(error)) => Err(format!("{checker}: {error}")),
        Err(_) => Err(format!("{checker}: not done after {} minutes", PATIENCE.as_secs() / 60)),
    }
}

/// Takes a node that nobody has mounted, so that nobody mounts it until it is given back (open(2), `O_EXCL`).
fn alone(node: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::EXCL.bits()).unwrap_or_default();
    File::options().read(true).custom_flags(flags).open(node)
}

/// fsck(8): 0 is "no errors", 1 is "errors corrected".
fn mended(status: ExitStatus) -> bool {
    matches!(status.code(), Some(0 | 1))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    /// A file system as it is right after its stick was pulled out: marked, and nothing worse.
    fn volume(folder: &Path, program: &str, arguments: &[&str], mark: (u64, u8)) -> Volume {
        let node = folder.join(program);
        File::create(&node).unwrap().set_len(64 << 20).unwrap();
        let made = std::process::Command::new(program).args(arguments).arg(&node).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut file = File::options().write(true).open(&node).unwrap();
        file.seek(SeekFrom::Start(mark.0)).unwrap();
        file.write_all(&[mark.1]).unwrap();
        let found = recognise(File::open(&node).unwrap()).unwrap();
        let (filesystem, dirty) = (Some(found.filesystem), found.dirty);
        Volume { node, size: 64 << 20, filesystem, label: None, mount: None, dirty }
    }

    #[test]
    fn what_was_pulled_out_too_early_is_checked_and_its_mark_goes() {
        let temp = tempfile::tempdir().unwrap();
        for (program, arguments, mark) in [
            ("mkfs.vfat", &["-F", "32"][..], (65, 1)),
            ("mkfs.vfat", &["-F", "16"], (37, 1)),
            ("mkfs.exfat", &[], (106, 2)),
        ] {
            let volume = volume(temp.path(), program, arguments, mark);
            assert!(volume.dirty, "{program}");
            // udisks2 knows nothing of a file
            let mut begun = false;
            assert_eq!(volume.check(|| begun = true), Some(Check::Mended), "{program}");
            assert!(begun && is_clean(&volume.node), "{program}");
            let clean = Volume { dirty: false, ..volume };
            assert_eq!(clean.check(|| panic!("nothing is begun")), None);
        }
    }

    #[test]
    fn what_a_checker_gives_up_is_not_called_mended() {
        let temp = tempfile::tempdir().unwrap();
        let volume = volume(temp.path(), "mkfs.vfat", &["-F", "32"], (65, 1));
        let mut file = File::options().write(true).open(&volume.node).unwrap();
        // no root folder: fsck.fat says so, ends with 1, and leaves the mark
        file.seek(SeekFrom::Start(44)).unwrap();
        file.write_all(&[0; 4]).unwrap();
        assert!(matches!(volume.check(|| ()), Some(Check::NotDone { .. })));
    }

    #[test]
    fn what_cannot_be_checked_is_said_with_what_to_type() {
        let temp = tempfile::tempdir().unwrap();
        let sound = volume(temp.path(), "mkfs.exfat", &[], (106, 2));
        let gone = Volume { node: temp.path().join("none"), ..sound };
        let words = gone.check(|| ()).unwrap().to_string();
        let node = gone.node.display();
        assert!(words.contains("could not be checked ("), "{words}");
        assert!(words.ends_with(&format!("to have it checked: sudo fsck.exfat -a {node}")), "{words}");
    }
}

//! The laptop's state: what it trusts, its key, journals, its own statements, local copies.
//!
//! Rollback protection lives here, so the state must outlive the boot: a RAM disk is refused.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use keys::durable::{DirLock, LockError};
use keys::{SigningKey, key_file};
use receipt::{Chain, Delivery, LaptopId};
use rustix::fs::{AtFlags, CWD, Dir, Gid, Mode, OFlags, Uid, chownat, fchown, openat, statfs};
use tuf_client::DirectoryStore;

/// A state directory that exists, locked for this process.
#[derive(Debug)]
pub struct State {
    dir: PathBuf,
    owner: Option<(u32, u32)>,
    _lock: DirLock,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Neither `--state` nor a home directory says where it is.
    #[error("state: neither --state nor $HOME says where it is")]
    Nowhere,
    /// Its file system is gone after the next boot.
    #[error("state {}: lies on a {kind}, which forgets at the next boot what this laptop has seen", dir.display())]
    NotLasting {
        /// Where.
        dir: PathBuf,
        /// What kind of file system.
        kind: &'static str,
    },
    /// Another process is at work in it.
    #[error("state {}", .0.display())]
    Lock(PathBuf, #[source] LockError),
    /// The file system refused.
    #[error("state {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// The laptop's key.
    #[error("laptop key")]
    Key(#[from] key_file::KeyFileError),
    /// The laptop's statements.
    #[error(transparent)]
    Chain(#[from] receipt::ChainError),
    /// How they go home.
    #[error(transparent)]
    Delivery(#[from] receipt::DeliveryError),
}

/// `f_type` of statfs(2).
const TMPFS: i64 = 0x0102_1994;
const RAMFS: i64 = 0x8584_58f6;
const OVERLAY: i64 = 0x794c_7630;

impl State {
    /// Opens the state in `named`, or in the default place of the user (under sudo: of the user who
    /// called it, to whom the files are handed). It is made if it is not there.
    pub fn open(named: Option<&Path>) -> Result<Self, StateError> {
        let (dir, owner) = match named {
            Some(dir) => (dir.to_owned(), None),
            None => default_place()?,
        };
        let io = |e| StateError::Io(dir.clone(), e);
        // private where it is made here; a folder that was there keeps its mode
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(io)?;
        let lock = DirLock::acquire(&dir).map_err(|e| StateError::Lock(dir.clone(), e))?;
        let state = Self { dir, owner, _lock: lock };
        for part in [state.metadata(), state.journals(), state.copies(), state.receipts()] {
            fs::create_dir_all(&part).map_err(|e| StateError::Io(part.clone(), e))?;
        }
        Ok(state)
    }

    /// Refuses a place that forgets: a RAM disk, and a live system's overlay unless a person named
    /// the place (an overlay may be a container's lasting disk).
    pub fn must_last(&self, named: bool) -> Result<(), StateError> {
        let stat = statfs(&self.dir).map_err(|e| StateError::Io(self.dir.clone(), e.into()))?;
        #[allow(clippy::useless_conversion, reason = "f_type is narrower on some architectures")]
        let kind = match i64::from(stat.f_type) {
            TMPFS | RAMFS => "RAM disk",
            OVERLAY if !named => "live system's overlay",
            _ => return Ok(()),
        };
        Err(StateError::NotLasting { dir: self.dir.clone(), kind })
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Trusted metadata.
    pub fn metadata(&self) -> PathBuf {
        self.dir.join("metadata")
    }

    /// Trusted metadata, as the TUF client keeps it.
    pub fn trust_store(&self) -> DirectoryStore {
        DirectoryStore::new(self.metadata())
    }

    /// One journal for each run.
    pub fn journals(&self) -> PathBuf {
        self.dir.join("journals")
    }

    /// Firmware copied off a stick and checked.
    pub fn copies(&self) -> PathBuf {
        self.dir.join("copies")
    }

    fn receipts(&self) -> PathBuf {
        self.dir.join("receipts")
    }

    /// This laptop's statements.
    pub fn chain(&self) -> Result<Chain, StateError> {
        Ok(Chain::open(&self.receipts())?)
    }

    /// Records how they go home.
    pub fn record_delivery(&self, delivery: &Delivery) -> Result<(), StateError> {
        Ok(delivery.record(&self.receipts())?)
    }

    /// Resets of the clock that no statement has told of yet.
    pub fn clock_resets(&self) -> PathBuf {
        self.dir.join("clock-resets.json")
    }

    /// Where the newest publication was seen.
    pub fn newest_seen(&self) -> PathBuf {
        self.dir.join("newest-seen.json")
    }

    /// Certificates of recorders.
    pub fn certificates(&self) -> PathBuf {
        self.dir.join("certificates.json")
    }

    /// Logins that recorders refused.
    pub fn failed_logins(&self) -> PathBuf {
        self.dir.join("failed-logins.json")
    }

    /// Configurations of recorders, a folder for each.
    pub fn backups(&self) -> PathBuf {
        self.dir.join("backups")
    }

    /// What opens them.
    pub fn local_key(&self) -> PathBuf {
        self.dir.join("backup-key.txt")
    }

    /// Configurations that went back to recorders, and how that ended.
    pub fn restores(&self) -> PathBuf {
        self.dir.join("restores.json")
    }

    /// Addresses that were added to interfaces of this laptop.
    pub fn temporary_addresses(&self) -> PathBuf {
        self.dir.join("temporary-addresses.json")
    }

    /// The laptop's public key file, to be carried to the depot.
    pub fn public_key_file(&self) -> PathBuf {
        self.dir.join("laptop.pub")
    }

    /// The laptop's key, if `trust add` has made it.
    pub fn laptop_key(&self) -> Result<Option<SigningKey>, StateError> {
        let path = self.dir.join("laptop.pem");
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(key_file::read(&path, None)?))
    }

    /// The laptop's key; it is made if it is not there, without a passphrase: receipts are written
    /// when nobody can be asked.
    pub fn make_laptop_key(&self) -> Result<SigningKey, StateError> {
        let key = if let Some(key) = self.laptop_key()? {
            key
        } else {
            let key = SigningKey::generate();
            key_file::write_new(&self.dir.join("laptop.pem"), &key, None)?;
            key
        };
        // apart, since a power cut may have come between the two
        if !self.public_key_file().exists() {
            key_file::write_public_new(&self.public_key_file(), &key.public())?;
        }
        Ok(key)
    }

    /// The laptop's id, if it has a key.
    pub fn laptop(&self) -> Result<Option<LaptopId>, StateError> {
        Ok(self.laptop_key()?.map(|key| LaptopId::of(&key.public())))
    }
}

impl Drop for State {
    /// Under sudo everything made here belongs to the user who called it.
    fn drop(&mut self) {
        if let Some((user, group)) = self.owner {
            hand_over(CWD, &self.dir, user, group);
        }
    }
}

/// Gives all that is in there to this user. Links are not followed: the user may have put one there meanwhile.
/// What cannot be handed over stays root's: readable by the next sudo run, which is no loss.
fn hand_over(dir: impl AsFd, name: &Path, user: u32, group: u32) {
    let (owner, flags) = (Some(Uid::from_raw(user)), OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC);
    let group_id = Some(Gid::from_raw(group));
    let Ok(opened) = openat(&dir, name, flags, Mode::empty()) else {
        let _ = chownat(dir, name, owner, group_id, AtFlags::SYMLINK_NOFOLLOW);
        return;
    };
    let _ = fchown(&opened, owner, group_id);
    for entry in Dir::read_from(&opened).into_iter().flatten().flatten() {
        let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
        if !matches!(name.as_os_str().as_bytes(), b"." | b"..") {
            hand_over(&opened, name, user, group);
        }
    }
}

fn default_place() -> Result<(PathBuf, Option<(u32, u32)>), StateError> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let path = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let as_root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if let (true, Some(user), Some(group)) = (as_root, number("SUDO_UID"), number("SUDO_GID")) {
        let passwd =
            fs::read_to_string("/etc/passwd").map_err(|e| StateError::Io("/etc/passwd".into(), e))?;
        let home = home_of(&passwd, user).ok_or(StateError::Nowhere)?;
        return Ok((home.join(".local/share/courier/applier"), Some((user, group))));
    }
    let data = path("XDG_DATA_HOME").or_else(|| Some(path("HOME")?.join(".local/share")));
    Ok((data.ok_or(StateError::Nowhere)?.join("courier/applier"), None))
}

/// The home directory of a user in the text of passwd(5).
fn home_of(passwd: &str, user: u32) -> Option<PathBuf> {
    let line = passwd
        .lines()
        .map(|l| l.split(':').collect::<Vec<_>>())
        .find(|l| l.get(2).is_some_and(|u| *u == user.to_string()))?;
    line.get(5).map(PathBuf::from).filter(|p| p.is_absolute())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(Some(dir.path())).unwrap();
        assert!(state.laptop_key().unwrap().is_none());
        let key = state.make_laptop_key().unwrap().public();
        assert_eq!(state.make_laptop_key().unwrap().public(), key);
        assert_eq!(key_file::read_public(&state.public_key_file()).unwrap(), key);
        assert_eq!(fs::metadata(dir.path().join("laptop.pem")).unwrap().mode() & 0o777, 0o600);
        fs::remove_file(state.public_key_file()).unwrap();
        state.make_laptop_key().unwrap();
        assert_eq!(key_file::read_public(&state.public_key_file()).unwrap(), key);
    }

    #[test]
    fn a_folder_that_was_there_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        drop(State::open(Some(dir.path())).unwrap());
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o7777, 0o755);
        let made = dir.path().join("made");
        drop(State::open(Some(&made)).unwrap());
        assert_eq!(fs::metadata(made).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let _state = State::open(Some(dir.path())).unwrap();
        assert!(matches!(State::open(Some(dir.path())), Err(StateError::Lock(..))));
    }

    #[test]
    fn a_ram_disk_is_refused() {
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let state = State::open(Some(dir.path())).unwrap();
        assert!(matches!(state.must_last(true), Err(StateError::NotLasting { kind: "RAM disk", .. })));
    }

    #[test]
    fn the_invoking_user_is_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nkim:x:1000:1000:Kim:/home/kim:/bin/sh\n";
        assert_eq!(home_of(passwd, 1000), Some("/home/kim".into()));
        assert_eq!(home_of(passwd, 10), None);
    }

    /// The time of the last change of what a name means, which a change of owner moves.
    fn changed(path: &Path) -> (i64, i64) {
        let found = fs::symlink_metadata(path).unwrap();
        (found.ctime(), found.ctime_nsec())
    }

    #[test]
    fn what_lies_behind_a_link_is_not_handed_over() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (state, own) = (dir.path().join("state"), dir.path().join("state/journals/own"));
        fs::create_dir_all(state.join("journals")).unwrap();
        let foreign = outside.path().join("foreign");
        for file in [&own, &foreign] {
            fs::File::create(file).unwrap();
        }
        for link in [state.join("file"), state.join("journals/file")] {
            symlink(&foreign, link).unwrap();
        }
        for link in [state.join("folder"), dir.path().join("link")] {
            symlink(outside.path(), link).unwrap();
        }
        let paths = [own.as_path(), &foreign, outside.path()];
        let before = paths.map(changed);
        // a file system counts time in ticks: the next one has to come first
        while before.contains(&changed(tempfile::NamedTempFile::new_in(&dir).unwrap().path())) {}
        let me = fs::metadata(dir.path()).unwrap();
        for path in [state, dir.path().join("link")] {
            hand_over(CWD, &path, me.uid(), me.gid());
        }
        let moved: Vec<bool> =
            paths.map(changed).iter().zip(before).map(|(now, then)| *now != then).collect();
        assert_eq!(moved, [true, false, false]);
    }
}

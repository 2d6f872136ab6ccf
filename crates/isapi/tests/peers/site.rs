//! What the servers serve: the documents of a recorder, its users, and room for an upload.

use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware::Sha256Digest;
use isapi::{Credentials, Error, Package, Patience, Pushed, Recorder, Ticket, UploadProgress};
use md5::Md5;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) const USER: &str = "admin";
pub(crate) const PASSWORD: &str = "Circle of Life";
pub(crate) const REALM: &str = "DS-0362B98B";

const DEVICE_INFO: &str = "<DeviceInfo><model>DS-7608NI-I2</model><serialNumber>DS-7608NI-I20120200414CCRRE00000001WCVU</serialNumber><firmwareVersion>V4.30.097</firmwareVersion><firmwareReleasedDate>build 200101</firmwareReleasedDate></DeviceInfo>";

/// A directory that a server may serve and write to.
pub(crate) struct Site(TempDir);

impl Site {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let site = Self(dir);
        let system = site.path().join("root/ISAPI/System");
        fs::create_dir_all(&system).unwrap();
        // servers started by root give up their rights
        for dir in [site.path(), &system, &site.path().join("root")] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
        }
        put(&system.join("deviceInfo"), DEVICE_INFO);
        site
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and gives its path as text.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        put(&path, text);
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub(crate) fn uploaded(&self) -> PathBuf {
        self.path().join("root/ISAPI/System/updateFirmware")
    }

    /// The file of users, with the hashes of both algorithms.
    pub(crate) fn users(&self, user: &str) -> String {
        let a1 = format!("{user}:{REALM}:{PASSWORD}");
        let (md5, sha256) = (hex::encode(Md5::digest(&a1)), hex::encode(Sha256::digest(&a1)));
        self.file("users", &format!("{user}:{REALM}:{md5}\n{user}:{REALM}:{sha256}\n"))
    }
}

fn put(path: &Path, text: &str) {
    // durability is nothing that a test needs
    fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

pub(crate) fn login(user: &str, password: &str) -> Credentials {
    Credentials::new(user, password.into())
}

/// Eight MiB that repeat nothing.
pub(crate) fn package() -> (Package, Sha256Digest) {
    let bytes: Vec<u8> = (0_u32..1 << 18).flat_map(|n| Sha256::digest(n.to_le_bytes())).collect();
    let digest = Sha256Digest::of(&bytes);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.rewind().unwrap();
    (Package::new(file, bytes.len() as u64, digest).unwrap(), digest)
}

pub(crate) async fn upload(recorder: &Recorder, ticket: Ticket, package: &Package) -> Result<Pushed, Error> {
    let minute = Duration::from_secs(60);
    let patience = Patience { stalled: minute, whole: minute };
    recorder.upload(ticket, package, patience, &watch::channel(UploadProgress::default()).0).await
}

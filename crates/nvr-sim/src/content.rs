use serde::{Deserialize, Serialize};

use crate::posture::Posture;

/// What the recorder tells about itself, all of it settable while it runs. The default is a recorder
/// in good order with one disk and two cameras.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// `deviceName`; any text, control characters included.
    pub name: String,
    /// How long it had been running when it was started, seconds; a reboot begins at nothing.
    pub uptime_seconds: u64,
    /// Its disks; a removed one is a ghost with status `notexist`.
    pub disks: Vec<Disk>,
    /// The cameras behind its channels; one or many makes no other document.
    pub cameras: Vec<Camera>,
    /// Who is logged in by a browser. Digest requests open no session and are never listed.
    pub online_users: Vec<OnlineUser>,
    /// Its accounts.
    pub users: Vec<User>,
    /// `isDefaultPassword` of a good login.
    pub default_password: bool,
    /// `isRiskPassword` of a good login.
    pub risk_password: bool,
    /// Repeat `version` and `xmlns` on nested elements, as some recorders do.
    pub nested_namespaces: bool,
    /// Endpoints that it lacks, by path, besides those that its profile lacks.
    pub missing: Vec<String>,
    /// Endpoints that it has although its profile lacks them.
    pub offered: Vec<String>,
    /// Answers for paths that nothing here knows, or instead of what is known.
    pub documents: Vec<Document>,
    /// The export of its configuration.
    pub backup: Backup,
    /// How it is set up: ports, services, filters.
    pub posture: Posture,
}

/// A disk (reference: ISAPI §12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Disk {
    /// Number of its bay.
    pub id: u32,
    /// `ok`, `error`, `notexist` or another word.
    pub status: String,
    /// MB.
    pub capacity: u64,
    /// MB; nothing is normal, old recordings are written over.
    pub free: u64,
    /// Serial number, if it tells one.
    pub serial: Option<String>,
    /// Model, if it tells one.
    pub model: Option<String>,
}

/// A camera behind a channel (reference: ISAPI §14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Camera {
    /// Number of the channel.
    pub id: u32,
    /// Name of the channel.
    pub name: String,
    /// Address of the camera.
    pub address: String,
    /// Model; without it the channel has no such node.
    pub model: Option<String>,
    /// Serial number; likewise.
    pub serial: Option<String>,
    /// Version and build in one text, `V5.7.15 build 240201`; likewise.
    pub firmware: Option<String>,
}

/// Somebody at the recorder's own pages (reference: ISAPI §15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnlineUser {
    /// User name.
    pub name: String,
    /// `administrator`, `operator` or `viewer`.
    pub level: String,
    /// Where from.
    pub address: String,
}

/// An account (reference: ISAPI §15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// User name.
    pub name: String,
    /// `Administrator`, `Operator` or `Viewer`.
    pub level: String,
}

/// An answer word for word: for endpoints of which no sample was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Path without query.
    pub path: String,
    /// The body.
    pub text: String,
}

/// What it wants of `GET` and `PUT configurationData` (reference: ISAPI §11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    /// Which requests it takes.
    pub key: KeyRule,
    /// Refuse both with this subStatusCode.
    pub refuse: Option<String>,
    /// Size of the export, bytes; 72 at least.
    pub bytes: u32,
}

/// Whether an export is asked for with `secretkey`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyRule {
    /// With or without.
    #[default]
    Either,
    /// Only with; without: `badParameters`.
    WithKey,
    /// Only without; with: `badParameters`.
    WithoutKey,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            name: "Network Video Recorder".into(),
            uptime_seconds: 86_400,
            disks: vec![
                Disk::default(),
                Disk {
                    id: 4,
                    status: "notexist".into(),
                    capacity: 0,
                    serial: None,
                    model: None,
                    ..Disk::default()
                },
            ],
            cameras: vec![
                Camera {
                    model: Some("DS-2CD2386G2-IU".into()),
                    serial: Some("DS-2CD2386G2-IU20210101AAWRK00000001".into()),
                    firmware: Some("V5.7.15 build 240201".into()),
                    ..Camera::default()
                },
                Camera { id: 2, name: "gate".into(), address: "192.168.254.3".into(), ..Camera::default() },
            ],
            online_users: Vec::new(),
            users: vec![User { name: "admin".into(), level: "Administrator".into() }],
            default_password: false,
            risk_password: false,
            nested_namespaces: false,
            missing: Vec::new(),
            offered: Vec::new(),
            documents: Vec::new(),
            backup: Backup::default(),
            posture: Posture::default(),
        }
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            id: 1,
            status: "ok".into(),
            capacity: 7_630_885,
            free: 0,
            serial: Some("WD-00000001".into()),
            model: Some("WDC WD85PURZ".into()),
        }
    }
}

impl Default for Camera {
    fn default() -> Self {
        let (name, address) = ("garden".into(), "192.168.254.2".into());
        Self { id: 1, name, address, model: None, serial: None, firmware: None }
    }
}

impl Default for OnlineUser {
    fn default() -> Self {
        Self { name: "admin".into(), level: "administrator".into(), address: "192.168.1.20".into() }
    }
}

impl Default for Backup {
    fn default() -> Self {
        Self { key: KeyRule::Either, refuse: None, bytes: 65_536 }
    }
}

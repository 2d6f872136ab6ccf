//! What a recorder says about itself, read before anything is decided.

use firmware::{Device, Text};
use isapi::{Address, DeviceTime, Disk, Error, OnlineUser, Recorder, UpgradeStatus, UserCheck};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cameras::{self, Behind};
use crate::run::chain;

/// What a recorder says about itself: every fact that a plan needs, read with one login.
///
/// `None` means that the recorder does not offer it, or that it could not be read; [`Self::unread`]
/// names the latter. Absent is never taken for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Where it was read.
    pub address: Address,
    /// Who it is.
    pub device: Device,
    /// State of the account and its password.
    pub login: Option<UserCheck>,
    /// Its disks.
    pub disks: Option<Vec<Disk>>,
    /// Who else is logged in.
    pub online_users: Option<Vec<OnlineUser>>,
    /// Whether an upgrade is running. Absent is idle: some models offer it during an upgrade only.
    pub upgrade: Option<UpgradeStatus>,
    /// Its wall clock.
    pub time: Option<DeviceTime>,
    /// The cameras behind it, told by [`crate::cameras::Told`].
    #[serde(default, skip_serializing)]
    pub cameras: Option<Vec<Behind>>,
    /// What could not be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Text>,
}

impl Inventory {
    /// Reads a recorder. Identity must be readable; a fact that only informs may be missing. A refused
    /// login or a recorder that went away ends the reading.
    pub async fn read(recorder: &Recorder) -> Result<Self, Error> {
        let device = recorder.device_info().await?;
        let mut unread = Unread::default();
        Ok(Self {
            address: recorder.address().clone(),
            device,
            login: unread.informs(recorder.user_check().await)?,
            disks: unread.informs(recorder.disks().await)?,
            online_users: unread.informs(recorder.online_users().await)?,
            upgrade: recorder.upgrade_status().await?,
            time: unread.informs(recorder.time().await)?,
            cameras: cameras::read(recorder, &mut unread).await?,
            unread: unread.0,
        })
    }

    /// Whether the wall clock is off by more than a day from `now`. Its time zone is not known for
    /// certain (reference: ISAPI §13), so any zone from -12 to +14 hours is allowed for.
    pub fn clock_is_off(&self, now: Timestamp) -> bool {
        let Some(DeviceTime(wall)) = self.time else { return false };
        let utc = TimeZone::UTC.to_datetime(now);
        let ahead = wall.duration_since(utc);
        let day = SignedDuration::from_hours(24);
        ahead > day + SignedDuration::from_hours(14) || ahead < -(day + SignedDuration::from_hours(12))
    }
}

/// What could not be read, and why.
#[derive(Debug, Default)]
pub(crate) struct Unread(Vec<Text>);

impl Unread {
    /// A fact that only informs may be missing.
    fn informs<T>(&mut self, read: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        match read {
            Err(
                error @ (Error::NoPermission { .. }
                | Error::Malformed { .. }
                | Error::TooLarge { .. }
                | Error::Refused { .. }),
            ) => self.note(&error),
            read => read,
        }
    }

    /// The same of one that nothing is decided on, even if the recorder says nothing at all there.
    pub(crate) fn besides<T>(&mut self, read: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        match self.informs(read) {
            Err(error) if error.is_absence() => self.note(&error),
            read => read,
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "an answer of the two above")]
    fn note<T>(&mut self, error: &Error) -> Result<Option<T>, Error> {
        self.0.push(Text::cleaned(&chain(error)));
        Ok(None)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A recorder in good order.
    pub(crate) fn inventory(model: &str, revision: &str) -> Inventory {
        let revision: firmware::Revision = revision.parse().unwrap();
        serde_json::from_value(serde_json::json!({
            "address": "127.0.0.1:8080",
            "device": {
                "model": model, "serial": format!("{model}0120200414CCRRE00000001WCVU"), "device_type": "NVR",
                "version": revision.version, "build": revision.build,
            },
            "disks": [{"id": "1", "status": "ok"}, {"id": "2", "status": "notexist"}],
            "online_users": [],
            "upgrade": {"upgrading": false, "percent": 0},
            "time": "2026-11-22T10:00:00",
        }))
        .unwrap()
    }

    #[test]
    fn a_clock_is_off_only_beyond_any_time_zone() {
        let mut inventory = inventory("DS-7608NI-I2", "V4.30.097 build 200101");
        let now = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(!inventory.clock_is_off(now("2026-11-22T10:00:00Z")));
        assert!(!inventory.clock_is_off(now("2026-11-23T20:00:00Z")));
        assert!(inventory.clock_is_off(now("2026-11-24T00:00:00Z")));
        assert!(inventory.clock_is_off(now("2026-11-20T10:00:00Z")));
        assert!(inventory.clock_is_off(now("1970-01-01T00:00:00Z")));
        inventory.time = None;
        assert!(!inventory.clock_is_off(now("1970-01-01T00:00:00Z")));
    }

    #[test]
    fn what_only_informs_may_be_missing_and_is_named() {
        let address: Address = "127.0.0.1".parse().unwrap();
        let mut unread = Unread::default();
        let denied = Error::NoPermission { address: address.clone(), path: "/x" };
        assert!(matches!(unread.informs::<()>(Err(denied)), Ok(None)));
        assert!(unread.0[0].as_str().contains("/x"));
        let silent = || Error::Silent { address: address.clone(), path: "/y", seconds: 15 };
        assert!(unread.informs::<()>(Err(silent())).is_err(), "it may have gone away");
        assert!(matches!(unread.besides::<()>(Err(silent())), Ok(None)));
        let wrong = || Error::WrongPassword { address: address.clone(), attempts_left: None };
        assert!(unread.informs::<()>(Err(wrong())).is_err());
        assert!(unread.besides::<()>(Err(wrong())).is_err(), "one wrong password stops everything");
        assert_eq!(unread.0.len(), 2);
    }
}

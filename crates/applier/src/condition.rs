//! In which condition a recorder is, beside its firmware, and what of it a push changed.
//!
//! Read before and after, and compared purely. What cannot be read, before or after, says nothing about
//! the recorder: it is left out and told as such. Nothing here changes a verdict: the firmware is what was
//! pushed, or it is not.

use std::collections::BTreeMap;
use std::time::Duration;

use firmware::Text;
use isapi::{Camera, CameraStatus, DeviceTime, Disk, Document, Error, NetworkInterface, Recorder, User};
use jiff::SignedDuration;

use crate::presence::moment::Moment;

/// So many differences are told; more are counted.
const MOST: usize = 32;
/// By how much a clock may be found to have moved besides the time that passed: it is told to the second,
/// and read some seconds after it was asked for.
const CLOCK: SignedDuration = SignedDuration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// What was read at one moment. `None` where the recorder does not offer it or it could not be read.
#[derive(Debug, Clone)]
pub struct Condition {
    at: Moment,
    disks: Option<Vec<Disk>>,
    cameras: Option<Vec<Camera>>,
    connections: Option<Vec<CameraStatus>>,
    users: Option<Vec<User>>,
    interfaces: Option<Vec<NetworkInterface>>,
    time: Option<DeviceTime>,
}

/// What differs afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What was looked at, in words.
    pub compared: Vec<&'static str>,
    /// What differs, in words: at most 32, the last of which says how many more there are.
    pub differences: Vec<Text>,
}

impl Condition {
    /// Reads it. Whatever fails is left out; a login that is refused, or a recorder that went away, ends
    /// the reading.
    pub async fn read(recorder: &Recorder) -> Self {
        let mut condition = Self {
            at: Moment::now(),
            disks: None,
            cameras: None,
            connections: None,
            users: None,
            interfaces: None,
            time: None,
        };
        // one that ended the reading leaves what was read so far
        let _ = condition.fill(recorder).await;
        condition
    }

    async fn fill(&mut self, recorder: &Recorder) -> Result<(), Error> {
        self.time = one(recorder).await?;
        self.at = Moment::now();
        self.disks = one(recorder).await?;
        self.cameras = one(recorder).await?;
        self.connections = one(recorder).await?;
        self.users = one(recorder).await?;
        self.interfaces = one(recorder).await?;
        Ok(())
    }

    /// Reads it again and compares, until nothing differs or `patience` is over: cameras and disks come
    /// back later than the recorder does.
    pub async fn compare_again(&self, recorder: &Recorder, patience: Duration) -> Comparison {
        let began = Moment::now().boot;
        loop {
            let found = self.compare(&Self::read(recorder).await);
            if found.differences.is_empty() || Moment::now().boot.saturating_sub(began) + PAUSE > patience {
                return found;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What differs in `after`.
    pub fn compare(&self, after: &Self) -> Comparison {
        let mut found = Comparison::default();
        found.list("disks", "disk", self.disks.as_deref(), after.disks.as_deref(), disk);
        found.list("cameras", "camera", self.cameras.as_deref(), after.cameras.as_deref(), camera);
        let (before, now) = (self.connections.as_deref(), after.connections.as_deref());
        found.list("camera connections", "connection of camera", before, now, connection);
        found.list("users", "user", self.users.as_deref(), after.users.as_deref(), user);
        let (before, now) = (self.interfaces.as_deref(), after.interfaces.as_deref());
        found.list("network interfaces", "network interface", before, now, interface);
        found.clock(self, after);
        found.cut();
        found
    }
}

/// A document; none where it is not offered or cannot be read.
async fn one<D: Document>(recorder: &Recorder) -> Result<Option<D>, Error> {
    match recorder.read().await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_login() || error.is_absence() => Err(error),
        Err(_) => Ok(None),
    }
}

impl Comparison {
    /// Compares two lists by what names their entries; each entry as name and state.
    fn list<T>(
        &mut self,
        all: &'static str,
        one: &str,
        before: Option<&[T]>,
        after: Option<&[T]>,
        told: fn(&T) -> (String, String),
    ) {
        let (Some(before), Some(after)) = (before, after) else { return };
        self.compared.push(all);
        let [before, after] = [before, after].map(|list| list.iter().map(told).collect::<BTreeMap<_, _>>());
        for (name, was) in &before {
            match after.get(name) {
                None => self.differs(&format!("{one} {name} is gone; it was {was}")),
                Some(is) if is != was => self.differs(&format!("{one} {name} was {was} and is {is}")),
                Some(_) => {}
            }
        }
        for (name, is) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            self.differs(&format!("{one} {name} is new: {is}"));
        }
    }

    fn clock(&mut self, before: &Condition, after: &Condition) {
        let (Some(was), Some(is)) = (before.time, after.time) else { return };
        self.compared.push("clock");
        // the recorder's clock goes on while this laptop sleeps
        let passed = after.at.boot.saturating_sub(before.at.boot);
        let passed = SignedDuration::try_from(passed).unwrap_or_default();
        let moved = is.0.duration_since(was.0) - passed;
        if moved.abs() > CLOCK {
            let direction = if moved.is_positive() { "forward" } else { "back" };
            self.differs(&format!(
                "clock went {direction} by {:#}",
                SignedDuration::from_secs(moved.abs().as_secs())
            ));
        }
    }

    fn differs(&mut self, words: &str) {
        self.differences.push(Text::cleaned(words));
    }

    fn cut(&mut self) {
        let more = self.differences.len().saturating_sub(MOST - 1);
        if more > 1 {
            self.differences.truncate(MOST - 1);
            self.differs(&format!("{more} more differences"));
        }
    }
}

fn disk(disk: &Disk) -> (String, String) {
    (disk.id.to_string(), disk.status.to_string())
}

fn camera(camera: &Camera) -> (String, String) {
    let of = |text: &Option<Text>| text.as_ref().map_or("-", Text::as_str).to_owned();
    (camera.id.to_string(), format!("{} at {}", of(&camera.name), of(&camera.address)))
}

fn connection(status: &CameraStatus) -> (String, String) {
    let state = match status.online {
        Some(true) => "online",
        Some(false) => "offline",
        None => "not told",
    };
    (status.id.to_string(), state.to_owned())
}

fn user(user: &User) -> (String, String) {
    (user.name.to_string(), user.level.as_ref().map_or("of no level", Text::as_str).to_owned())
}

fn interface(interface: &NetworkInterface) -> (String, String) {
    let id = interface.id.as_ref().map_or("-", Text::as_str).to_owned();
    let told = |address: Option<std::net::IpAddr>| address.map_or("-".to_owned(), |ip| ip.to_string());
    let gateways: Vec<String> = interface.gateways.iter().map(ToString::to_string).collect();
    let way = if gateways.is_empty() { "none".to_owned() } else { gateways.join(", ") };
    let addressing = interface.addressing.as_ref().map_or("-", Text::as_str);
    (id, format!("{addressing} {}, gateway {way}", told(interface.ipv4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    /// Two disks, two cameras, one user, at ten.
    fn good(at: Moment) -> Condition {
        Condition {
            at,
            disks: list(serde_json::json!([{"id": "1", "status": "ok"}, {"id": "2", "status": "ok"}])),
            cameras: list(serde_json::json!([
                {"id": "1", "name": "gate", "address": "192.168.254.2"}, {"id": "2", "name": "yard"}
            ])),
            connections: list(serde_json::json!([{"id": "1", "online": true}])),
            users: list(serde_json::json!([{"name": "admin", "level": "Administrator"}, {"name": "kim"}])),
            interfaces: list(
                serde_json::json!([{"id": "1", "addressing": "static", "ipv4": "192.168.1.64"}]),
            ),
            time: Some(DeviceTime("2026-11-22T10:00:00".parse().unwrap())),
        }
    }

    fn words(before: &Condition, after: &Condition) -> Vec<String> {
        before.compare(after).differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_was_lost_changed_or_came_is_named() {
        let now = Moment::now();
        let (before, mut after) = (good(now), good(now));
        assert_eq!(before.compare(&after).compared.len(), 6);
        assert_eq!(words(&before, &after), [""; 0]);
        after.disks = list(serde_json::json!([{"id": "1", "status": "error"}]));
        after.connections = list(serde_json::json!([{"id": "1", "online": false}]));
        after.users = list(serde_json::json!([{"name": "admin", "level": "Administrator"}, {"name": "eve"}]));
        after.interfaces = list(serde_json::json!([{"id": "1", "addressing": "dynamic"}]));
        assert_eq!(
            words(&before, &after),
            [
                "disk 1 was ok and is error",
                "disk 2 is gone; it was ok",
                "connection of camera 1 was online and is offline",
                "user kim is gone; it was of no level",
                "user eve is new: of no level",
                "network interface 1 was static 192.168.1.64, gateway none and is dynamic -, gateway none",
            ]
        );
    }

    #[test]
    fn a_clock_may_go_on_and_not_jump() {
        let seconds = Duration::from_secs;
        let before = good(Moment { boot: seconds(1000), awake: seconds(1000) });
        // ten minutes later, of which this laptop slept nine
        let mut after = good(Moment { boot: seconds(1600), awake: seconds(1060) });
        let clock = |after: &mut Condition, text: &str| {
            after.time = Some(DeviceTime(text.parse().unwrap()));
            words(&before, after)
        };
        assert_eq!(clock(&mut after, "2026-11-22T10:10:20"), [""; 0]);
        assert_eq!(clock(&mut after, "2026-11-22T11:10:00"), ["clock went forward by 1h"]);
        assert_eq!(clock(&mut after, "1970-01-01T00:10:00").len(), 1);
        assert_eq!(words(&before, &after)[0].split(" by ").next().unwrap(), "clock went back");
    }

    #[test]
    fn what_could_not_be_read_is_not_said_to_be_gone() {
        let now = Moment::now();
        let (before, mut after) = (good(now), good(now));
        (after.disks, after.users, after.time) = (None, None, None);
        let found = before.compare(&after);
        assert_eq!(found.compared, ["cameras", "camera connections", "network interfaces"]);
        assert!(found.differences.is_empty());
    }

    #[test]
    fn a_hostile_recorder_cannot_fill_a_statement() {
        let now = Moment::now();
        let (before, mut after) = (good(now), good(now));
        let users: Vec<_> = (0..5000).map(|n| serde_json::json!({"name": format!("user{n:04}")})).collect();
        after.users = list(users.into());
        let found = words(&before, &after);
        assert_eq!((found.len(), found[31].as_str()), (32, "4971 more differences"));
    }
}

//! The one start time of a run (specification §5.1), and how a clock that is behind is corrected.
//!
//! A laptop without a network often has a dead clock battery, and whoever can set its clock back can
//! make expired metadata look good. So the start time is the latest of the system clock, the time
//! that this program was built, and the *floor*: the latest `custom.signed_at` of any timestamp that
//! was verified, or build time seen. The system clock never raises the floor, so a clock that once
//! ran ahead does no lasting harm. The floor belongs to the keys that vouched for it: where a new
//! root replaces the timestamp keys it is dropped, which is how a `signed_at` from a stolen key is
//! recovered from.
//!
//! [`OnlineKeys`] keeps it, together with the sets of keys under which the stored timestamp and
//! snapshot were accepted: comparing them with the root's makes "the keys have been rotated"
//! (§5.3.11) a question that has the same answer after a crash.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::documents::{self, Root};
use crate::error::Error;
use crate::fields;
use crate::store::TrustStore;
use crate::{Rejection, Role, Verified, json};

/// The name in the store of the record that holds the floor. Not `.json`: only the specification's own
/// files bear that name there.
pub const CLOCK_RECORD: &str = "clock-floor";

/// The times that the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// What the system says it is now; read once, at the start of the program.
    pub system: Timestamp,
    /// When this program was built: it is not earlier than that.
    pub build: Timestamp,
}

/// The time that every expiry of a run is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartTime {
    now: Timestamp,
    system: Timestamp,
    source: StartSource,
}

/// Where the start time came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartSource {
    /// The system clock.
    System,
    /// The build time; the system clock is behind it.
    Build,
    /// The latest verified `signed_at` or build time; the system clock is behind it.
    Floor,
}

impl StartTime {
    pub(crate) fn of(clock: Clock, floor: Option<Timestamp>) -> Self {
        let Clock { system, build } = clock;
        let (now, source) = match floor {
            Some(floor) if floor > system && floor > build => (floor, StartSource::Floor),
            _ if build > system => (build, StartSource::Build),
            _ => (system, StartSource::System),
        };
        Self { now, system, source }
    }

    /// The start time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Where it came from.
    pub fn source(&self) -> StartSource {
        self.source
    }

    /// By how much the system clock is behind at least; zero if nothing says that it is. A person
    /// must be told: protection against old metadata is then weaker.
    pub fn system_behind(&self) -> SignedDuration {
        self.now.duration_since(self.system)
    }
}

/// What the keys of the online roles, timestamp and snapshot, have vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnlineKeys {
    timestamp: String,
    snapshot: String,
    pub(crate) floor: Option<Timestamp>,
}

impl OnlineKeys {
    pub(crate) const FILE: &str = CLOCK_RECORD;
    const CAP: u64 = 4096;

    /// A first record, which vouches for nothing yet.
    pub(crate) fn of(root: &Root) -> Self {
        Self {
            timestamp: root.keys_digest(Role::Timestamp),
            snapshot: root.keys_digest(Role::Snapshot),
            floor: None,
        }
    }

    pub(crate) fn load(store: &dyn TrustStore) -> Result<Option<Self>, Error> {
        let Some(bytes) = store.load(Self::FILE, Self::CAP)? else { return Ok(None) };
        let parsed = Self::parse(&bytes);
        parsed.map(Some).map_err(|reason| Error::Rejected { file: Self::FILE.into(), reason })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Rejection> {
        let value = json::parse(bytes).map_err(Rejection::NotJson)?;
        let record = fields::as_object(&value, Self::FILE)?;
        if fields::positive(record, "format")? != 1 {
            return Err(Rejection::Malformed {
                field: "format".into(),
                expected: "1, the only one known here",
            });
        }
        Ok(Self {
            timestamp: fields::text(record, "timestamp_keys")?.into(),
            snapshot: fields::text(record, "snapshot_keys")?.into(),
            floor: record.get("floor").map(|_| fields::time(record, "floor")).transpose()?,
        })
    }

    pub(crate) fn save(&self, store: &mut dyn TrustStore) -> Result<(), Error> {
        let mut record =
            json!({"format": 1, "timestamp_keys": self.timestamp, "snapshot_keys": self.snapshot});
        if let Some(floor) = self.floor {
            record["floor"] = Value::from(floor.to_string());
        }
        Ok(store.save(Self::FILE, record.to_string().as_bytes())?)
    }

    /// This record under the keys of a newer root: the floor stays only with the timestamp keys.
    pub(crate) fn under(&self, root: &Root) -> Self {
        let new = Self::of(root);
        let floor = self.floor.filter(|_| new.timestamp == self.timestamp);
        Self { floor, ..new }
    }

    /// Whether both records stand under the same keys.
    pub(crate) fn same_keys(&self, other: &Self) -> bool {
        (&self.timestamp, &self.snapshot) == (&other.timestamp, &other.snapshot)
    }
}

/// The time before which nothing is believed to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// That time.
    pub time: Timestamp,
    /// Whose word it is.
    pub source: FloorSource,
}

/// Whose word a floor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloorSource {
    /// The `signed_at` of the timestamp that is trusted now.
    Timestamp {
        /// Its version.
        version: u64,
    },
    /// When this program was built.
    Build,
    /// A timestamp or a program that was seen before.
    Earlier,
}

/// What is known of the time before anything is read from a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The start time that the next run would begin with.
    pub start: StartTime,
    /// The floor, if there is one.
    pub floor: Option<Floor>,
}

/// Reads what is known of the time; changes nothing.
pub fn read_clock(store: &dyn TrustStore, clock: Clock) -> Result<ClockReading, Error> {
    let floor = OnlineKeys::load(store)?.and_then(|record| record.floor);
    let start = StartTime::of(clock, floor);
    let Some(time) = floor else { return Ok(ClockReading { start, floor: None }) };
    let source = match trusted_timestamp(store)? {
        Some(timestamp) if timestamp.signed_at() == Some(time) => {
            FloorSource::Timestamp { version: timestamp.version() }
        }
        _ if time == clock.build => FloorSource::Build,
        _ => FloorSource::Earlier,
    };
    Ok(ClockReading { start, floor: Some(Floor { time, source }) })
}

/// The stored timestamp, where it still is what its keys signed.
fn trusted_timestamp(store: &dyn TrustStore) -> Result<Option<Verified<documents::Timestamp>>, Error> {
    let Some(root) = store.load(Role::Root.file(), Role::Root.cap())? else { return Ok(None) };
    let Some(timestamp) = store.load(Role::Timestamp.file(), Role::Timestamp.cap())? else { return Ok(None) };
    let root = Verified::<Root>::self_signed(&root);
    Ok(root.and_then(|root| root.verify(&timestamp)).ok())
}

/// Forgets the floor, at the word of a person who knows that it is wrong, and says what it was. The
/// next verified timestamp sets it again, so that against a `signed_at` from a stolen key only new
/// timestamp keys help. A damaged record is forgotten whole.
pub fn reset_clock(store: &mut dyn TrustStore) -> Result<Option<Timestamp>, Error> {
    match OnlineKeys::load(store) {
        Ok(None) => Ok(None),
        Ok(Some(record)) => {
            OnlineKeys { floor: None, ..record.clone() }.save(store)?;
            Ok(record.floor)
        }
        Err(Error::Rejected { .. }) => {
            store.remove(OnlineKeys::FILE)?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn the_latest_of_three_is_the_start_time() {
        let start = |system, floor: Option<i64>, build| {
            StartTime::of(Clock { system: at(system), build: at(build) }, floor.map(at))
        };
        for (system, floor, build, now, source) in [
            (30, Some(20), 10, 30, StartSource::System),
            (20, Some(30), 10, 30, StartSource::Floor),
            (10, Some(20), 30, 30, StartSource::Build),
            (10, None, 5, 10, StartSource::System),
            (10, Some(10), 10, 10, StartSource::System),
        ] {
            let start = start(system, floor, build);
            assert_eq!((start.now(), start.source()), (at(now), source));
            assert_eq!(start.system_behind().as_secs(), now - system);
        }
    }

    #[test]
    fn the_record_reads_back_and_a_damaged_one_is_rejected() {
        let mut store = MemoryStore::default();
        assert_eq!(OnlineKeys::load(&store).unwrap(), None);
        for floor in [None, Some(at(1_800_000_000))] {
            let record = OnlineKeys { timestamp: "a".into(), snapshot: "b".into(), floor };
            record.save(&mut store).unwrap();
            assert_eq!(OnlineKeys::load(&store).unwrap(), Some(record));
        }
        for bytes in [
            "",
            "{}",
            r#"{"format":2,"timestamp_keys":"","snapshot_keys":""}"#,
            r#"{"format":1,"timestamp_keys":"","snapshot_keys":"","floor":"soon"}"#,
        ] {
            store.save(OnlineKeys::FILE, bytes.as_bytes()).unwrap();
            assert!(OnlineKeys::load(&store).is_err(), "{bytes}");
        }
    }
}

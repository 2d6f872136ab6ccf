//! Where this laptop saw the newest publication: a convenience for whoever stands there with an older stick.
//! Nothing is decided on it.

use std::path::Path;

use firmware::{Sha256Digest, Text};
use jiff::Timestamp;
use keys::durable;
use serde::{Deserialize, Serialize};
use stick::{Tree, layout, media};
use tuf_client::{Role, Root, TrustStore, Verified};

/// The record is small; a larger file is none of ours.
const LARGEST: u64 = 4096;

/// The newest publication that was verified, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewestSeen {
    /// Which, by its timestamp.
    pub timestamp_sha256: Sha256Digest,
    /// The stick, as a person would recognise it.
    pub place: Text,
    /// When, by this laptop's clock.
    pub at: Timestamp,
}

impl NewestSeen {
    /// What is recorded; nothing where the record is damaged or not there.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&durable::read(path, LARGEST).ok()?).ok()
    }

    /// Records it, unless this publication was seen before: then the first place stands.
    pub fn record(self, path: &Path) -> std::io::Result<()> {
        if Self::read(path).is_some_and(|before| before.timestamp_sha256 == self.timestamp_sha256) {
            return Ok(());
        }
        durable::write_atomic(path, &serde_json::to_vec(&self)?, 0o644)
    }
}

/// An older stick than one that was seen, in dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Older {
    /// When the publication on this stick was signed.
    pub stick_signed_at: Timestamp,
    /// When the newest one was that this laptop has seen.
    pub seen_signed_at: Timestamp,
    /// On which stick that was, where it is known.
    pub seen_on: Option<Text>,
    /// When it was seen there.
    pub seen_at: Option<Timestamp>,
}

impl Older {
    /// Compares a stick with what is trusted; `None` where either does not say when it was signed.
    pub fn of(stick: &dyn Tree, store: &dyn TrustStore, seen: Option<NewestSeen>) -> Option<Self> {
        let root = store.load(Role::Root.file(), Role::Root.cap()).ok()??;
        let root = Verified::<Root>::self_signed(&root).ok()?;
        let signed_at = |bytes: &[u8]| root.verify::<tuf_client::Timestamp>(bytes).ok()?.signed_at();
        let offered = media::read(stick, layout::TIMESTAMP, Role::Timestamp.cap()).ok()??;
        let trusted = store.load(Role::Timestamp.file(), Role::Timestamp.cap()).ok()??;
        let seen = seen.filter(|seen| seen.timestamp_sha256 == Sha256Digest::of(&trusted));
        Some(Self {
            stick_signed_at: signed_at(&offered)?,
            seen_signed_at: signed_at(&trusted)?,
            seen_at: seen.as_ref().map(|seen| seen.at),
            seen_on: seen.map(|seen| seen.place),
        })
    }

    /// Both dates, where the newer one was, and what to do.
    pub fn hint(&self) -> String {
        let time = |at: Timestamp| at.strftime("%F %H:%M UTC");
        let (stick, seen) = (time(self.stick_signed_at), time(self.seen_signed_at));
        let place = match (&self.seen_on, self.seen_at) {
            (Some(place), Some(at)) => format!(", on {place}, on {}", time(at)),
            _ => ", where is not recorded".to_owned(),
        };
        format!(
            "this stick was signed on {stick}; this laptop has seen one that was signed on {seen}{place}\n\
             use that stick, or load this one again at the depot"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_place_of_a_publication_stands_and_a_damaged_record_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("newest-seen.json");
        assert_eq!(NewestSeen::read(&path), None);
        let seen = |bytes: &[u8], place| NewestSeen {
            timestamp_sha256: Sha256Digest::of(bytes),
            place: Text::cleaned(place),
            at: at("2026-11-22T10:00:00Z"),
        };
        seen(b"first", "one").record(&path).unwrap();
        seen(b"first", "two").record(&path).unwrap();
        assert_eq!(NewestSeen::read(&path), Some(seen(b"first", "one")));
        seen(b"second", "two").record(&path).unwrap();
        assert_eq!(NewestSeen::read(&path), Some(seen(b"second", "two")));
        durable::write_atomic(&path, b"{", 0o644).unwrap();
        assert_eq!(NewestSeen::read(&path), None);
    }

    #[test]
    fn both_dates_are_said_and_the_place_where_it_is_known() {
        let mut older = Older {
            stick_signed_at: at("2026-11-01T08:00:00Z"),
            seen_signed_at: at("2026-11-22T10:00:00Z"),
            seen_on: Some(Text::cleaned("/media/gate")),
            seen_at: Some(at("2026-11-23T07:30:00Z")),
        };
        let hint = older.hint();
        for words in ["2026-11-01 08:00 UTC", "2026-11-22 10:00 UTC, on /media/gate, on 2026-11-23 07:30 UTC"]
        {
            assert!(hint.contains(words), "{hint}");
        }
        (older.seen_on, older.seen_at) = (None, None);
        assert!(older.hint().contains("2026-11-22 10:00 UTC, where is not recorded"));
    }
}

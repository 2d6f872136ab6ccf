use firmware::{Serial, Text};
use receipt::{Body, Statement};

use super::{
    AUDIT, INVENTORY, INVENTORY_ALONE, PUSH_ENDED, PUSH_STARTED, RESTORE_ENDED, RESTORE_STARTED, integer,
};

/// What columns repeat of a signed envelope, for queries.
pub(super) struct Facts<'a> {
    /// What it says; a type that this version does not know as it is called, cleaned.
    pub(super) kind: String,
    /// The recorder, normalised.
    pub(super) serial: Option<String>,
    /// The run that it begins or ends.
    pub(super) run: Option<&'a str>,
    /// Microseconds since 1970.
    pub(super) claimed: i64,
    /// Version of the root that the laptop believed.
    pub(super) root: i64,
    /// Version of the publication's timestamp.
    pub(super) publication: i64,
    /// How often its clock was reset since the statement before.
    pub(super) clock_resets: i64,
}

impl<'a> Facts<'a> {
    pub(super) fn of(statement: &'a Statement) -> Self {
        let (kind, serial, run): (_, Option<&Serial>, Option<&Text>) = match &statement.body {
            Body::PushStarted(body) => (PUSH_STARTED, Some(&body.device.serial), Some(&body.run)),
            Body::PushEnded(body) => (PUSH_ENDED, Some(&body.device.serial), Some(&body.run)),
            Body::Inventory(body) if body.needs.is_empty() => {
                (INVENTORY_ALONE, Some(&body.device.serial), None)
            }
            Body::Inventory(body) => (INVENTORY, Some(&body.device.serial), None),
            Body::RestoreStarted(body) => (RESTORE_STARTED, Some(&body.device.serial), Some(&body.run)),
            Body::RestoreEnded(body) => (RESTORE_ENDED, Some(&body.device.serial), Some(&body.run)),
            Body::Audit(body) => (AUDIT, Some(&body.device.serial), None),
            Body::Other { predicate_type, .. } => (predicate_type.as_str(), None, None),
        };
        let head = &statement.head;
        Self {
            kind: Text::cleaned(kind).to_string(),
            serial: serial.map(Serial::normalised),
            run: run.map(Text::as_str),
            claimed: head.times.claimed.as_microsecond(),
            root: integer(head.publication.root),
            publication: integer(head.publication.timestamp),
            clock_resets: integer(head.times.resets.len() as u64),
        }
    }
}

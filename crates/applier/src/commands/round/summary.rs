//! What became of the recorders of a round: one line each, and the most urgent exit code.

use firmware::{Revision, Serial, Text};
use isapi::Address;
use serde::Serialize;
use serde_json::json;
use terminal::{Count, Exit, Failure};

use crate::context::Context;
use crate::inventory::Inventory;

/// What became of one recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::commands) enum Became {
    /// It runs what was pushed.
    Confirmed,
    /// It ran that before; nothing was pushed.
    AlreadyCurrent,
    /// It was read and judged.
    Audited,
    /// Not so; the exit code and the error say how.
    Stopped,
    /// Nothing was sent to it.
    NotTried,
}

/// One recorder of a round.
#[derive(Debug, Clone, Serialize)]
pub(in crate::commands) struct Row {
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<Serial>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Revision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::commands) after: Option<Revision>,
    pub(in crate::commands) result: Became,
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Row {
    pub(super) fn new(address: Address, name: Option<Text>) -> Self {
        Self {
            address,
            name,
            serial: None,
            before: None,
            after: None,
            result: Became::NotTried,
            exit: 0,
            error: None,
        }
    }

    /// It was read.
    pub(in crate::commands) fn met(&mut self, inventory: &Inventory) {
        self.serial = Some(inventory.device.serial.clone());
        self.before = Some(inventory.device.revision.clone());
    }

    fn stopped(&mut self, failure: &Failure) {
        self.result = Became::Stopped;
        self.exit = failure.exit.code();
        self.error = Some(format!("{:#}", failure.error));
    }

    fn is_good(&self) -> bool {
        matches!(self.result, Became::Confirmed | Became::AlreadyCurrent | Became::Audited)
    }

    fn line(&self) -> String {
        let text = |told: Option<String>| told.unwrap_or_else(|| "-".into());
        let name = text(self.name.as_ref().map(ToString::to_string));
        let serial = text(self.serial.as_ref().map(ToString::to_string));
        let before = text(self.before.as_ref().map(ToString::to_string));
        let result = match self.result {
            Became::Confirmed => format!("confirmed, {}", text(self.after.as_ref().map(ToString::to_string))),
            Became::AlreadyCurrent => "already current".into(),
            Became::Audited => "audited".into(),
            Became::Stopped => format!("NOT DONE, exit {}", self.exit),
            Became::NotTried => "not tried".into(),
        };
        format!("{:<21} {name:<12} {serial:<24} {before:<26} {result}", self.address.to_string())
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(in crate::commands) struct Summary {
    rows: Vec<Row>,
    /// The most urgent of what went wrong, and where.
    worst: Option<(usize, Failure)>,
}

impl Summary {
    /// Adds one that came to an end, good or not; whether it was good.
    pub(in crate::commands) fn add(&mut self, mut row: Row, ended: Result<Exit, Failure>) -> bool {
        if let Err(failure) = ended {
            row.stopped(&failure);
            let urgent = self.worst.as_ref().is_none_or(|(_, worst)| {
                worst.exit.worst(failure.exit) == failure.exit && worst.exit != failure.exit
            });
            if urgent {
                self.worst = Some((self.rows.len(), failure));
            }
        }
        let is_good = row.is_good();
        self.rows.push(row);
        is_good
    }

    /// Tells what became of each, those included that were not tried, and gives how all of it ended;
    /// `again` is what to do where that is not well.
    pub(in crate::commands) fn conclude(
        mut self,
        not_tried: impl Iterator<Item = Row>,
        again: &str,
        context: &Context,
    ) -> Result<Exit, Failure> {
        self.rows.extend(not_tried);
        context.output.data("");
        for row in &self.rows {
            context.output.data(row.line());
        }
        let told = json!({"recorders": self.rows});
        let done = self.rows.iter().filter(|row| row.is_good()).count();
        let left = self.rows.iter().filter(|row| row.result == Became::NotTried).count();
        let Some((at, failure)) = self.worst else {
            if left == 0 {
                context.output.json(&told);
                return Ok(Exit::Done);
            }
            let words = format!("asked to end: {done} of {} done, {left} not tried", self.rows.len());
            return Err(Failure::new(Exit::Refused, words).hint(again).with_data(told));
        };
        let words = format!(
            "{} of {} done, {left} not tried; recorder {} of them",
            done,
            Count(self.rows.len(), "recorder"),
            at + 1
        );
        let hint = failure.hint.clone().unwrap_or_default();
        let hint = format!("{hint}\n{again}");
        Err(failure.context(words).hint(hint.trim_start()).with_data(told))
    }
}

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Advisory, AdvisoryId, AdvisoryTable, Cvss, Judgement, Range};
use crate::{Device, Revision, Text};

/// What an update changes about known weaknesses, by one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The day of the table.
    pub collected: Date,
    /// The advisories that speak of what runs or of what is to run, the worst outcome first, then by id.
    /// Where there is none, there is no match in this table, which is not "safe".
    pub changes: Vec<Change>,
}

/// What an update does about one advisory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which advisory.
    pub id: AdvisoryId,
    /// What becomes of it.
    pub outcome: Outcome,
    /// What it is about.
    pub title: Text,
    /// CVSS base score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<Cvss>,
    /// Since when it is known to be exploited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited_since: Option<Date>,
    /// The advisory itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Text>,
    /// The vendor's texts of the rows that say so: what matches, or the series in words.
    pub products: Vec<Text>,
}

/// What becomes of one advisory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It does not match what runs, and matches what is to run.
    Opened,
    /// It matches both.
    StillOpen,
    /// It names a series in words, and what is to run is within its bounds.
    CannotBeJudged,
    /// It could not be judged for what runs; what is to run is outside its bounds.
    ClosedIfOpen,
    /// It matches what runs, and not what is to run.
    Closed,
}

impl AdvisoryTable {
    /// What becomes of each advisory when this device goes from what it runs to `to`.
    pub fn effect(&self, device: &Device, to: &Revision) -> Effect {
        let mut changes: Vec<Change> =
            self.advisories.iter().filter_map(|advisory| Change::of(advisory, device, to)).collect();
        changes.sort_by(|a, b| (a.outcome, &a.id).cmp(&(b.outcome, &b.id)));
        Effect { collected: self.collected, changes }
    }
}

impl Change {
    fn of(advisory: &Advisory, device: &Device, to: &Revision) -> Option<Self> {
        let judge = |revision| advisory.judge(&device.model, revision, device.family());
        let (before, after) = (judge(&device.revision), judge(to));
        let (outcome, rows) = match (before.judgement, after.judgement) {
            (Judgement::NoMatch, Judgement::NoMatch) => return None,
            (Judgement::NoMatch, Judgement::Match) => (Outcome::Opened, after.rows),
            // what could not be judged before may well have been open
            (_, Judgement::Match) => (Outcome::StillOpen, after.rows),
            (_, Judgement::Unknown) => (Outcome::CannotBeJudged, after.rows),
            (Judgement::Unknown, Judgement::NoMatch) => (Outcome::ClosedIfOpen, before.rows),
            (Judgement::Match, Judgement::NoMatch) => (Outcome::Closed, before.rows),
        };
        let product = |row: &Range| row.product.clone();
        Some(Self {
            id: advisory.id.clone(),
            outcome,
            title: advisory.title.clone(),
            cvss: advisory.cvss,
            exploited_since: advisory.kev.map(|kev| kev.added),
            source: advisory.source.clone(),
            products: rows.into_iter().map(product).collect(),
        })
    }
}

impl Effect {
    /// One line for each advisory, and one that says how far the table goes.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.changes.iter().map(ToString::to_string).collect();
        let left = self.changes.iter().any(|change| change.outcome <= Outcome::CannotBeJudged);
        let (other, collected) = (if left { "other " } else { "" }, self.collected);
        lines.push(format!(
            "after the update: no {other}match in this table ({collected}), which is no promise"
        ));
        lines
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let products: Vec<&str> = self.products.iter().map(Text::as_str).collect();
        let (id, about, products) = (&self.id, self.about(), products.join(", "));
        match self.outcome {
            Outcome::Opened => write!(f, "{id} OPENED by this: {about}; possibly affected as {products}"),
            Outcome::StillOpen => write!(f, "{id} still open: {about}; possibly affected as {products}"),
            Outcome::CannotBeJudged => {
                let source = self.source.as_ref().map_or("the advisory", Text::as_str);
                write!(f, "{id} cannot be judged: {about}; read {source}: is it one of {products}?")
            }
            Outcome::ClosedIfOpen => write!(f, "{id} closed, if this is one of {products}: {about}"),
            Outcome::Closed => write!(f, "{id} closed: {about}; matched {products}"),
        }
    }
}

impl Change {
    /// The title, with how bad it is where that is known.
    fn about(&self) -> String {
        let cvss = self.cvss.map(|cvss| format!("CVSS {cvss}"));
        let exploited = self.exploited_since.map(|since| format!("known to be exploited since {since}"));
        let known: Vec<String> = cvss.into_iter().chain(exploited).collect();
        if known.is_empty() {
            self.title.to_string()
        } else {
            format!("{} ({})", self.title, known.join(", "))
        }
    }
}

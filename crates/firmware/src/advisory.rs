//! Advisories: which firmware of which models is known to be weak, and what an update changes about
//! that. Pure: a table, a model and a revision go in.
//!
//! A table gives one of three answers for each advisory: it *matches* (possibly affected), it *cannot
//! be judged* (a row names a series in words, and a person must read the advisory), or there is *no
//! match in this table*, which is not "safe". The vendor's wildcards were read into patterns by us,
//! and most advisories list some of what is affected, not all of it.
//!
//! * [`Range`] is one row: a pattern of models and the versions and builds it speaks of.
//! * [`Advisory::judge`] judges one model and revision by all rows of one advisory.
//! * [`AdvisoryTable::known`] judges them by all advisories.
//! * [`AdvisoryTable::effect`] compares what runs with what is to run.
//!
//! A depot signs a table as `advisories.json`. Unknown fields are ignored; caps: 500 advisories,
//! 10,000 rows.

mod cvss;
mod effect;
mod id;
mod known;
mod pattern;
mod range;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Family, Model, Revision, Text};

pub use cvss::{Cvss, InvalidCvss};
pub use effect::{Change, Effect, Outcome};
pub use id::{AdvisoryId, InvalidAdvisoryId};
pub use known::Known;
pub use pattern::{InvalidPattern, ModelPattern};
pub use range::{Judgement, Range};

/// What is known of published weaknesses, as of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct AdvisoryTable {
    collected: Date,
    attribution: Vec<Text>,
    advisories: Vec<Advisory>,
}

/// One advisory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Unique in a table.
    pub id: AdvisoryId,
    /// What it is about, for people.
    pub title: Text,
    /// CVSS base score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<Cvss>,
    /// When it was taken into CISA's catalogue of known exploited vulnerabilities, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kev: Option<Kev>,
    /// The advisory itself, which a person reads: an address, or the vendor's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Text>,
    /// What is said to be fixed, in words; nothing is decided on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Text>,
    /// What a person should know before relying on its rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<Text>,
    /// What is affected.
    pub affected: Vec<Range>,
}

/// Dates of CISA's catalogue of known exploited vulnerabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kev {
    /// The day it was added: by then it was being exploited.
    pub added: Date,
    /// The day by which United States agencies had to act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
}

/// Why rows and advisories are no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTable {
    /// More than is read.
    #[error("{what} are {count}, the limit is {limit}")]
    TooMany {
        /// Advisories, or rows of all of them.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Two have the same id.
    #[error("advisory {0} stands there twice")]
    Twice(AdvisoryId),
    /// A row contradicts itself.
    #[error("advisory {id}, row {product:?}: {why}")]
    Row {
        /// The advisory.
        id: AdvisoryId,
        /// The row.
        product: Text,
        /// What is wrong.
        why: &'static str,
    },
}

/// The most advisories of a table.
const MOST_ADVISORIES: usize = 500;
/// The most rows of all advisories of a table: each pattern is compiled.
const MOST_ROWS: usize = 10_000;

impl AdvisoryTable {
    /// A table of what was collected on a day; `attribution` is what the terms of its sources ask for.
    pub fn new(
        collected: Date,
        attribution: Vec<Text>,
        advisories: Vec<Advisory>,
    ) -> Result<Self, InvalidTable> {
        let rows = advisories.iter().map(|advisory| advisory.affected.len()).sum();
        for (what, count, limit) in
            [("advisories", advisories.len(), MOST_ADVISORIES), ("rows", rows, MOST_ROWS)]
        {
            if count > limit {
                return Err(InvalidTable::TooMany { what, count, limit });
            }
        }
        let mut ids = HashSet::new();
        for advisory in &advisories {
            if !ids.insert(&advisory.id) {
                return Err(InvalidTable::Twice(advisory.id.clone()));
            }
            if let Some((row, why)) = advisory.faults().into_iter().next() {
                let product = advisory.affected[row].product.clone();
                return Err(InvalidTable::Row { id: advisory.id.clone(), product, why });
            }
        }
        Ok(Self { collected, attribution, advisories })
    }

    /// The day it was collected: what was published later is not in it.
    pub fn collected(&self) -> Date {
        self.collected
    }

    /// All advisories, in their order.
    pub fn advisories(&self) -> &[Advisory] {
        &self.advisories
    }

    /// Whose work it is.
    pub fn attribution(&self) -> &[Text] {
        &self.attribution
    }
}

/// What one advisory says of a model and its firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The answer.
    pub judgement: Judgement,
    /// The rows that give it; none where nothing matches.
    pub rows: Vec<&'a Range>,
}

impl Advisory {
    /// Judges by all rows: one that matches decides, else one that cannot be judged. A row that
    /// overrides another takes its place for the models that it matches.
    ///
    /// `family` is what a device says it is, where it does: a row in words for cameras says nothing
    /// about a recorder. Rows with a pattern are judged by the model alone.
    pub fn judge(&self, model: &Model, revision: &Revision, family: Option<Family>) -> Finding<'_> {
        let matching = |row: &&Range| row.models.as_ref().is_some_and(|models| models.matches(model));
        let overridden: HashSet<&Text> =
            self.affected.iter().filter(matching).filter_map(|row| row.overrides.as_ref()).collect();
        let rows = self.affected.iter().filter(|row| !overridden.contains(&row.product));
        let judged: Vec<_> = rows.map(|row| (row.judge(model, revision), row)).collect();
        let of = |wanted: Judgement| -> Vec<&Range> {
            judged.iter().filter(|(judgement, _)| *judgement == wanted).map(|(_, row)| *row).collect()
        };
        let matches = of(Judgement::Match);
        if !matches.is_empty() {
            return Finding { judgement: Judgement::Match, rows: matches };
        }
        let mut unknown = of(Judgement::Unknown);
        unknown.retain(|row| row.family.is_none() || family.is_none() || row.family == family);
        if unknown.is_empty() {
            Finding { judgement: Judgement::NoMatch, rows: unknown }
        } else {
            Finding { judgement: Judgement::Unknown, rows: unknown }
        }
    }

    /// What is wrong with its rows, each fault with the row's index.
    pub fn faults(&self) -> Vec<(usize, &'static str)> {
        let mut products: HashMap<&Text, usize> = HashMap::new();
        for row in &self.affected {
            *products.entry(&row.product).or_default() += 1;
        }
        let named = |row: &Range| match &row.overrides {
            _ if products[&row.product] > 1 => Some("another row has the same product"),
            Some(other) if *other == row.product => Some("it overrides itself"),
            Some(_) if row.models.is_none() => Some("it has no pattern, so it can override no other row"),
            Some(other) if !products.contains_key(other) => Some("it overrides a row that is not there"),
            _ => None,
        };
        let rows = self.affected.iter().enumerate();
        rows.filter_map(|(index, row)| Some((index, row.fault().or_else(|| named(row))?))).collect()
    }
}

/// A table as it was read, before its rules were looked at.
#[derive(Deserialize)]
struct Unchecked {
    collected: Date,
    #[serde(default)]
    attribution: Vec<Text>,
    advisories: Vec<Advisory>,
}

impl TryFrom<Unchecked> for AdvisoryTable {
    type Error = InvalidTable;

    fn try_from(table: Unchecked) -> Result<Self, InvalidTable> {
        Self::new(table.collected, table.attribution, table.advisories)
    }
}

#[cfg(test)]
mod tests;

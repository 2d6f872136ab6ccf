use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::{Advisory, AdvisoryId, AdvisoryTable, Judgement};
use crate::{Family, Model, Revision};

/// What one table says of one model and its firmware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known<'a> {
    /// The day of the table.
    pub collected: Date,
    /// Those that match: possibly affected.
    #[serde(serialize_with = "ids")]
    pub matching: Vec<&'a Advisory>,
    /// Those that name a series in words, so that a person must read them.
    #[serde(serialize_with = "ids")]
    pub unjudged: Vec<&'a Advisory>,
}

impl AdvisoryTable {
    /// What all advisories say of a model and its firmware; `family` is what a device says it is, where it
    /// does. Where none speaks of it, there is no match in this table, which is not "safe".
    pub fn known(&self, model: &Model, revision: &Revision, family: Option<Family>) -> Known<'_> {
        let of = |wanted| {
            let said = |a: &&Advisory| a.judge(model, revision, family).judgement == wanted;
            self.advisories.iter().filter(said).collect()
        };
        Known { collected: self.collected, matching: of(Judgement::Match), unjudged: of(Judgement::Unknown) }
    }
}

impl Known<'_> {
    /// Which match, or that none does.
    pub fn matches(&self) -> String {
        let collected = self.collected;
        if self.matching.is_empty() {
            return format!("no match in this table ({collected})");
        }
        let exploited = self.matching.iter().any(|advisory| advisory.kev.is_some());
        let exploited = if exploited { ", known to be exploited" } else { "" };
        format!("matches {}{exploited} ({collected})", listed(&self.matching))
    }

    /// Which a person must read, if there are any.
    pub fn cannot_be_judged(&self) -> Option<String> {
        (!self.unjudged.is_empty())
            .then(|| format!("cannot be judged, read the advisory: {}", listed(&self.unjudged)))
    }
}

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.matches())?;
        self.cannot_be_judged().map_or(Ok(()), |unjudged| write!(f, "; {unjudged}"))
    }
}

fn listed(advisories: &[&Advisory]) -> String {
    advisories.iter().map(|advisory| advisory.id.to_string()).collect::<Vec<_>>().join(", ")
}

fn ids<S: serde::Serializer>(advisories: &[&Advisory], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(advisories.iter().map(|advisory| -> &AdvisoryId { &advisory.id }))
}

//! Ledger and catalogue to fleet report: which recorder runs what, what is due, and which is at risk. Pure.
//!
//! What is said of a recorder is the word of the laptop that was there last, and advisories are judged by
//! the version that it told. That none matches is no promise that there is no weakness.

mod anomaly;
mod chart;
mod filter;
pub mod page;
mod request;
mod risk;
pub mod spreadsheet;
mod state;
#[cfg(test)]
mod tests;
mod totals;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use firmware::advisory::{AdvisoryTable, Cvss, Known};
use firmware::{Model, Release, Revision, Serial, Text};
use jiff::Timestamp;
use jiff::civil::Date;
use receipt::LaptopId;
use serde::Serialize;

use crate::ledger::{Finding, LastAudit, LastCameras, LastWord, Request, RunResult};

pub use anomaly::Anomaly;
pub use filter::Filter;
pub use request::{Asked, open_requests};
pub use risk::Risk;
pub use state::{State, StateName};
pub use totals::{Exposure, Silence, SiteTotal, Totals, VersionTotal};

/// What the ledger knows.
#[derive(Debug, Default)]
pub struct Facts {
    /// The latest statement about each recorder.
    pub words: Vec<LastWord>,
    /// What was last asked for each.
    pub requests: Vec<Request>,
    /// The latest audit of each.
    pub audits: Vec<LastAudit>,
    /// The cameras that each told of last.
    pub cameras: Vec<LastCameras>,
    /// What is wrong with the statements.
    pub findings: Vec<Finding>,
}

/// Why a report could not be written down. None of it comes from what is in the report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// As JSON.
    #[error("fleet report: JSON could not be made")]
    Json(#[from] serde_json::Error),
    /// As CSV.
    #[error("fleet report: CSV could not be made")]
    Csv(#[from] csv::Error),
    /// As CSV, at its end.
    #[error("fleet report: CSV could not be finished")]
    Flush(#[from] std::io::Error),
    /// As text.
    #[error("fleet report: CSV is no text")]
    Utf8(#[from] std::string::FromUtf8Error),
    /// As a page.
    #[error("fleet report: page could not be made")]
    Page(#[from] askama::Error),
    /// A chart of the page.
    #[error("fleet report: chart could not be drawn")]
    Chart(#[from] chart::DrawError),
}

/// Every recorder that a statement speaks of, and what is wrong with the statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fleet<'a> {
    /// Of the document; a reader that knows another refuses it.
    format: u64,
    report: &'static str,
    /// When it was made, by the depot's clock.
    pub made: Timestamp,
    /// The day of the advisories that were judged by; none where the catalogue has none.
    pub advisories_collected: Option<Date>,
    /// What it was narrowed to.
    pub filter: Filter,
    /// How many of what.
    pub totals: Totals,
    /// Those at risk first.
    pub recorders: Vec<Recorder<'a>>,
    /// What is asked for these recorders and has not arrived yet.
    pub requests: Vec<Asked>,
    /// Gaps, forks, held statements: of all laptops, whatever the filter is.
    pub findings: Vec<Finding>,
}

/// One recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorder<'a> {
    /// As it says.
    pub serial: Serial,
    /// As it says.
    pub model: Model,
    /// Where it is, as somebody said there; none where nobody did.
    pub site: Option<Text>,
    /// How much it needs a person.
    pub risk: Risk,
    /// What it is known to run; none where its state is unknown.
    pub runs: Option<Revision>,
    /// What that means.
    pub state: State,
    /// What advisories say of what it runs; none where that is unknown, or there is no table.
    pub advisories: Option<Known<'a>>,
    /// How the last run ended.
    pub last_result: Option<RunResult>,
    /// Why, in words.
    pub detail: Text,
    /// When, by the laptop's clock.
    pub seen: Timestamp,
    /// Who said so.
    pub laptop: LaptopId,
    /// When a laptop was there last for whatever reason, by its clock.
    pub last_contact: Timestamp,
    /// Whole days since then.
    pub silent_days: u64,
    /// How it was found to be set up; none where no audit has arrived.
    pub audit: Option<LastAudit>,
    /// The cameras behind it, as it told of them last; none where none have been told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cameras: Option<LastCameras>,
    /// What contradicts itself in what is known of it.
    pub anomalies: Vec<Anomaly>,
}

impl<'a> Fleet<'a> {
    /// Joins what the ledger knows with what the catalogue lists, and keeps what the filter lets through.
    pub fn of(
        facts: Facts,
        releases: &[Release],
        table: Option<&'a AdvisoryTable>,
        filter: Filter,
        now: Timestamp,
    ) -> Self {
        let Facts { mut words, requests, audits, cameras, findings } = facts;
        let asked = by_serial(&requests, |request| &request.device.serial);
        add_audited(&mut words, &audits);
        let audits = by_serial(&audits, |audit| &audit.device.serial);
        let cameras = by_serial(&cameras, |cameras| &cameras.recorder);
        let join = |word: &LastWord| {
            let serial = word.device.serial.normalised();
            let known = Joined {
                word,
                asked: asked.get(&serial).copied(),
                audit: audits.get(&serial).copied(),
                cameras: cameras.get(&serial).copied(),
            };
            known.recorder(releases, table, &findings, now)
        };
        let mut recorders: Vec<Recorder<'a>> = words.iter().map(join).collect();
        let known = recorders.len();
        recorders.retain(|recorder| filter.lets(recorder));
        recorders.sort_by_cached_key(|one| (one.risk, Reverse(one.worst_score()), one.serial.normalised()));
        let listed = by_serial(&recorders, |recorder| &recorder.serial);
        let mut requests = open_requests(requests, &words);
        requests.retain(|asked| listed.contains_key(&asked.serial.normalised()));
        let totals = Totals::of(&recorders, known, table);
        Self {
            format: 1,
            report: "fleet",
            made: now,
            advisories_collected: table.map(AdvisoryTable::collected),
            filter,
            totals,
            recorders,
            requests,
            findings,
        }
    }
}

impl Recorder<'_> {
    /// The highest score among the advisories that match.
    fn worst_score(&self) -> Option<Cvss> {
        self.advisories.iter().flat_map(|known| &known.matching).filter_map(|advisory| advisory.cvss).max()
    }
}

/// Adds the recorders of which nothing but an audit has arrived.
pub fn add_audited(words: &mut Vec<LastWord>, audits: &[LastAudit]) {
    let told = by_serial(words, |word| &word.device.serial);
    let audits = by_serial(audits, |audit| &audit.device.serial);
    let only_audited = audits.iter().filter(|(serial, _)| !told.contains_key(*serial));
    let only_audited: Vec<LastWord> = only_audited.map(|(_, audit)| audit.word()).collect();
    words.extend(only_audited);
}

fn by_serial<T>(all: &[T], serial: impl Fn(&T) -> &Serial) -> BTreeMap<String, &T> {
    all.iter().map(|one| (serial(one).normalised(), one)).collect()
}

/// All that is known of one recorder.
struct Joined<'k> {
    word: &'k LastWord,
    asked: Option<&'k Request>,
    audit: Option<&'k LastAudit>,
    cameras: Option<&'k LastCameras>,
}

impl Joined<'_> {
    fn recorder<'a>(
        self,
        releases: &[Release],
        table: Option<&'a AdvisoryTable>,
        findings: &[Finding],
        now: Timestamp,
    ) -> Recorder<'a> {
        let LastWord { laptop, claimed, site, device, revision, result, detail } = self.word.clone();
        let others = [
            self.asked.map(|asked| asked.claimed),
            self.audit.map(|audit| audit.claimed),
            self.cameras.map(|cameras| cameras.claimed),
        ];
        let last_contact = others.into_iter().flatten().fold(claimed, Timestamp::max);
        let days = now.duration_since(last_contact).as_hours() / 24;
        let site = self.asked.and_then(|asked| asked.site.clone()).or(site);
        let judged = table.zip(revision.as_ref());
        let mut recorder = Recorder {
            risk: Risk::NothingKnown,
            state: state::state(self.word, releases),
            advisories: judged.map(|(table, runs)| table.known(&device.model, runs, device.family())),
            anomalies: anomaly::anomalies(self.word, self.asked, self.audit, last_contact, findings, now),
            serial: device.serial,
            model: device.model,
            site: site.or_else(|| self.audit?.site.clone()),
            runs: revision,
            last_result: result,
            detail,
            seen: claimed,
            laptop,
            last_contact,
            silent_days: u64::try_from(days).unwrap_or_default(),
            audit: self.audit.cloned(),
            cameras: self.cameras.cloned(),
        };
        recorder.risk = Risk::of(&recorder);
        recorder
    }
}

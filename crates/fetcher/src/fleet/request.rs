use std::fmt;

use firmware::{Model, Revision, Serial, Text};
use jiff::Timestamp;
use receipt::{LaptopId, Need, PushResult};
use serde::Serialize;

use crate::ledger::{LastWord, Request, RunResult};

/// What a recorder needs that was not on the stick at its site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// As it says.
    pub serial: Serial,
    /// As it says.
    pub model: Model,
    /// What it ran then.
    pub runs: Revision,
    /// In the order in which it is to be installed.
    pub needs: Vec<Need>,
    /// Where it is, as somebody said there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Text>,
    /// When it was asked for, by the laptop's clock.
    pub asked: Timestamp,
    /// Who asked.
    pub laptop: LaptopId,
}

impl Asked {
    /// What it needs, in words.
    pub fn needs(&self) -> String {
        self.needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} runs {} and needs {}", self.model, self.serial, self.runs, self.needs())?;
        if let Some(site) = &self.site {
            write!(f, ", at {site}")?;
        }
        write!(f, "; asked on {}", self.asked.strftime("%F"))
    }
}

/// The requests that no later run has answered.
pub fn open_requests(requests: Vec<Request>, words: &[LastWord]) -> Vec<Asked> {
    let words = super::by_serial(words, |word| &word.device.serial);
    let answered = |request: &Request| {
        words.get(&request.device.serial.normalised()).is_some_and(|word| {
            word.claimed >= request.claimed
                && matches!(
                    word.result,
                    Some(RunResult::Push(PushResult::Applied | PushResult::AlreadyCurrent))
                )
        })
    };
    let open = requests.into_iter().filter(|request| !request.needs.is_empty() && !answered(request));
    let asked = open.map(|Request { laptop, claimed, site, device, needs }| Asked {
        serial: device.serial,
        model: device.model,
        runs: device.revision,
        needs,
        site,
        asked: claimed,
        laptop,
    });
    asked.collect()
}

use std::fmt;

use firmware::advisory::AdvisoryId;
use firmware::{Model, Serial, Text};
use serde::Serialize;

use super::{Recorder, StateName};

/// Which recorders are listed: those that are all of this.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, clap::Args)]
#[serde(rename_all = "kebab-case")]
pub struct Filter {
    /// Only recorders at this site, as it was told there; upper and lower case are the same
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Text>,
    /// Only recorders of this model
    #[arg(long, value_name = "MODEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// Only the recorder with this serial number
    #[arg(long, value_name = "SERIAL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
    /// Only recorders in this state
    #[arg(long, value_name = "STATE", value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateName>,
    /// Only recorders that this advisory matches, or for which it cannot be judged
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisory: Option<AdvisoryId>,
    /// Only recorders where no laptop has been for so many days
    #[arg(long, value_name = "DAYS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_for: Option<u64>,
}

impl Filter {
    /// Whether a recorder is listed.
    pub(super) fn lets(&self, recorder: &Recorder<'_>) -> bool {
        let same = |site: &Text| {
            recorder
                .site
                .as_ref()
                .is_some_and(|its| its.as_str().to_lowercase() == site.as_str().to_lowercase())
        };
        let speaks_of = |id: &AdvisoryId| {
            let known = recorder.advisories.iter();
            let mut said = known.flat_map(|known| known.matching.iter().chain(&known.unjudged));
            said.any(|advisory| advisory.id == *id)
        };
        self.site.as_ref().is_none_or(same)
            && self.model.as_ref().is_none_or(|model| recorder.model == *model)
            && self.serial.as_ref().is_none_or(|serial| recorder.serial == *serial)
            && self.state.is_none_or(|state| recorder.state.name() == state)
            && self.advisory.as_ref().is_none_or(speaks_of)
            && self.silent_for.is_none_or(|days| recorder.silent_days >= days)
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Filter {
    /// What is left, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, model, serial, state, advisory, silent_for } = self;
        let parts = [
            site.as_ref().map(|site| format!("site {site}")),
            model.as_ref().map(|model| format!("model {model}")),
            serial.as_ref().map(|serial| format!("serial {serial}")),
            state.map(|state| format!("state {state}")),
            advisory.as_ref().map(|id| format!("advisory {id}")),
            silent_for.map(|days| format!("silent for {days} days or more")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

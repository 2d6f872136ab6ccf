//! The firmware that runs.

use firmware::{Choice, choose};

use super::listed;
use crate::audit::observed::Observed;
use crate::audit::verdict::Verdict;

const NO_STICK: &str = "give --stick PATH";

/// FW-01
pub(super) fn newest(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let device = observed.device;
    let runs = &device.revision;
    let Some(releases) = &observed.releases else {
        return Ok(Verdict::unknown(format!("no list of releases at hand: {NO_STICK}"))
            .having_read(runs.to_string()));
    };
    Ok(match choose(releases.iter().copied(), device, None) {
        Choice::None => Verdict::unknown(format!("no release is approved for {}", device.model))
            .having_read(runs.to_string()),
        Choice::Ambiguous(several) => {
            let ids = listed(several.iter().map(|release| &release.id));
            Verdict::manual(format!("several could be meant, and a person must choose: {ids}"))
                .having_read(runs.to_string())
        }
        Choice::One(newest) => {
            let listed = &newest.revision;
            let current = (&runs.version, runs.build) >= (&listed.version, listed.build);
            Verdict::passes_if(current, format!("{runs}; newest listed is {listed}, {}", newest.id))
        }
    })
}

/// FW-02
pub(super) fn weaknesses(observed: &Observed<'_>) -> Result<Verdict, Verdict> {
    let device = observed.device;
    let Some(table) = observed.advisories else {
        let why = match observed.releases {
            None => format!("no advisory table at hand: {NO_STICK}"),
            Some(_) => "no advisory table at hand: none is signed in this publication".into(),
        };
        return Ok(Verdict::unknown(why).having_read(device.revision.to_string()));
    };
    let known = table.known(&device.model, &device.revision, device.family());
    if !known.matching.is_empty() {
        return Ok(Verdict::fail(known.to_string()));
    }
    Ok(match known.cannot_be_judged() {
        Some(unjudged) => Verdict::manual(unjudged).having_read(known.matches()),
        None => Verdict::pass(known.matches()),
    })
}

//! The firmware that runs.

use firmware::advisory::{Advisory, Judgement};
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
    let of = |wanted: Judgement| -> Vec<&Advisory> {
        let said =
            |a: &&Advisory| a.judge(&device.model, &device.revision, device.family()).judgement == wanted;
        table.advisories().iter().filter(said).collect()
    };
    let (matching, unjudged) = (of(Judgement::Match), of(Judgement::Unknown));
    let ids = |advisories: &[&Advisory]| listed(advisories.iter().map(|advisory| &advisory.id));
    let unjudged =
        (!unjudged.is_empty()).then(|| format!("cannot be judged, read the advisory: {}", ids(&unjudged)));
    if !matching.is_empty() {
        let exploited = if matching.iter().any(|advisory| advisory.kev.is_some()) {
            ", known to be exploited"
        } else {
            ""
        };
        let others = unjudged.map(|unjudged| format!("; {unjudged}")).unwrap_or_default();
        let (ids, collected) = (ids(&matching), table.collected());
        return Ok(Verdict::fail(format!("matches {ids}{exploited} ({collected}){others}")));
    }
    let none = format!("no match in this table ({})", table.collected());
    Ok(match unjudged {
        Some(unjudged) => Verdict::manual(unjudged).having_read(none),
        None => Verdict::pass(none),
    })
}

use firmware::{Device, Sha256Digest, Text};
use jiff::Timestamp;
use receipt::{Body, Configuration, RestoreEnded, RestoreResult, RestoreStarted};

use super::{RestoreOutcome, Step};
use crate::event::Reason;
use crate::plan::{AcceptedExpired, Refusal, RestorePlan};
use crate::report::Facts;

/// "This configuration is about to go back."
pub fn started(facts: &Facts, plan: &RestorePlan, digest: Sha256Digest) -> Body {
    Body::RestoreStarted(Box::new(RestoreStarted {
        run: Text::cleaned(facts.run.as_str()),
        device: plan.device.clone(),
        configuration: plan.configuration.clone(),
        plan: digest,
        overrides: plan.overrides.clone(),
        link: facts.link.clone(),
        started: facts.started,
    }))
}

/// "The restore of this plan has ended so."
pub fn ended(
    facts: &Facts,
    plan: &RestorePlan,
    digest: Sha256Digest,
    outcome: &RestoreOutcome,
    now: Timestamp,
) -> Body {
    let said = (outcome.reason.to_string(), outcome.detail.as_str());
    let end = without(facts, &plan.device, &plan.configuration, (&said.0, said.1), now);
    Body::RestoreEnded(Box::new(RestoreEnded {
        plan: Some(digest),
        result: outcome.result,
        after: outcome.after.clone(),
        overrides: plan.overrides.clone(),
        sendings: outcome.sendings,
        ..end
    }))
}

/// "Nothing was sent, for these reasons." The first one's code stands for all.
pub fn refused(
    facts: &Facts,
    device: &Device,
    configuration: &Configuration,
    refusals: &[Refusal],
    now: Timestamp,
) -> Body {
    let reason = refusals.first().map_or("refused", Refusal::code);
    let detail: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    Body::RestoreEnded(Box::new(without(facts, device, configuration, (reason, &detail.join("; ")), now)))
}

/// "The restore that began so was cut after this step." Gives what it came to, as well.
pub fn cut(facts: &Facts, start: &RestoreStarted, step: Step, now: Timestamp) -> RestoreEnded {
    let (result, detail) = match step {
        Step::Planned => (RestoreResult::Failed, "interrupted before anything was sent".into()),
        Step::Sending => {
            (RestoreResult::UnknownAfterRestore, "interrupted while the configuration was being sent".into())
        }
        Step::Restarting => (
            RestoreResult::UnknownAfterRestore,
            format!("{} took the configuration; nobody saw it restart", start.device.noun()),
        ),
        Step::Ended(result) => (result, format!("it had ended as {result} when the program was interrupted")),
    };
    let said = (&*Reason::Interrupted.to_string(), &*detail);
    RestoreEnded {
        plan: Some(start.plan),
        result,
        overrides: start.overrides.clone(),
        sendings: u32::from(step != Step::Planned),
        ..without(facts, &start.device, &start.configuration, said, now)
    }
}

fn without(
    facts: &Facts,
    device: &Device,
    configuration: &Configuration,
    (reason, detail): (&str, &str),
    now: Timestamp,
) -> RestoreEnded {
    RestoreEnded {
        run: Text::cleaned(facts.run.as_str()),
        device: device.clone(),
        configuration: configuration.clone(),
        plan: None,
        result: RestoreResult::Refused,
        reason: Text::cleaned(reason),
        detail: Text::cleaned(detail),
        after: None,
        overrides: facts.accepted.iter().map(AcceptedExpired::as_override).collect(),
        link: facts.link.clone(),
        sendings: 0,
        started: facts.started,
        ended: now,
    }
}

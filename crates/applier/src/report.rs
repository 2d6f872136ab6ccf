//! Run to signed statements. Making them is pure; keeping and delivering them is not, and stands
//! apart at the end.

use firmware::{Device, Sha256Digest, Text};
use jiff::Timestamp;
use keys::SigningKey;
use receipt::{
    Body, Chain, ChainError, Configuration, Envelope, Head, InventoryTaken, LaptopId, Link, Need,
    Publication, PushEnded, PushResult, PushStarted, RestoreStarted, Statement, Subject, Target, Times,
    VerifiedStatement,
};

use crate::backup::Kept;
use crate::cameras;
use crate::clock_resets::ClockResets;
use crate::event::{Outcome, RunId};
use crate::inventory::Inventory;
use crate::plan::{AcceptedExpired, Plan, Refusal};

/// What every statement of one run shares.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Names the run.
    pub run: RunId,
    /// The link to the recorder.
    pub link: Link,
    /// When the run began.
    pub started: Timestamp,
    /// The publication acted on.
    pub publication: Publication,
    /// A time that is certainly past.
    pub floor: Timestamp,
    /// Whether the laptop's clock was at or after it.
    pub clock_trusted: bool,
    /// Resets of the clock on record.
    pub resets: ClockResets,
    /// What `--accept-expired` lifted, if anything.
    pub accepted: Option<AcceptedExpired>,
    /// Who was at the laptop, as they said.
    pub operator: Option<Text>,
    /// Where, as they said.
    pub site: Option<Text>,
    /// What else differs on the recorder since a push that was confirmed.
    pub differences: Vec<Text>,
}

/// "A push of this plan is about to begin."
pub fn started(facts: &Facts, plan: &Plan, digest: Sha256Digest) -> Body {
    Body::PushStarted(Box::new(PushStarted {
        run: text(&facts.run.to_string()),
        device: plan.device.clone(),
        target: plan.target.clone(),
        plan: digest,
        overrides: plan.overrides.clone(),
        link: facts.link.clone(),
        started: facts.started,
    }))
}

/// "The run of this plan has ended so."
pub fn ended(facts: &Facts, plan: &Plan, digest: Sha256Digest, outcome: &Outcome, now: Timestamp) -> Body {
    Body::PushEnded(Box::new(PushEnded {
        target: Some(plan.target.clone()),
        plan: Some(digest),
        after: outcome.after.clone(),
        checks: plan.checks.iter().map(|check| text(check)).collect(),
        overrides: plan.overrides.clone(),
        backup: text(&outcome.backup.as_ref().map_or_else(|| "not taken".into(), Kept::words)),
        differences: facts.differences.clone(),
        pushes: outcome.pushes,
        ..without_push(
            facts,
            &plan.device,
            outcome.result(),
            &outcome.reason.to_string(),
            &outcome.detail,
            now,
        )
    }))
}

/// "The recorder already runs this; nothing was pushed."
pub fn already_current(facts: &Facts, device: &Device, target: Target, now: Timestamp) -> Body {
    let detail = format!("it runs {} already; nothing was pushed", target.revision);
    let end = without_push(facts, device, PushResult::AlreadyCurrent, "already-current", &detail, now);
    Body::PushEnded(Box::new(PushEnded { target: Some(target), ..end }))
}

/// "Nothing was pushed, for these reasons." The first one's code stands for all.
pub fn refused(facts: &Facts, device: &Device, refusals: &[Refusal], now: Timestamp) -> Body {
    let reason = refusals.first().map_or("refused", Refusal::code);
    let detail: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    Body::PushEnded(Box::new(without_push(
        facts,
        device,
        PushResult::Refused,
        reason,
        &detail.join("; "),
        now,
    )))
}

/// "This recorder is here, with these cameras behind it, and needs what was not at hand."
pub fn taken(facts: &Facts, inventory: &Inventory, needs: Vec<Need>) -> InventoryTaken {
    InventoryTaken {
        device: inventory.device.clone(),
        needs,
        cameras: cameras::stated(inventory.cameras.as_deref()),
        link: facts.link.clone(),
        taken: facts.started,
    }
}

fn without_push(
    facts: &Facts,
    device: &Device,
    result: PushResult,
    reason: &str,
    detail: &str,
    now: Timestamp,
) -> PushEnded {
    PushEnded {
        run: text(&facts.run.to_string()),
        device: device.clone(),
        target: None,
        plan: None,
        result,
        reason: text(reason),
        detail: text(detail),
        after: None,
        checks: Vec::new(),
        overrides: facts.accepted.iter().map(AcceptedExpired::as_override).collect(),
        link: facts.link.clone(),
        backup: text("not taken"),
        differences: Vec::new(),
        pushes: 0,
        started: facts.started,
        ended: now,
    }
}

fn text(words: &str) -> Text {
    Text::cleaned(words)
}

/// Signs what is said as the next statement of this laptop's chain and keeps it, durably.
pub fn keep(
    chain: &mut Chain,
    key: &SigningKey,
    facts: &Facts,
    body: Body,
    now: Timestamp,
) -> Result<u64, ChainError> {
    let place = chain.next();
    let statement = Statement {
        head: Head {
            laptop: LaptopId::of(&key.public()),
            counter: place.counter,
            previous: place.previous,
            applier: text(env!("CARGO_PKG_VERSION")),
            operator: facts.operator.clone(),
            site: facts.site.clone(),
            times: Times {
                claimed: now,
                floor: facts.floor,
                clock_trusted: facts.clock_trusted,
                resets: facts.resets.told_by(place.counter),
            },
            publication: facts.publication.clone(),
        },
        subject: subject(&body, &facts.publication),
        body,
    };
    chain.append(&statement, key)
}

/// The target that was pushed or meant, or the configuration; the publication's timestamp where there is
/// neither.
fn subject(body: &Body, publication: &Publication) -> Subject {
    let target = |target: &Target| (target.name.as_str().to_owned(), target.sha256);
    let of = |configuration: &Configuration| ("configuration".to_owned(), configuration.sha256);
    let subject = match body {
        Body::PushStarted(body) => Some(target(&body.target)),
        Body::PushEnded(body) => body.target.as_ref().map(target),
        Body::RestoreStarted(body) => Some(of(&body.configuration)),
        Body::RestoreEnded(body) => Some(of(&body.configuration)),
        Body::Inventory(_) | Body::Audit(_) | Body::Other { .. } => None,
    };
    let timestamp = || ("timestamp.json".into(), publication.timestamp_sha256);
    let (name, sha256) = subject.unwrap_or_else(timestamp);
    Subject { name, sha256 }
}

/// How this laptop's last statement about a push says that it ended, if there is one.
pub fn last_word(chain: &Chain, key: &SigningKey, run: &RunId) -> Option<PushResult> {
    let run = run.as_str();
    newest_first(chain, key).find_map(|statement| match &statement.statement().body {
        Body::PushEnded(end) if end.run.as_str() == run => Some(Some(end.result)),
        Body::PushStarted(start) if start.run.as_str() == run => Some(None),
        _ => None,
    })?
}

/// The statement that a restore began, where none tells how it ended.
pub fn begun(chain: &Chain, key: &SigningKey, run: &RunId) -> Option<(Head, RestoreStarted)> {
    let run = run.as_str();
    newest_first(chain, key).find_map(|statement| match statement.statement() {
        Statement { body: Body::RestoreEnded(end), .. } if end.run.as_str() == run => Some(None),
        Statement { body: Body::RestoreStarted(start), head, .. } if start.run.as_str() == run => {
            Some(Some((head.clone(), (**start).clone())))
        }
        _ => None,
    })?
}

/// What this laptop has stated. What cannot be read of its chain says nothing.
fn newest_first(chain: &Chain, key: &SigningKey) -> impl Iterator<Item = VerifiedStatement> {
    (1..chain.next().counter).rev().filter_map(|counter| {
        let envelope = Envelope::read(&chain.envelope(counter).ok()?).ok()?;
        VerifiedStatement::open(&envelope, &key.public()).ok()
    })
}

//! What would be done to one recorder and why, or every reason why not (`docs/safety.md`).
//!
//! Pure: the inventory, the releases, the policy and the advisories of a verified publication, what a
//! person asked for and the time come in; a [`Decision`] goes out. The same facts give the same plan
//! with the same digest, so that a person can agree to one that somebody else has read.
//!
//! Two steps, because a header can be read only of a release that is at hand: [`course`] says which
//! release is meant and what comes before it, the caller opens them, [`plan`] judges everything. A plan
//! is for one push, and names what is to follow: after each, the recorder is read again and the next is
//! planned anew, which must be what was agreed to ([`Plan::continues`]).

mod accepted_expired;
mod course;
mod directives;
mod needs;
mod notes;
mod refusal;
mod restore;
mod rules;

use std::collections::BTreeMap;
use std::fmt;

use firmware::advisory::Effect;
use firmware::container::Container;
use firmware::{Device, Release, ReleaseId, Revision, Serial, Sha256Digest, Text};
use isapi::Address;
use jiff::Timestamp;
use receipt::{Forgiven, Override, Target};
use serde::{Deserialize, Serialize};

use crate::inventory::Inventory;
use crate::presence::power::Power;
pub use accepted_expired::AcceptedExpired;
pub use course::{Course, course};
pub use directives::Directives;
pub use needs::needs;
pub use refusal::Refusal;
pub(crate) use restore::configuration;
pub use restore::{RestoreOptions, RestorePlan, plan_restore};

/// A release of the publication and the TUF target it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What is known of it.
    pub release: Release,
    /// Its name, size and digest, as signed.
    pub target: Target,
}

/// What the headers of the releases say that are at hand.
pub type Containers<'a> = BTreeMap<&'a ReleaseId, &'a Container>;

/// What a person asked for, and what this laptop is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--release ID`.
    pub release: Option<ReleaseId>,
    /// `--region R`, or the site file's.
    pub region: Option<String>,
    /// The serial that the site file expects.
    pub expect_serial: Option<Serial>,
    /// `--allow-downgrade REASON`.
    pub allow_downgrade: Option<Text>,
    /// What this laptop runs on.
    pub power: Power,
    /// `--allow-battery REASON`.
    pub allow_battery: Option<Text>,
    /// `--allow-disk-errors REASON`.
    pub allow_disk_errors: Option<Text>,
    /// `--allow-logged-in REASON`.
    pub allow_logged_in: Option<Text>,
    /// `--allow-networked-laptop REASON`, where this laptop is not alone with the recorder.
    pub networked_laptop: Option<Text>,
    /// `--plain-http REASON`, where something spoke against talking without TLS.
    pub plain_http: Option<Text>,
    /// `--no-backup REASON`.
    pub no_backup: Option<Text>,
    /// `--push-again REASON`, where an earlier push to this recorder is not known to be over.
    pub push_again: Option<Text>,
    /// `--accept-expired REASON`, where it lifted something.
    pub accept_expired: Option<AcceptedExpired>,
}

/// What would be done to one recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Major version of this form.
    pub format: u32,
    /// Where the recorder is.
    pub address: Address,
    /// The recorder as it is.
    pub device: Device,
    /// What is to be pushed.
    pub target: Target,
    /// What is to follow, in order, each once the one before is confirmed: the last is what is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<Target>,
    /// The region that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What was looked at and found right, in words.
    pub checks: Vec<String>,
    /// What a person should know, in words.
    pub notes: Vec<String>,
    /// Metadata of the publication that has expired and was accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<Forgiven>,
    /// What was allowed, and why.
    pub overrides: Vec<Override>,
    /// Digest of the signed policy that allows this; none where none is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Sha256Digest>,
    /// Digest of the signed advisories; none where none are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<Sha256Digest>,
    /// What they say about this update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The configuration backup.
    pub backup: PlannedBackup,
}

/// What a plan says of the configuration backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlannedBackup {
    /// It is taken before anything is sent.
    #[serde(rename = "taken before the push")]
    TakenBefore,
    /// It is not, for the reason that stands among the overrides.
    #[serde(rename = "not taken")]
    NotTaken,
}

impl fmt::Display for PlannedBackup {
    /// As in JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Push, as planned.
    Push(Box<Plan>),
    /// Nothing: it already runs the release.
    AlreadyCurrent(Box<Listed>),
    /// Nothing, for all of these reasons.
    Refused(Vec<Refusal>),
}

impl Plan {
    /// Whether the configuration is kept before anything is sent.
    pub fn takes_backup(&self) -> bool {
        self.backup == PlannedBackup::TakenBefore
    }

    /// What a person agrees to. The form is the struct's own: every field in the order above.
    pub fn digest(&self) -> Result<Sha256Digest, serde_json::Error> {
        Ok(Sha256Digest::of(&serde_json::to_vec(self)?))
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.target).chain(&self.later)
    }

    /// Whether this is what `agreed` said would follow.
    pub fn continues(&self, agreed: &Self) -> bool {
        self.device.serial == agreed.device.serial && self.steps().eq(&agreed.later)
    }
}

/// Decides. `at_hand` has the headers of the releases that the stick carries, of those that [`course`]
/// names; a damaged one never gets here. An override that the policy forbids lifts nothing.
pub fn plan(
    inventory: &Inventory,
    listed: &[Listed],
    at_hand: &Containers<'_>,
    directives: &Directives<'_>,
    options: &Options,
    now: Timestamp,
) -> Decision {
    let device = &inventory.device;
    let (options, forbidden) = directives.allowed(options);
    let options = &options;
    let mut refusals = rules::recorder(inventory, options);
    refusals.extend(rules::laptop(options));
    refusals.extend(forbidden.into_iter().chain(directives.recorder(options)));
    let course = match course(listed, device, options) {
        Ok(course) => course,
        Err(refusal) => {
            refusals.insert(0, *refusal);
            return Decision::Refused(refusals);
        }
    };
    let wanted = &course.wanted.release;
    let wrong_device = refusals.iter().any(|r| matches!(r, Refusal::OtherSerial { .. }));
    if wanted.revision == device.revision && wanted.lists(&device.model) && !wrong_device {
        return Decision::AlreadyCurrent(Box::new(course.wanted.clone()));
    }
    for Listed { release, .. } in &course.steps {
        refusals.extend(rules::step(release, at_hand.get(&release.id).copied(), device, options));
        refusals.extend(directives.release(release, device));
    }
    refusals.extend(rules::wanted(&course, device, options));
    let Some((first, later)) = course.steps.split_first().filter(|_| refusals.is_empty()) else {
        return Decision::Refused(refusals);
    };
    let effect = directives.effect(device, &wanted.revision);
    let mut checks = rules::checks(inventory, &course);
    checks.extend(directives.checks());
    let mut notes = notes::notes(inventory, &course, at_hand, options, now);
    notes.extend(directives.notes(effect.as_ref()));
    Decision::Push(Box::new(Plan {
        format: 1,
        address: inventory.address.clone(),
        device: device.clone(),
        target: first.target.clone(),
        later: later.iter().map(|step| step.target.clone()).collect(),
        region: options.region.clone(),
        checks,
        notes,
        expired: options.accept_expired.as_ref().map_or_else(Vec::new, |accepted| accepted.forgiven.clone()),
        overrides: rules::overrides(inventory, wanted, options),
        policy: directives.policy.map(|(_, sha256)| sha256),
        advisories: directives.advisories.map(|(_, sha256)| sha256),
        effect,
        backup: if options.no_backup.is_some() {
            PlannedBackup::NotTaken
        } else {
            PlannedBackup::TakenBefore
        },
    }))
}

/// How a change of firmware looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    /// The version is lower, or the same with an older build.
    Older,
    /// The version is higher, and yet its build is older: another branch (reference: container §8).
    OtherBranch,
}

fn direction(from: &Revision, to: &Revision) -> Direction {
    if to.version < from.version || (to.version == from.version && to.build < from.build) {
        Direction::Older
    } else if to.build < from.build {
        Direction::OtherBranch
    } else {
        Direction::Forward
    }
}

#[cfg(test)]
mod tests;

//! What would be done to one recorder and why, or every reason why not (DESIGN §6).
//!
//! Pure: the inventory, the releases, the policy and the advisories of a verified publication, what a
//! person asked for and the time come in; a [`Decision`] goes out. The same facts give the same plan
//! with the same digest, so that a person can agree to one that somebody else has read.
//!
//! Two steps, because a header can be read only of a release that is at hand: [`select`] says which
//! release is meant, the caller opens it, [`plan`] judges everything.

mod accepted_expired;
mod directives;
mod refusal;
mod rules;

use firmware::advisory::Effect;
use firmware::container::Container;
use firmware::{Choice, Device, Release, ReleaseId, Revision, Serial, Sha256Digest, Text};
use isapi::Address;
use jiff::Timestamp;
use receipt::{Forgiven, Override, Target};
use serde::{Deserialize, Serialize};

use crate::inventory::Inventory;
pub use accepted_expired::AcceptedExpired;
pub use directives::Directives;
pub use refusal::Refusal;

/// A release of the publication and the TUF target it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What is known of it.
    pub release: Release,
    /// Its name, size and digest, as signed.
    pub target: Target,
}

/// What a person asked for.
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
    /// `--allow-disk-errors REASON`.
    pub allow_disk_errors: Option<Text>,
    /// `--allow-logged-in REASON`.
    pub allow_logged_in: Option<Text>,
    /// `--allow-networked-laptop REASON`, where this laptop is not alone with the recorder.
    pub networked_laptop: Option<Text>,
    /// `--plain-http REASON`, where something spoke against talking without TLS.
    pub plain_http: Option<Text>,
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
    pub backup: String,
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
    /// What a person agrees to. The form is the struct's own: every field in the order above.
    pub fn digest(&self) -> Result<Sha256Digest, serde_json::Error> {
        Ok(Sha256Digest::of(&serde_json::to_vec(self)?))
    }
}

/// Which of the listed releases is meant for this recorder.
pub fn select<'a>(listed: &'a [Listed], device: &Device, options: &Options) -> Result<&'a Listed, Refusal> {
    let of = |id: &ReleaseId| listed.iter().find(|l| l.release.id == *id);
    let found = match &options.release {
        Some(id) => return of(id).ok_or_else(|| Refusal::UnknownRelease { id: id.clone() }),
        None => {
            match firmware::choose(listed.iter().map(|l| &l.release), device, options.region.as_deref()) {
                Choice::One(release) => of(&release.id),
                Choice::Ambiguous(several) => {
                    return Err(Refusal::Ambiguous { ids: several.iter().map(|r| r.id.clone()).collect() });
                }
                Choice::None => None,
            }
        }
    };
    found.ok_or_else(|| {
        let near = firmware::near_misses(listed.iter().map(|l| &l.release), &device.model);
        Refusal::NoRelease { model: device.model.clone(), near: near.into_iter().cloned().collect() }
    })
}

/// Decides. `at_hand` is the header of the selected release if the stick carries it; a damaged one
/// never gets here. An override that the policy forbids lifts nothing.
pub fn plan(
    inventory: &Inventory,
    listed: &[Listed],
    at_hand: Option<&Container>,
    directives: &Directives<'_>,
    options: &Options,
    now: Timestamp,
) -> Decision {
    let device = &inventory.device;
    let (options, forbidden) = directives.allowed(options);
    let options = &options;
    let mut refusals = rules::recorder(inventory, options);
    refusals.extend(forbidden.into_iter().chain(directives.recorder()));
    let chosen = match select(listed, device, options) {
        Ok(chosen) => chosen,
        Err(refusal) => {
            refusals.insert(0, refusal);
            return Decision::Refused(refusals);
        }
    };
    let wrong_device = refusals.iter().any(|r| matches!(r, Refusal::OtherSerial { .. }));
    if chosen.release.revision == device.revision && chosen.release.lists(&device.model) && !wrong_device {
        return Decision::AlreadyCurrent(Box::new(chosen.clone()));
    }
    refusals.extend(rules::release(&chosen.release, listed, at_hand, device, options));
    refusals.extend(directives.release(&chosen.release, device));
    if !refusals.is_empty() {
        return Decision::Refused(refusals);
    }
    let effect = directives.effect(device, &chosen.release.revision);
    let mut checks = rules::checks(inventory, &chosen.release);
    checks.extend(directives.checks());
    let mut notes = rules::notes(inventory, &chosen.release, at_hand, now);
    notes.extend(directives.notes(effect.as_ref()));
    Decision::Push(Box::new(Plan {
        format: 1,
        address: inventory.address.clone(),
        device: device.clone(),
        target: chosen.target.clone(),
        region: options.region.clone(),
        checks,
        notes,
        expired: options.accept_expired.as_ref().map_or_else(Vec::new, |accepted| accepted.forgiven.clone()),
        overrides: rules::overrides(inventory, &chosen.release, options),
        policy: directives.policy.map(|(_, sha256)| sha256),
        advisories: directives.advisories.map(|(_, sha256)| sha256),
        effect,
        backup: "not taken".into(),
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

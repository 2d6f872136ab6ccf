//! What the approvers signed beside the releases: a policy, which can only refuse, and advisories, which
//! only inform.

use firmware::advisory::{AdvisoryTable, Effect};
use firmware::policy::{OverrideFlag, Policy};
use firmware::{Device, Release, Revision, Sha256Digest};

use super::{Options, Refusal};

/// The documents of a verified publication, each with the digest under which it is signed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Directives<'a> {
    /// What the depot allows; where none is signed, the defaults hold.
    pub policy: Option<(&'a Policy, Sha256Digest)>,
    /// What is published about weak firmware.
    pub advisories: Option<(&'a AdvisoryTable, Sha256Digest)>,
}

impl Directives<'_> {
    /// The options without the overrides that the policy forbids: those lift nothing, and giving one is
    /// a refusal of its own.
    pub(super) fn allowed(&self, options: &Options) -> (Options, Vec<Refusal>) {
        let mut allowed = options.clone();
        let Some((policy, _)) = self.policy else { return (allowed, Vec::new()) };
        let given = [
            (OverrideFlag::AllowDiskErrors, &mut allowed.allow_disk_errors),
            (OverrideFlag::AllowDowngrade, &mut allowed.allow_downgrade),
            (OverrideFlag::AllowLoggedIn, &mut allowed.allow_logged_in),
            (OverrideFlag::AllowNetworkedLaptop, &mut allowed.networked_laptop),
            (OverrideFlag::NoBackup, &mut allowed.no_backup),
            (OverrideFlag::PlainHttp, &mut allowed.plain_http),
            (OverrideFlag::PushAgain, &mut allowed.push_again),
        ];
        let forbidden = given.into_iter().filter(|(flag, _)| policy.forbidden_overrides.contains(flag));
        let mut refusals: Vec<Refusal> = forbidden
            .filter_map(|(flag, reason)| reason.take().map(|_| Refusal::PolicyForbids { flag }))
            .collect();
        // what had expired was read all the same, to find this policy in it
        let flag = OverrideFlag::AcceptExpired;
        if allowed.accept_expired.is_some() && policy.forbidden_overrides.contains(&flag) {
            allowed.accept_expired = None;
            refusals.push(Refusal::PolicyForbids { flag });
        }
        (allowed, refusals)
    }

    /// What the policy asks for whatever is to be pushed.
    pub(super) fn recorder(&self, options: &Options) -> Option<Refusal> {
        let required = self.policy.is_some_and(|(policy, _)| policy.backup_required);
        (required && options.no_backup.is_some()).then_some(Refusal::PolicyBackup)
    }

    /// What the policy asks of the release.
    pub(super) fn release(&self, release: &Release, device: &Device) -> Option<Refusal> {
        let minimum = self.policy?.0.minimum_versions.get(&device.model)?;
        (release.revision.version < *minimum).then(|| Refusal::PolicyMinimum {
            id: release.id.clone(),
            model: device.model.clone(),
            to: release.revision.version.clone(),
            minimum: minimum.clone(),
        })
    }

    /// What the advisories say about going from what the device runs to `to`.
    pub(super) fn effect(&self, device: &Device, to: &Revision) -> Option<Effect> {
        self.advisories.map(|(table, _)| table.effect(device, to))
    }

    /// What was found right.
    pub(super) fn checks(&self) -> Option<String> {
        self.policy.map(|(_, sha256)| format!("policy {sha256} allows this"))
    }

    /// What a person should know.
    pub(super) fn notes(&self, effect: Option<&Effect>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.policy.is_none() {
            notes.push(format!(
                "no policy is signed in this publication, so the defaults hold: {}",
                Policy::default()
            ));
        }
        match effect {
            Some(effect) => notes.extend(effect.lines()),
            None => notes.push(
                "no advisories are signed in this publication: what this closes or leaves open is not known"
                    .into(),
            ),
        }
        notes
    }
}

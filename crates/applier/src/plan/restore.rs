//! The same for a configuration that goes back to its recorder.

use firmware::policy::OverrideFlag;
use firmware::{Device, Family, Sha256Digest, Text};
use isapi::Address;
use receipt::{Configuration, Forgiven, Override};
use serde::{Deserialize, Serialize};

use super::{AcceptedExpired, Directives, Options, Refusal, rules};
use crate::backup::Manifest;
use crate::inventory::Inventory;

/// What a person allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// `--allow-other-version REASON`.
    pub allow_other_version: Option<Text>,
    /// What is allowed of a push and of a restore alike.
    pub common: Options,
}

/// What would go back to one recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePlan {
    /// Major version of this form.
    pub format: u32,
    /// Where the recorder is.
    pub address: Address,
    /// The recorder as it is.
    pub device: Device,
    /// What goes back to it.
    pub configuration: Configuration,
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
}

impl RestorePlan {
    /// What a person agrees to: every field in the order above.
    pub fn digest(&self) -> Result<Sha256Digest, serde_json::Error> {
        Ok(Sha256Digest::of(&serde_json::to_vec(self)?))
    }
}

/// What a statement says of a backup.
pub(crate) fn configuration(manifest: &Manifest) -> Configuration {
    Configuration {
        revision: manifest.revision.clone(),
        taken: manifest.taken,
        length: manifest.size,
        sha256: manifest.sha256,
        device_key: manifest.device_key,
    }
}

/// Decides: a plan, or every reason why not. An override that the policy forbids lifts nothing.
pub fn plan_restore(
    inventory: &Inventory,
    manifest: &Manifest,
    directives: &Directives<'_>,
    options: &RestoreOptions,
) -> Result<RestorePlan, Vec<Refusal>> {
    let device = &inventory.device;
    let (common, mut refusals) = directives.allowed(&options.common);
    let flag = OverrideFlag::AllowOtherVersion;
    let forbidden = directives.policy.is_some_and(|(policy, _)| policy.forbidden_overrides.contains(&flag));
    let allowed = options.allow_other_version.as_ref().filter(|_| !forbidden);
    if forbidden && options.allow_other_version.is_some() {
        refusals.push(Refusal::PolicyForbids { flag });
    }
    if manifest.serial != device.serial {
        let (origin, found) = (manifest.serial.clone(), device.serial.clone());
        refusals.push(Refusal::OtherOrigin { origin, found });
    }
    let other_version = manifest.revision != device.revision;
    if other_version && allowed.is_none() {
        let (exported_by, found) = (manifest.revision.clone(), device.revision.clone());
        refusals.push(Refusal::OtherVersion { exported_by, found });
    }
    // a configuration is not kept on the disks
    let of_recorder = rules::recorder(inventory, &common).into_iter();
    refusals.extend(of_recorder.filter(|refusal| !matches!(refusal, Refusal::DiskError { .. })));
    refusals.extend(rules::laptop(&common));
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let lifted = [
        ("allow-other-version", allowed.filter(|_| other_version)),
        ("allow-battery", common.allow_battery.as_ref().filter(|_| common.power.is_low())),
        (
            "allow-logged-in",
            common.allow_logged_in.as_ref().filter(|_| rules::is_anybody_logged_in(inventory)),
        ),
        ("allow-networked-laptop", common.networked_laptop.as_ref()),
        ("plain-http", common.plain_http.as_ref()),
        ("push-again", common.push_again.as_ref()),
    ];
    let one = |(flag, reason): (&str, Option<&Text>)| {
        Some(Override { flag: Text::cleaned(flag), reason: reason?.clone() })
    };
    let expired = common.accept_expired.iter().map(AcceptedExpired::as_override);
    Ok(RestorePlan {
        format: 1,
        address: inventory.address.clone(),
        device: device.clone(),
        configuration: configuration(manifest),
        notes: notes(manifest, device),
        expired: common.accept_expired.as_ref().map_or_else(Vec::new, |accepted| accepted.forgiven.clone()),
        overrides: lifted.into_iter().filter_map(one).chain(expired).collect(),
        policy: directives.policy.map(|(_, sha256)| sha256),
    })
}

fn notes(manifest: &Manifest, device: &Device) -> Vec<String> {
    let restarts = if device.family() == Some(Family::Ipc) {
        "the camera is told to restart; its picture, and every recording of it, stops meanwhile"
    } else {
        "the recorder restarts by itself; recording stops meanwhile"
    };
    vec![
        format!(
            "everything is set as it was on {}: users and passwords, addresses, cameras, recording",
            manifest.taken.strftime("%F %H:%M UTC")
        ),
        restarts.into(),
        "it may come back at another address, or with another password: those of that day".into(),
    ]
}

#[cfg(test)]
mod tests {
    use firmware::policy::Policy;

    use super::*;
    use crate::inventory::tests::inventory;
    use crate::journal::tests::at;

    const RUNS: &str = "V4.30.097 build 200101";

    fn manifest(serial: &str, revision: &str) -> Manifest {
        let revision: firmware::Revision = revision.parse().unwrap();
        serde_json::from_value(serde_json::json!({
            "format": 1, "model": "DS-7608NI-I2", "serial": serial, "version": revision.version,
            "build": revision.build, "taken": at(0), "size": 3, "sha256": Sha256Digest::of(b"abc"),
            "device_key": false, "applier": "0.1.0",
        }))
        .unwrap()
    }

    fn codes(inventory: &Inventory, manifest: &Manifest, options: &RestoreOptions) -> Vec<&'static str> {
        let refusals = plan_restore(inventory, manifest, &Directives::default(), options).unwrap_err();
        for refusal in &refusals {
            assert_eq!(serde_json::to_value(refusal).unwrap()["refusal"], refusal.code());
        }
        refusals.iter().map(Refusal::code).collect()
    }

    fn because() -> Text {
        Text::cleaned("because")
    }

    #[test]
    fn a_configuration_goes_back_to_its_own_recorder_and_version() {
        let recorder = inventory("DS-7608NI-I2", RUNS);
        let own = manifest(recorder.device.serial.as_str(), RUNS);
        let (directives, options) = (Directives::default(), RestoreOptions::default());
        let plan = plan_restore(&recorder, &own, &directives, &options).unwrap();
        assert_eq!((plan.overrides.len(), plan.configuration.length), (0, 3));
        let other = manifest("DS-1A", "V4.1.0 build 180101");
        assert_eq!(codes(&recorder, &other, &options), ["other-origin", "other-version"]);
        let lifted = RestoreOptions { allow_other_version: Some(because()), ..options };
        assert_eq!(codes(&recorder, &other, &lifted), ["other-origin"], "never lifted");
        let older = manifest(recorder.device.serial.as_str(), "V4.1.0 build 180101");
        let plan = plan_restore(&recorder, &older, &directives, &lifted).unwrap();
        assert_eq!(plan.overrides[0].flag.as_str(), "allow-other-version");
        let same = plan_restore(&recorder, &own, &directives, &lifted).unwrap();
        assert!(same.overrides.is_empty(), "only what lifted something is told");
    }

    #[test]
    fn a_recorder_at_work_is_left_alone_and_a_broken_disk_is_no_reason() {
        let mut recorder = inventory("DS-7608NI-I2", RUNS);
        let own = manifest(recorder.device.serial.as_str(), RUNS);
        recorder.disks = serde_json::from_value(serde_json::json!([{"id": "1", "status": "error"}])).unwrap();
        recorder.online_users = serde_json::from_value(serde_json::json!([{"name": "eve"}])).unwrap();
        recorder.upgrade =
            serde_json::from_value(serde_json::json!({"upgrading": true, "percent": 3})).unwrap();
        assert_eq!(codes(&recorder, &own, &RestoreOptions::default()), ["busy", "logged-in"]);
    }

    #[test]
    fn a_policy_forbids_what_lifts() {
        let recorder = inventory("DS-7608NI-I2", RUNS);
        let older = manifest(recorder.device.serial.as_str(), "V4.1.0 build 180101");
        let flags = [OverrideFlag::AllowOtherVersion, OverrideFlag::AllowNetworkedLaptop];
        let policy = Policy { forbidden_overrides: flags.into(), ..Policy::default() };
        let directives =
            Directives { policy: Some((&policy, Sha256Digest::of(b"policy"))), ..Directives::default() };
        let common = Options { networked_laptop: Some(because()), ..Options::default() };
        let options = RestoreOptions { allow_other_version: Some(because()), common };
        let refusals = plan_restore(&recorder, &older, &directives, &options).unwrap_err();
        let codes: Vec<_> = refusals.iter().map(Refusal::code).collect();
        assert_eq!(codes, ["policy-forbids", "policy-forbids", "other-version"]);
    }
}

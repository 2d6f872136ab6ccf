use std::collections::BTreeMap;
use std::path::Path;

use firmware::policy::{OverrideFlag, Policy, REMIND_AFTER_DAYS, REMIND_DAYS};
use firmware::{FirmwareVersion, Model};

use super::fault::{Fault, FileFaults, What};
use super::fields::Fields;
use super::manifest::document;

/// Reads `policy.toml`: what this depot allows, and everything that is wrong with the file. There is a
/// policy only where nothing is.
pub(super) fn read(path: &Path, text: &str) -> (Option<Policy>, Vec<Fault>) {
    let mut faults = FileFaults::new(path, text);
    let root = document(text, &mut faults);
    let mut fields = Fields::new(&root, "the file", 0..0, &mut faults);
    let forbidden = fields.set::<OverrideFlag>("forbidden_overrides").into_iter().map(|(flag, _)| flag);
    let policy = Policy {
        forbidden_overrides: forbidden.collect(),
        backup_required: fields.truth("backup_required").unwrap_or_default(),
        minimum_versions: minimum_versions(&mut fields),
        audit_baseline: fields.parsed("audit_baseline").unwrap_or_default(),
        depot_recipient: fields.parsed("depot_recipient"),
        remind_after_days: fields.days("remind_after_days", &REMIND_DAYS).unwrap_or(REMIND_AFTER_DAYS),
    };
    fields.finish();
    let policy = faults.found.is_empty().then_some(policy);
    (policy, faults.found)
}

fn minimum_versions(fields: &mut Fields<'_, '_>) -> BTreeMap<Model, FirmwareVersion> {
    const KEY: &str = "minimum_versions";
    let mut minimums = BTreeMap::new();
    let Some((table, _)) = fields.table(KEY) else { return minimums };
    for (name, value) in table {
        let model = name.get_ref().parse::<Model>().map_err(|error| (name.span(), error.to_string()));
        let version = match value.get_ref().as_str() {
            Some(text) => text.parse::<FirmwareVersion>().map_err(|error| error.to_string()),
            None => Err(format!("{} is a {}, expected string", name.get_ref(), value.get_ref().type_str())),
        };
        match (model, version.map_err(|why| (value.span(), why))) {
            (Ok(model), Ok(version)) => {
                // names that differ in case only are one model
                if minimums.insert(model.clone(), version).is_some() {
                    let (value, first) = (model.to_string(), "this table".to_owned());
                    fields.faults.add(&name.span(), What::Duplicate { key: KEY, value, first });
                }
            }
            (model, version) => {
                for (at, why) in [model.err(), version.err()].into_iter().flatten() {
                    fields.faults.add(&at, What::Value { key: KEY, why });
                }
            }
        }
    }
    minimums
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"forbidden_overrides = ["allow-downgrade", "push-again"]
backup_required = true
audit_baseline = "segmented"
depot_recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
remind_after_days = 14

[minimum_versions]
"DS-7608NI-I2" = "V4.61.025"
"#;

    #[test]
    fn every_field_is_read_and_has_a_default() {
        let (policy, faults) = read(Path::new("policy.toml"), GOOD);
        assert_eq!(faults, []);
        assert_eq!(
            policy.unwrap().to_string(),
            "forbidden overrides: --allow-downgrade, --push-again; backup required: yes; minimum versions: DS-7608NI-I2 V4.61.025; audit baseline: segmented; depot recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p; reminder: after 14 days"
        );
        let (policy, faults) = read(Path::new("policy.toml"), "# nothing\n");
        assert_eq!((policy, faults), (Some(Policy::default()), vec![]));
    }

    #[test]
    fn each_fault_is_reported_at_its_line() {
        for (good, bad, expected) in [
            (
                "\"push-again\"",
                "\"--push-again\"",
                "1: forbidden_overrides: override \"--push-again\" is not one of",
            ),
            (
                "\"push-again\"",
                "\"allow-downgrade\"",
                "1: forbidden_overrides \"allow-downgrade\" is already",
            ),
            ("= true", "= \"yes\"", "2: backup_required is a string, expected boolean"),
            ("\"segmented\"", "\"relaxed\"", "3: audit_baseline: audit profile \"relaxed\""),
            ("aqmcac8p\"", "aqmcac8q\"", "4: depot_recipient: recipient \"age1"),
            ("= 14", "= \"14\"", "5: remind_after_days is a string, expected integer"),
            ("= 14", "= 0", "5: remind_after_days: 0 is not a number of days"),
            ("= 14", "= 4000", "5: remind_after_days: 4000 is not a number of days"),
            ("backup_required", "backup_needed", "2: key \"backup_needed\" is unknown in the file"),
            ("[minimum_versions]", "[recipient]", "7: key \"recipient\" is unknown in the file"),
            ("DS-7608NI-I2", "DS 7608", "8: minimum_versions: model \"DS 7608\""),
            ("\"V4.61.025\"", "\"V4.61\"", "8: minimum_versions: firmware version \"V4.61\""),
            ("\"V4.61.025\"", "4", "8: minimum_versions: DS-7608NI-I2 is a integer, expected string"),
            (
                "\"V4.61.025\"\n",
                "\"V4.61.025\"\n\"ds-7608ni-i2\" = \"V4.0.0\"\n",
                "9: minimum_versions \"ds-7608ni-i2\" is already that of this table",
            ),
        ] {
            assert!(GOOD.contains(good), "{good}");
            let (policy, faults) = read(Path::new("policy.toml"), &GOOD.replacen(good, bad, 1));
            let expected = format!("policy.toml:{expected}");
            let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert!(
                policy.is_none() && found.iter().any(|f| f.starts_with(&expected)),
                "{expected} not in {found:#?}"
            );
        }
    }
}

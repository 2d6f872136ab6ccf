use std::collections::HashMap;
use std::path::Path;

use firmware::Text;
use firmware::advisory::{Advisory, AdvisoryId, AdvisoryTable, InvalidTable, Kev, Range};

use super::fault::{Fault, FileFaults, What};
use super::fields::{Fields, Words};
use super::manifest::{document, tables};

/// Reads `advisories.toml`: what is published about weak firmware, and everything that is wrong with
/// the file. There is a table only where nothing is.
pub(super) fn read(path: &Path, text: &str) -> (Option<AdvisoryTable>, Vec<Fault>) {
    let mut faults = FileFaults::new(path, text);
    let root = document(text, &mut faults);
    let mut fields = Fields::new(&root, "the file", 0..0, &mut faults);
    fields.require("collected");
    fields.require("attribution");
    let collected = fields.date("collected");
    let attribution = words(&mut fields, "attribution");
    let mut advisories = Vec::new();
    let mut first: HashMap<AdvisoryId, usize> = HashMap::new();
    for (table, at) in tables(&mut fields, "advisory", text) {
        let line = fields.faults.line(at.start);
        let mut entry = Fields::new(table, "[[advisory]]", at, fields.faults);
        let advisory = read_advisory(&mut entry);
        if let Some(advisory) = &advisory {
            let known = *first.entry(advisory.id.clone()).or_insert(line);
            if known != line {
                let (id, first) = (entry.span("id"), format!("the one in line {known}"));
                entry.faults.add(&id, What::Duplicate { key: "id", value: advisory.id.to_string(), first });
            }
        }
        entry.finish();
        advisories.extend(advisory);
    }
    fields.finish();
    let table =
        collected.and_then(|collected| match AdvisoryTable::new(collected, attribution, advisories) {
            Ok(table) => Some(table),
            Err(InvalidTable::TooMany { what, count, limit }) => {
                let (size, limit) = (count as u64, limit as u64);
                faults.add(&(0..0), What::TooLarge { what, size, limit });
                None
            }
            // told above, each where it stands
            Err(InvalidTable::Twice(_) | InvalidTable::Row { .. }) => None,
        });
    (table.filter(|_| faults.found.is_empty()), faults.found)
}

fn words(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Text> {
    fields.list::<Words>(key).into_iter().map(|(item, _)| item.0).collect()
}

fn word(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Text> {
    fields.parsed::<Words>(key).map(|words| words.0)
}

fn read_advisory(fields: &mut Fields<'_, '_>) -> Option<Advisory> {
    let (id, title) = (fields.needed("id"), fields.needed::<Words>("title"));
    fields.require("affected");
    let (added, due) = (fields.date("kev_added"), fields.date("kev_due"));
    if due.is_some() && added.is_none() {
        fields.reject("kev_due", "stands without kev_added");
    }
    let (cvss, source, fixed) = (fields.parsed("cvss"), word(fields, "source"), word(fields, "fixed"));
    let caveats = words(fields, "caveats");
    let mut places = Vec::new();
    let mut affected = Vec::new();
    for (table, at) in fields.rows("affected") {
        let mut row = Fields::new(table, "a row of affected", at.clone(), fields.faults);
        let range = read_range(&mut row);
        row.finish();
        if let Some(range) = range {
            places.push(at);
            affected.push(range);
        }
    }
    let kev = added.map(|added| Kev { added, due });
    let advisory = Advisory { id: id?, title: title?.0, cvss, kev, source, fixed, caveats, affected };
    for (row, why) in advisory.faults() {
        fields.faults.add(&places[row], What::Value { key: "affected", why: why.to_owned() });
    }
    Some(advisory)
}

fn read_range(fields: &mut Fields<'_, '_>) -> Option<Range> {
    let product = fields.needed::<Words>("product");
    Some(Range {
        family: fields.parsed("family"),
        models: fields.parsed("models"),
        version_min: fields.parsed("version_min"),
        version_before: fields.parsed("version_before"),
        version_max: fields.parsed("version_max"),
        build_min: fields.parsed("build_min"),
        build_before: fields.parsed("build_before"),
        build_max: fields.parsed("build_max"),
        overrides: word(fields, "overrides"),
        note: word(fields, "note"),
        // last, so that a missing one leaves no other key unread
        product: product?.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"collected = 2026-11-22
attribution = ["CVE Program"]

[[advisory]]
id = "CVE-2025-66177"
title = "overflow"
cvss = "8.8"
kev_added = 2026-03-05
kev_due = 2026-03-26
source = "https://example.com"
fixed = "later"
caveats = ["read it"]
affected = [
  { product = "DS-76xxNXI-Kx", family = "nvr", models = '^DS\-76[0-9]{2}NXI\-K', build_before = "250807" },
  { product = "DS-7608NXI-K1", models = "^DS-7608NXI-K1", version_max = "V4.76.005", build_max = "231012", overrides = "DS-76xxNXI-Kx" },
  { product = "series", version_min = "V4.1.0", version_before = "V5.0.0", build_min = "200101", note = "x" },
]
"#;

    fn faults(text: &str) -> Vec<String> {
        read(Path::new("advisories.toml"), text).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_field_is_read() {
        let (table, faults) = read(Path::new("advisories.toml"), GOOD);
        assert_eq!(faults, []);
        let [advisory] = table.as_ref().unwrap().advisories() else { panic!("{table:?}") };
        assert_eq!((advisory.caveats.len(), advisory.affected.len()), (1, 3));
        assert_eq!(advisory.kev.unwrap().due, Some("2026-03-26".parse().unwrap()));
    }

    #[test]
    fn each_fault_is_reported_at_its_line() {
        for (good, bad, expected) in [
            ("collected = 2026-11-22\n", "", "1: key \"collected\" is missing in the file"),
            ("attribution = ", "atribution = ", "2: key \"atribution\" is unknown in the file"),
            ("[\"CVE Program\"]", "[\"CVE\\nProgram\"]", "2: attribution: holds characters"),
            ("id = \"CVE-2025-66177\"", "id = \"CVE 2025\"", "5: id: advisory id \"CVE 2025\""),
            ("title = \"overflow\"\n", "", "4: key \"title\" is missing in [[advisory]]"),
            ("\"overflow\"", "\"=overflow\"", "6: title: begins like a formula"),
            ("cvss = \"8.8\"", "cvss = \"88\"", "7: cvss: CVSS score \"88\""),
            ("cvss = \"8.8\"", "cvss = 8.8", "7: cvss is a float, expected string"),
            ("kev_added = 2026-03-05\n", "", "8: kev_due: stands without kev_added"),
            ("fixed =", "fix =", "11: key \"fix\" is unknown in [[advisory]]"),
            (
                r"'^DS\-76[0-9]{2}NXI\-K'",
                "'^DS(76'",
                "14: models: pattern \"^DS(76\" is not a regular expression: unclosed group",
            ),
            ("family = \"nvr\"", "family = \"storage\"", "14: family: family \"storage\""),
            ("build_before = \"250807\"", "build_before = \"259907\"", "14: build_before: build \"259907\""),
            ("version_max = \"V4.76.005\", ", "", "15: affected: build_max stands without version_max"),
            (
                "overrides = \"DS-76xxNXI-Kx\"",
                "overrides = \"x\"",
                "15: affected: it overrides a row that is not there",
            ),
            ("note = \"x\"", "mood = \"x\"", "16: key \"mood\" is unknown in a row of affected"),
            ("product = \"series\", ", "", "16: key \"product\" is missing in a row of affected"),
            (
                "  { product = \"series\"",
                "  1, { product = \"series\"",
                "16: affected is a integer, expected array of tables",
            ),
        ] {
            assert!(GOOD.contains(good), "{good}");
            let found = faults(&GOOD.replacen(good, bad, 1));
            let expected = format!("advisories.toml:{expected}");
            assert!(
                found.iter().any(|fault| fault.starts_with(&expected)),
                "{bad}: {expected} not in {found:#?}"
            );
        }
        let twice = format!("{GOOD}\n[[advisory]]\nid = \"CVE-2025-66177\"\ntitle = \"t\"\naffected = []\n");
        assert_eq!(
            faults(&twice),
            ["advisories.toml:20: id \"CVE-2025-66177\" is already that of the one in line 4"]
        );
    }
}

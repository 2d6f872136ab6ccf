use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::device::tests::device;

const SERIAL: &str = "DS-7608NXI-K120200414CCRRE00000001WCVU";

fn table(advisories: &Value) -> Result<AdvisoryTable, serde_json::Error> {
    serde_json::from_value(json!({"format": 1, "collected": "2026-11-22", "advisories": advisories}))
}

fn advisory(affected: &Value) -> Advisory {
    let value = json!({"id": "CVE-2025-66177", "title": "overflow", "affected": affected});
    serde_json::from_value(value).unwrap()
}

fn judge(advisory: &Advisory, model: &str, revision: &str) -> Judgement {
    advisory.judge(&model.parse().unwrap(), &revision.parse().unwrap(), Some(Family::Nvr)).judgement
}

#[test]
fn where_only_a_build_is_bounded_the_version_does_not_matter() {
    let advisory = advisory(
        &json!([{"product": "DS-76xxNXI-Kx", "models": "^DS-76[0-9]{2}NXI-K", "build_before": "250807"}]),
    );
    for (revision, expected) in [
        ("V4.76.005 build 231012", Judgement::Match),
        ("V9.99.999 build 250806", Judgement::Match),
        ("V4.76.005 build 250807", Judgement::NoMatch),
    ] {
        assert_eq!(judge(&advisory, "DS-7608NXI-K1", revision), expected, "{revision}");
        assert_eq!(judge(&advisory, "DS-7708NXI-K1", revision), Judgement::NoMatch);
    }
}

#[test]
fn last_version_and_last_build_are_one_bound() {
    let advisory = advisory(
        &json!([{"product": "x", "models": "^DS-7604NI-K1", "version_max": "4.30.096", "build_max": "221220"}]),
    );
    for (revision, expected) in [
        ("V4.30.096 build 221220", Judgement::Match),
        ("V4.30.096 build 221221", Judgement::NoMatch),
        ("V4.30.095 build 240101", Judgement::Match),
        ("V4.30.097 build 200101", Judgement::NoMatch),
    ] {
        assert_eq!(judge(&advisory, "DS-7604NI-K1/4P(B)", revision), expected, "{revision}");
    }
}

#[test]
fn a_series_in_words_is_neither_a_match_nor_none() {
    let rows = json!([
        {"product": "DS-EXXHGH", "family": "dvr", "version_min": "4.1.60", "build_before": "230821"},
        {"product": "NVR-1xxMH", "family": "nvr", "version_min": "4.1.60", "build_before": "230821"},
    ]);
    let advisory = advisory(&rows);
    let finding = |family| {
        let (model, revision) = ("DS-7608NI-I2".parse().unwrap(), "V4.30.000 build 200101".parse().unwrap());
        let finding = advisory.judge(&model, &revision, family);
        let products: Vec<String> = finding.rows.iter().map(|row| row.product.to_string()).collect();
        (finding.judgement, products.join(" "))
    };
    assert_eq!(finding(Some(Family::Nvr)), (Judgement::Unknown, "NVR-1xxMH".into()));
    assert_eq!(finding(None), (Judgement::Unknown, "DS-EXXHGH NVR-1xxMH".into()));
    assert_eq!(finding(Some(Family::Ipc)), (Judgement::NoMatch, String::new()));
    // whatever the series is, this firmware is outside
    assert_eq!(judge(&advisory, "DS-7608NI-I2", "V4.30.000 build 230821"), Judgement::NoMatch);
    assert_eq!(judge(&advisory, "DS-7608NI-I2", "V4.1.59 build 200101"), Judgement::NoMatch);
}

#[test]
fn a_row_that_overrides_another_takes_its_place() {
    let advisory = advisory(&json!([
        {"product": "DS-76xxNI-Mx", "models": "^DS-76[0-9]{2}NI-M[0-9]+", "version_min": "5.00.000", "version_before": "5.02.006"},
        {"product": "DS-7604NI-M1/4P", "models": "^DS-7604NI-M1/4P", "version_before": "5.01.070", "overrides": "DS-76xxNI-Mx"},
    ]));
    assert_eq!(judge(&advisory, "DS-7604NI-M1/4P", "V5.01.070 build 230101"), Judgement::NoMatch);
    assert_eq!(judge(&advisory, "DS-7604NI-M1/4P", "V5.01.069 build 230101"), Judgement::Match);
    assert_eq!(judge(&advisory, "DS-7604NI-M1", "V5.01.070 build 230101"), Judgement::Match);
}

#[test]
fn rows_that_contradict_themselves_are_no_table() {
    let model = "^DS-1A";
    for (rows, why) in [
        (
            json!([{"product": "a", "models": model, "version_min": "5.0.0", "version_before": "5.0.0"}]),
            "version_min",
        ),
        (json!([{"product": "a", "version_min": "5.0.0", "version_max": "4.9.9"}]), "version_min"),
        (json!([{"product": "a", "build_min": "230101", "build_before": "230101"}]), "build_min"),
        (json!([{"product": "a", "build_max": "230101"}]), "build_max stands without"),
        (json!([{"product": "a", "models": model, "overrides": "b"}]), "not there"),
        (json!([{"product": "a", "models": model, "overrides": "a"}]), "overrides itself"),
        (json!([{"product": "b"}, {"product": "a", "overrides": "b"}]), "no pattern"),
        (json!([{"product": "a"}, {"product": "a"}]), "same product"),
        (json!([{"product": "a", "models": "("}]), "not a regular expression"),
    ] {
        let error = table(&json!([{"id": "A-1", "title": "t", "affected": rows}])).unwrap_err().to_string();
        assert!(error.contains(why), "{rows}: {error}");
    }
    let one = json!({"id": "A-1", "title": "t", "affected": []});
    assert!(table(&json!([one, one])).unwrap_err().to_string().contains("twice"));
}

#[test]
fn a_flood_is_not_read_and_what_a_later_depot_adds_is_ignored() {
    let many: Vec<Value> = (0..=MOST_ADVISORIES)
        .map(|n| json!({"id": format!("A-{n}"), "title": "t", "affected": []}))
        .collect();
    assert!(table(&many.into()).unwrap_err().to_string().contains("advisories are 501, the limit is 500"));
    let rows: Vec<Value> = (0..=MOST_ROWS).map(|n| json!({"product": n.to_string()})).collect();
    let error = table(&json!([{"id": "A-1", "title": "t", "affected": rows}])).unwrap_err().to_string();
    assert!(error.contains("rows are 10001"), "{error}");
    let later = json!([{"id": "A-1", "title": "t", "mood": 1, "affected": [{"product": "a", "mood": 1}]}]);
    let plain = json!([{"id": "A-1", "title": "t", "affected": [{"product": "a"}]}]);
    assert_eq!(table(&later).unwrap(), table(&plain).unwrap());
}

fn outcomes(from: &str, to: &str, advisories: &Value) -> Vec<String> {
    let device = device("DS-7608NXI-K1", SERIAL, from);
    let effect = table(advisories).unwrap().effect(&device, &to.parse().unwrap());
    effect.changes.iter().map(|change| format!("{} {:?}", change.id, change.outcome)).collect()
}

#[test]
fn an_update_closes_opens_leaves_or_cannot_say() {
    let row = |id: &str, bounds: Value| {
        let mut row = json!({"product": "k", "models": "^DS-7608NXI-K1"});
        row.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
        json!({"id": id, "title": "t", "affected": [row]})
    };
    let all = json!([
        row("CLOSED", json!({"build_before": "250807"})),
        row("NEVER", json!({"version_before": "4.0.0"})),
        row("OPEN", json!({})),
        row("LATER", json!({"version_min": "5.0.0"})),
        {"id": "SERIES", "title": "t", "affected": [{"product": "series", "version_min": "4.0.0"}]},
        {"id": "OLD-SERIES", "title": "t", "affected": [{"product": "series", "build_before": "250807"}]},
        {"id": "CAMERAS", "title": "t", "affected": [{"product": "series", "family": "ipc"}]},
    ]);
    let found = outcomes("V4.76.005 build 231012", "V5.02.006 build 250918", &all);
    let expected = [
        "LATER Opened",
        "OPEN StillOpen",
        "SERIES CannotBeJudged",
        "OLD-SERIES ClosedIfOpen",
        "CLOSED Closed",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_lines_never_say_safe() {
    let device = device("DS-7608NXI-K1", SERIAL, "V4.76.005 build 231012");
    let rows = json!([{"product": "DS-76xxNXI-Kx", "models": "^DS-76", "build_before": "250807"}]);
    let mut one = json!({"id": "CVE-2025-66177", "title": "overflow", "cvss": "8.8", "affected": rows});
    one["kev"] = json!({"added": "2026-03-05"});
    let table = table(&json!([one])).unwrap();
    let lines = |to: &str| table.effect(&device, &to.parse().unwrap()).lines();
    assert_eq!(
        lines("V4.84.100 build 250918"),
        [
            "CVE-2025-66177 closed: overflow (CVSS 8.8, known to be exploited since 2026-03-05); matched DS-76xxNXI-Kx",
            "after the update: no match in this table (2026-11-22), which is no promise",
        ]
    );
    let open = lines("V4.84.100 build 250806");
    assert!(open[0].starts_with("CVE-2025-66177 still open: overflow (CVSS 8.8, known"));
    assert!(open[1].contains("no other match in this table (2026-11-22)"), "{open:?}");
}

#[test]
fn a_table_reads_back_as_it_was_written() {
    let value = json!({
        "collected": "2026-11-22", "attribution": ["CVE Program"],
        "advisories": [{
            "id": "CVE-2025-66177", "title": "t", "cvss": "8.8", "kev": {"added": "2026-03-05", "due": "2026-03-26"},
            "source": "https://example.com", "fixed": "later", "caveats": ["c"],
            "affected": [{
                "product": "p", "family": "nvr", "models": "^DS-1A", "version_min": "V4.1.0", "version_max": "V4.2.0",
                "build_min": "200101", "build_before": "250807", "build_max": "230101", "note": "n",
            }],
        }],
    });
    let table: AdvisoryTable = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&table).unwrap(), value);
}

/// The rule of the collected data, word by word over numbers, and a model compared by its letters.
#[derive(Debug, Clone)]
struct Naive {
    starts: Option<&'static str>,
    version_min: Option<[u16; 3]>,
    version_before: Option<[u16; 3]>,
    version_max: Option<[u16; 3]>,
    build_min: Option<u32>,
    build_before: Option<u32>,
    build_max: Option<u32>,
}

impl Naive {
    fn judge(&self, model: &str, version: [u16; 3], build: u32) -> Judgement {
        let mut holds = true;
        if let Some(bound) = self.version_min {
            holds &= bound <= version;
        }
        if let Some(bound) = self.version_before {
            holds &= version < bound;
        }
        if let Some(bound) = self.build_min {
            holds &= bound <= build;
        }
        if let Some(bound) = self.build_before {
            holds &= build < bound;
        }
        match (self.version_max, self.build_max) {
            (Some(version_max), Some(build_max)) => {
                holds &= version < version_max || (version == version_max && build <= build_max);
            }
            (Some(version_max), None) => holds &= version <= version_max,
            _ => {}
        }
        match self.starts {
            None if holds => Judgement::Unknown,
            Some(starts) if holds && model.to_uppercase().starts_with(starts) => Judgement::Match,
            _ => Judgement::NoMatch,
        }
    }

    fn range(&self) -> Range {
        let version = |v: [u16; 3]| format!("{}.{}.{:03}", v[0], v[1], v[2]).parse().unwrap();
        let build = |b: u32| b.to_string().parse().unwrap();
        Range {
            product: Text::cleaned("p"),
            family: None,
            models: self.starts.map(|starts| format!("^{}", starts.replace('-', r"\-")).parse().unwrap()),
            version_min: self.version_min.map(version),
            version_before: self.version_before.map(version),
            version_max: self.version_max.map(version),
            build_min: self.build_min.map(build),
            build_before: self.build_before.map(build),
            build_max: self.build_max.map(build),
            overrides: None,
            note: None,
        }
    }
}

fn versions() -> impl Strategy<Value = [u16; 3]> {
    (4..6_u16, 0..3_u16, prop::sample::select(vec![5_u16, 9, 10, 85, 820])).prop_map(|(a, b, c)| [a, b, c])
}

fn builds() -> impl Strategy<Value = u32> {
    (22..26_u32, prop::sample::select(vec![101_u32, 807, 821, 1231]))
        .prop_map(|(year, day)| year * 10_000 + day)
}

fn naive() -> impl Strategy<Value = Naive> {
    let starts =
        prop::option::of(prop::sample::select(vec!["DS-76", "DS-7608NI", "DS-7608NI-I2/8P", "IDS", "7608"]));
    let version = || prop::option::of(versions());
    let build = || prop::option::of(builds());
    (starts, version(), version(), version(), build(), build(), build()).prop_map(
        |(starts, version_min, version_before, version_max, build_min, build_before, build_max)| Naive {
            starts,
            version_min,
            version_before,
            version_max,
            build_min,
            build_before,
            // it means a build of the last version
            build_max: build_max.filter(|_| version_max.is_some()),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn judges_as_the_rule_written_down_naively(
        naive in naive(), version in versions(), build in builds(),
        model in prop::sample::select(vec!["DS-7608NI-I2", "ds-7608ni-i2/8p", "iDS-9632NXI-I8/S", "DS-7732NI-K4"]),
    ) {
        let revision = format!("V{}.{}.{} build {build}", version[0], version[1], version[2]).parse().unwrap();
        prop_assert_eq!(naive.range().judge(&model.parse().unwrap(), &revision), naive.judge(model, version, build));
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error(text in r"[\^\[\]()\\{}?*+|a-zA-Z0-9/.-]{0,40}") {
        if let Ok(pattern) = text.parse::<ModelPattern>() {
            let _ = pattern.matches(&"DS-7608NI-I2".parse().unwrap());
            prop_assert_eq!(pattern.as_str(), text);
        }
    }
}

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"
[[release]]
id = "nvr-k51-4.61.025-230421"
family = "nvr"
models = ["DS-7608NI-I2", "DS-7608NI-I2/8P"]
applies_to = "76 77 96 NI-I"
version = "V4.61.025"
build = "230421"
url = "http://example.com/NVR_K51%20x.zip"
page = "https://example.com/"
notes = "https://example.com/n.pdf"
sources = ["vendor FTP listing 2023-05"]
platform = "K51"
package = "S3000568898"
language = "ML"
edition = "STD"
region = "EU"
oem = "X"
hardware = "B"
requires_at_least = "V4.0.0"
no_downgrade_below = "V4.61.025"
via = ["nvr-k51-4.30.000-200101-b"]
git_blob_sha1 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
warnings = ["stay near"]

[release.pin]
size = 3
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
package_size = 9
package_sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
member = "digicap.dav"
on = 2026-11-22
provenance = "http download"

[[release]]
id = "nvr-k51-4.30.000-200101-b"
family = "nvr"
models = ["ds-7608ni-i2"]
version = "V4.30.000"
build = "200101"
sources = ["x"]
"#;

const QUARANTINE: &str = r#"
[[name]]
name = "4G Dongle"
reason = "is a folder label"
rows = ["hk1"]
releases = ["nvr-k51-4.30.000-200101-b"]

[[package]]
package = "S9"
reason = "rows disagree"
rows = ["hk2", "hk3"]
"#;

fn texts(files: &[(&str, &str)]) -> Vec<(PathBuf, String)> {
    files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
}

fn faults(files: &[(&str, &str)]) -> Vec<String> {
    match Catalog::from_texts(&texts(files)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn reads_every_field_and_finds_releases() {
    let catalog =
        Catalog::from_texts(&texts(&[("m/nvr/k51.toml", GOOD), ("m/quarantine.toml", QUARANTINE)])).unwrap();
    let json = serde_json::to_value(&catalog.releases()[0]).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 23, "{keys:?}");
    assert_eq!(json["pin"]["on"], "2026-11-22");
    assert_eq!(json["via"][0], "nvr-k51-4.30.000-200101-b");

    let id: ReleaseId = "nvr-k51-4.30.000-200101-b".parse().unwrap();
    assert_eq!(catalog.release(&id).unwrap().id, id);
    let line = 1 + GOOD.lines().position(|l| l == "id = \"nvr-k51-4.30.000-200101-b\"").unwrap();
    assert_eq!(catalog.place(&id), Some(&Place { file: Path::new("m/nvr/k51.toml").into(), line }));

    let model = "DS-7608NI-I2".parse().unwrap();
    assert_eq!(catalog.for_model(&model).len(), 2);
    assert_eq!(catalog.near_misses(&model), [&"DS-7608NI-I2/8P".parse::<Model>().unwrap()]);
    assert_eq!((catalog.model_count(), catalog.quarantined()), (2, 1));
}

/// One changed line of the good text, and the fault it must give at that line.
const BAD: &[(&str, &str, &str)] = &[
    ("id = \"nvr-k51-4.61.025-230421\"", "id = \"NVR\"", "id: release id \"NVR\" is not 1 to 60 of a-z"),
    (
        "id = \"nvr-k51-4.61.025-230421\"",
        "id = \"nvr-k51-4.61.025-230422\"",
        "is not family, line, version and build of the release: nvr-k51-4.61.025-230421[-…]",
    ),
    ("id = \"nvr-k51-4.61.025-230421\"", "id = \"nvr-k51-4.61.025-2304211\"", "is not family, line"),
    ("id = \"nvr-k51-4.61.025-230421\"", "id = \"nvr-k52-4.61.025-230421\"", "is not family, line"),
    ("family = \"nvr\"", "family = \"dvr\"", "family: is dvr, the folder is nvr"),
    ("family = \"nvr\"", "family = \"car\"", "family \"car\" is not nvr, dvr or ipc"),
    (
        "models = [\"DS-7608NI-I2\", \"DS-7608NI-I2/8P\"]",
        "models = [\"DS-1A\", \"ds-1a\"]",
        "models \"ds-1a\" is already that of this list",
    ),
    ("models = [\"DS-7608NI-I2\", \"DS-7608NI-I2/8P\"]", "models = [\"4G Dongle\"]", "holds a blank"),
    (
        "models = [\"DS-7608NI-I2\", \"DS-7608NI-I2/8P\"]",
        "models = [7]",
        "models is a integer, expected array of strings",
    ),
    (
        "models = [\"DS-7608NI-I2\", \"DS-7608NI-I2/8P\"]",
        "models = \"DS-1A\"",
        "models is a string, expected array",
    ),
    ("applies_to = \"76 77 96 NI-I\"", "applies_to = \"\"", "applies_to: is empty"),
    ("applies_to = \"76 77 96 NI-I\"", "applies_to = \"a\\u202Eb\"", "must not be shown"),
    ("version = \"V4.61.025\"", "version = \"4.61\"", "is not of the form V4.61.025"),
    ("build = \"230421\"", "build = 230421", "build is a integer, expected string"),
    ("build = \"230421\"", "build = \"231399\"", "is not a date"),
    ("url = \"http://example.com/NVR_K51%20x.zip\"", "url = \"ftp://example.com/x\"", "scheme is \"ftp\""),
    (
        "url = \"http://example.com/NVR_K51%20x.zip\"",
        "url = \"http://example.com/a b\"",
        "not percent-encoded",
    ),
    (
        "url = \"http://example.com/NVR_K51%20x.zip\"",
        "url = \"http://me:secret@example.com/\"",
        "holds credentials",
    ),
    ("url = \"http://example.com/NVR_K51%20x.zip\"", "url = \"x.zip\"", "is not a URL"),
    ("sources = [\"vendor FTP listing 2023-05\"]", "sources = []", "names no source"),
    ("requires_at_least = \"V4.0.0\"", "requires_at_least = \"V4.61.026\"", "above the version"),
    ("no_downgrade_below = \"V4.61.025\"", "no_downgrade_below = \"V5.0.0\"", "above the version"),
    (
        "via = [\"nvr-k51-4.30.000-200101-b\"]",
        "via = [\"nvr-k51-9\"]",
        "via names release \"nvr-k51-9\", which is not in the catalogue",
    ),
    (
        "via = [\"nvr-k51-4.30.000-200101-b\"]",
        "via = [\"nvr-k51-4.61.025-230421\"]",
        "names the release itself",
    ),
    (
        "git_blob_sha1 = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "git_blob_sha1 = \"aa\"",
        "40 lower-case",
    ),
    ("size = 3", "size = 0", "0 is not a number of bytes above zero"),
    ("size = 3", "size = -3", "-3 is not a number of bytes above zero"),
    ("size = 3", "size = \"3\"", "size is a string, expected integer"),
    ("on = 2026-11-22", "on = 2026-11-22T00:00:00", "is not a date without a time"),
    ("on = 2026-11-22", "on = \"2026-11-22\"", "on is a string, expected date"),
    ("member = \"digicap.dav\"", "members = \"digicap.dav\"", "key \"members\" is unknown in [release.pin]"),
    ("hardware = \"B\"", "hardwear = \"B\"", "key \"hardwear\" is unknown in [[release]]"),
    ("hardware = \"B\"", "hardware = B", "syntax: "),
];

#[test]
fn each_fault_is_reported_at_its_line() {
    for (line, bad, message) in BAD {
        let at = 1 + GOOD.lines().position(|l| l == *line).unwrap_or_else(|| panic!("{line}"));
        let found = faults(&[("nvr/k51.toml", &GOOD.replacen(line, bad, 1))]);
        let prefix = format!("nvr/k51.toml:{at}: ");
        assert!(
            found.iter().any(|f| f.starts_with(&prefix) && f.contains(message)),
            "{bad}: expected {prefix}…{message}, found {found:#?}"
        );
    }
}

#[test]
fn what_is_required_is_said_at_the_release() {
    for key in ["id", "family", "models", "version", "build", "sources"] {
        let text: String = GOOD.lines().filter(|l| !l.starts_with(&format!("{key} ="))).fold(
            String::new(),
            |mut text, line| {
                let _ = writeln!(text, "{line}");
                text
            },
        );
        let found = faults(&[("nvr/k51.toml", &text)]);
        assert!(
            found.contains(&format!("nvr/k51.toml:2: key {key:?} is missing in [[release]]")),
            "{found:?}"
        );
    }
    for key in ["size", "sha256", "on", "provenance"] {
        let text = GOOD.replace(&format!("\n{key} ="), &format!("\n# {key} ="));
        let found = faults(&[("nvr/k51.toml", &text)]);
        assert_eq!(found, [format!("nvr/k51.toml:26: key {key:?} is missing in [release.pin]")]);
    }
    let found = faults(&[("nvr/k51.toml", &GOOD.replace("package_size = 9\n", ""))]);
    assert!(found[0].contains("stand together or not at all"), "{found:?}");
}

#[test]
fn every_fault_of_the_whole_tree_is_reported_at_once() {
    let broken = "[[release]]\nid = \"x\"\ncolour = 1\n\n[[releases]]\n";
    let found = faults(&[
        ("nvr/a.toml", broken),
        ("nvr/b.toml", "release = [{}]\n= 1"),
        ("quarantine.toml", "[[name]]\nname = \"x\"\n"),
    ]);
    let expected = [
        "nvr/a.toml:1: key \"family\" is missing in [[release]]",
        "nvr/a.toml:3: key \"colour\" is unknown in [[release]]",
        "nvr/a.toml:5: key \"releases\" is unknown in the file",
        "nvr/b.toml:1: release: is not written as [[release]] tables",
        "quarantine.toml:1: key \"reason\" is missing in [[name]]",
    ];
    for fault in expected {
        assert!(found.iter().any(|f| f == fault), "{fault} not in {found:#?}");
    }
    assert!(found.iter().any(|f| f.starts_with("nvr/b.toml:2: syntax: ")), "{found:#?}");
    let lines: Vec<&str> = found.iter().map(|f| f.split(": ").next().unwrap()).collect();
    assert!(lines.is_sorted(), "{lines:?}");
}

#[test]
fn one_package_is_one_release() {
    let other = GOOD.split("[[release]]").nth(1).unwrap().split("via").next().unwrap();
    for (key, value) in [("package", "S3000568898"), ("url", "http://example.com/NVR_K51%20x.zip")] {
        let text = format!(
            "{GOOD}\n[[release]]{}",
            other
                .replace("230421\"", "230421-again\"")
                .replace("build = \"230421-again\"", "build = \"230421\"")
        );
        let found = faults(&[("nvr/k51.toml", &text)]);
        let expected = format!("{key} {value:?} is already that of nvr/k51.toml:3");
        assert!(found.iter().any(|f| f.contains(&expected)), "{expected} not in {found:#?}");
    }
    let found = faults(&[("nvr/k51.toml", GOOD), ("a/nvr/k51.toml", GOOD)]);
    assert!(
        found.iter().any(|f| f.contains("id \"nvr-k51-4.61.025-230421\" is already that of")),
        "{found:#?}"
    );
}

#[test]
fn quarantine_and_releases_agree() {
    let unknown = QUARANTINE.replace("4.30.000-200101-b", "4.30.000-200102");
    let found = faults(&[("nvr/k51.toml", GOOD), ("quarantine.toml", &unknown)]);
    assert_eq!(
        found,
        [
            "quarantine.toml:2: releases names release \"nvr-k51-4.30.000-200102\", which is not in the catalogue"
        ]
    );
    let unread = GOOD.replace("version = \"V4.30.000\"", "version = 4");
    let found = faults(&[("nvr/k51.toml", &unread), ("quarantine.toml", QUARANTINE)]);
    assert_eq!(
        found.len(),
        1,
        "a release that cannot be read is no second fault where it is named: {found:?}"
    );
    let listed = QUARANTINE.replace("4G Dongle", "DS-7608NI-i2");
    let found = faults(&[("nvr/k51.toml", GOOD), ("quarantine.toml", &listed)]);
    assert!(found[0].contains("\"DS-7608NI-i2\" is listed as a model of"), "{found:?}");
}

#[test]
fn advisories_and_policy_stand_beside_the_releases() {
    let advisories = "collected = 2026-11-22\nattribution = []\n[[advisory]]\nid = \"A-1\"\ntitle = \"t\"\naffected = []\n";
    let files = [
        ("nvr/k51.toml", GOOD),
        ("advisories.toml", advisories),
        ("policy.toml", "backup_required = true\n"),
    ];
    let catalog = Catalog::from_texts(&texts(&files)).unwrap();
    assert_eq!(catalog.advisories().unwrap().advisories().len(), 1);
    assert!(catalog.policy().unwrap().backup_required);
    let none = Catalog::from_texts(&texts(&files[..1])).unwrap();
    assert!(none.advisories().is_none() && none.policy().is_none());
    let found = faults(&[("nvr/k51.toml", GOOD), ("advisories.toml", "x = 1"), ("policy.toml", "\n= 1")]);
    assert!(found.contains(&"advisories.toml:1: key \"x\" is unknown in the file".to_owned()), "{found:?}");
    assert!(found.iter().any(|fault| fault.starts_with("policy.toml:2: syntax: ")), "{found:?}");
}

#[test]
fn a_folder_without_releases_is_no_catalogue() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Catalog::read(dir.path()), Err(CatalogError::Empty(_))));
}

#[test]
fn the_error_lists_every_fault_on_its_own_line() {
    let faults = Catalog::from_texts(&texts(&[("nvr/a.toml", "a = 1\nb = 2\n")])).unwrap_err();
    let text = CatalogError::Faults(faults).to_string();
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "catalogue: 2 faults",
            "nvr/a.toml:1: key \"a\" is unknown in the file",
            "nvr/a.toml:2: key \"b\" is unknown in the file",
        ]
    );
}

fn numbered(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().concat()
}

#[test]
fn a_thousand_faults_are_enough() {
    let told = |count: usize| {
        let text = numbered(count, |number| format!("k{number} = 1\n"));
        CatalogError::Faults(Catalog::from_texts(&texts(&[("nvr/a.toml", &text)])).unwrap_err()).to_string()
    };
    let text = told(1000);
    assert!(text.lines().count() == 1001 && text.lines().last().unwrap().contains("a.toml:1000:"), "{text}");
    let text = told(1234);
    assert_eq!((text.lines().count(), text.lines().last()), (1002, Some("and 234 more")));
    assert!(text.starts_with("catalogue: 1234 faults\n"));
}

/// A release of many models that is named often costs about what any text of that size does.
#[test]
fn the_quarantine_is_checked_in_linear_time() {
    let models = numbered(40_000, |number| format!("\"DS-{number}\","));
    let large = GOOD.replace("\"DS-7608NI-I2/8P\"]", &format!("{models}]"));
    let (of_many, of_one) = ("nvr-k51-4.61.025-230421", "nvr-k51-4.30.000-200101-b");
    let took = |id: &str| {
        let name = format!("[[name]]\nname = \"DS-x\"\nreason = \"x\"\nrows = []\nreleases = [\"{id}\"]\n");
        let files = texts(&[("nvr/k51.toml", &large), ("quarantine.toml", &name.repeat(10_000))]);
        let start = std::time::Instant::now();
        assert_eq!(Catalog::from_texts(&files).unwrap().quarantined(), 10_000);
        start.elapsed()
    };
    let (few, many) = (took(of_one), took(of_many));
    assert!(many < few * 10, "{many:?}, and with few models {few:?}");
}

proptest! {
    #[test]
    fn any_text_gives_a_catalogue_or_faults(text in "(\\[\\[release\\]\\]\n|[a-z]{1,4} = |\"[a-z]\"|\\[|\\]|\n|\\PC){0,40}") {
        let result = Catalog::from_texts(&texts(&[("nvr/k51.toml", &text), ("quarantine.toml", &text)]));
        if let Err(faults) = result {
            prop_assert!(!faults.is_empty());
        }
    }
}

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

const HEAD: &str = "{\"format\": 1, \"source\": \"vendor portal\", \"saved\": \"2026-11-30\"}\n";

fn catalog() -> Catalog {
    let text = "[[release]]\nid = \"nvr-k51-4.61.025-230421\"\nfamily = \"nvr\"\nmodels = [\"DS-1A\"]\nversion = \"V4.61.025\"\nbuild = \"230421\"\npackage = \"S1\"\nsources = [\"x\"]\n";
    Catalog::from_texts(&[("nvr/k51.toml".into(), text.to_owned())]).unwrap()
}

fn package(more: &str) -> String {
    format!("{{\"family\": \"nvr\", \"version\": \"V4.70.000\", \"build\": \"240101\", {more}}}\n")
}

fn news(lines: &[String]) -> News {
    compare(&Listing::read(&(HEAD.to_owned() + &lines.concat())).unwrap(), &catalog())
}

fn ids(news: &News) -> Vec<&str> {
    news.new.iter().map(|proposal| proposal.release.id.as_str()).collect()
}

#[test]
fn what_is_known_is_not_proposed() {
    let known = |more: &str| {
        format!("{{\"family\": \"nvr\", \"version\": \"V4.61.025\", \"build\": \"230421\", {more}}}\n")
    };
    let found = news(&[
        known("\"package\": \"S1\", \"models\": [\"DS-1A\", \"DS-1B\"]"),
        known("\"models\": [\"ds-1a\"]"),
        known("\"models\": []"),
    ]);
    assert_eq!((found.known, found.new.len()), (3, 0), "{found:?}");
    let more =
        MoreModels { release: "nvr-k51-4.61.025-230421".into(), models: vec!["DS-1B".parse().unwrap()] };
    assert_eq!(found.more_models, [more]);
    let other = news(&[known("\"package\": \"S2\", \"models\": [\"DS-1A\"], \"platform\": \"K51\"")]);
    assert_eq!(ids(&other), ["nvr-k51-4.61.025-230421-s2"], "another number is another package");
}

#[test]
fn what_is_new_is_proposed_once_without_a_pin_where_it_belongs() {
    let found = news(&[
        package(
            "\"models\": [\"DS-1A\", \"DS-1A\", \"(76 series)\"], \"package\": \"S7\", \"platform\": \"K51_海外标配\", \"language\": \"ML\"",
        ),
        package("\"package\": \"S7\", \"models\": [\"DS-9\"]"),
        package("\"models\": [\"DS-2A\"], \"url\": \"http://vendor.example/a%20b.zip\""),
    ]);
    assert_eq!(ids(&found), ["nvr-k51-overseas-4.70.000-240101", "nvr-portal-4.70.000-240101"], "{found:?}");
    let Proposal { release, file, entry, not_models } = &found.new[0];
    assert_eq!(file, Path::new("nvr/k51-overseas.toml"));
    assert!(release.pin.is_none() && release.models.len() == 2 && not_models[0].as_str() == "(76 series)");
    let expected = "[[release]]\nid = \"nvr-k51-overseas-4.70.000-240101\"\nfamily = \"nvr\"\nmodels = [\"DS-1A\", \"DS-9\"]\nversion = \"V4.70.000\"\nbuild = \"240101\"\nplatform = \"K51_海外标配\"\npackage = \"S7\"\nlanguage = \"ML\"\nsources = [\"vendor portal, saved on 2026-11-30\"]\n";
    assert_eq!(entry, expected);
}

#[test]
fn one_number_is_one_version() {
    let lines = [package("\"package\": \"S7\""), package("\"package\": \"S7\"").replace("V4.70", "V4.71")];
    let found = news(&lines);
    assert_eq!((found.new.len(), found.left_out[0].line), (1, 3));
    assert!(found.left_out[0].reason.as_str().contains("line 2 has another version"), "{found:?}");
}

#[test]
fn nothing_hostile_gets_into_an_entry() {
    let lines = [
        package("\"url\": \"ftp://vendor.example/x.zip\""),
        package("\"url\": \"http://me:secret@vendor.example/x.zip\""),
        package("\"region\": \"EU\\n[release.pin]\\nsize = 1\""),
        package("\"oem\": \"\\u202eevil\""),
        package("\"pin\": {\"size\": 1}"),
        package("\"package\": [\"S1\"]"),
        "{\"family\": \"nvr\"\n".into(),
        package(&format!("\"notes\": \"{}\"", "x".repeat(70_000))),
        package(&format!("\"platform\": \"{}\"", "K".repeat(80))),
    ];
    let found = news(&lines);
    assert_eq!(found.new, [], "{found:?}");
    let at: Vec<usize> = found.left_out.iter().map(|left_out| left_out.line).collect();
    assert_eq!(at, (2..=lines.len() + 1).collect::<Vec<_>>(), "{:?}", found.left_out);
    assert!(found.left_out.iter().all(|left_out| !left_out.reason.as_str().contains('\u{202e}')));
}

#[test]
fn a_listing_says_what_it_is() {
    for (text, told) in [
        ("", "line 1: not the head of a listing"),
        ("[1]", "line 1: not the head of a listing"),
        (
            "{\"format\": 1, \"source\": \"x\", \"saved\": \"2026-11-30\", \"more\": 1}",
            "unknown field `more`",
        ),
        (
            "{\"format\": 2, \"source\": \"x\", \"saved\": \"2026-11-30\"}",
            "format 2, this version reads format 1",
        ),
    ] {
        let error = Listing::read(text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!(Listing::read(&(HEAD.to_owned() + "\n  \n")).unwrap().packages, []);
}

#[test]
fn the_patch_adds_behind_what_is_there() {
    let found =
        news(&[package("\"platform\": \"K51\""), package("\"models\": [\"DS-2A\"], \"package\": \"S9\"")]);
    assert_eq!(
        ids(&found),
        ["nvr-k51-4.70.000-240101"],
        "without models and number, the two may be one: {found:?}"
    );
    let told = found.left_out[0].reason.as_str();
    assert_eq!(told, "as far as it tells, the same package as nvr-k51-4.70.000-240101");
    let there = BTreeMap::from([(PathBuf::from("nvr/k51.toml"), "# by hand\n".to_owned())]);
    let added = patch(&found.new, &there);
    assert!(added.starts_with("--- a/nvr/k51.toml\n+++ b/nvr/k51.toml\n@@ -1 +1,"), "{added}");
    assert!(added.contains("\n # by hand\n+\n+[[release]]\n+id = "), "{added}");
    let fresh = patch(&found.new, &BTreeMap::new());
    assert!(fresh.starts_with("--- /dev/null\n+++ b/nvr/k51.toml\n@@ -0,0 +1,"), "{fresh}");
}

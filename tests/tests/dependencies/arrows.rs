use std::collections::BTreeSet;

use cargo_metadata::DependencyKind;

use super::{declared, metadata, reached};

/// Every crate and the crates that it may depend on; what those reach may be named too.
const ARROWS: [(&str, &[&str]); 14] = [
    ("firmware", &[]),
    ("keys", &[]),
    ("terminal", &[]),
    ("tuf-client", &["keys"]),
    ("tuf-repository", &["keys", "tuf-client"]),
    ("receipt", &["firmware", "keys"]),
    ("stick", &["tuf-client", "receipt"]),
    ("drive", &["firmware", "terminal"]),
    ("isapi", &["firmware"]),
    ("link", &["firmware"]),
    (
        "fetcher",
        &["firmware", "keys", "tuf-client", "tuf-repository", "receipt", "stick", "drive", "terminal"],
    ),
    (
        "applier",
        &["firmware", "keys", "tuf-client", "receipt", "stick", "drive", "isapi", "link", "terminal"],
    ),
    ("nvr-sim", &["firmware", "terminal"]),
    // not shipped: tests, and the download server
    ("journeys", &["nvr-sim"]),
];

/// What each crate may name: its arrows, and all that these lead to.
fn allowed(name: &str) -> BTreeSet<&'static str> {
    let (_, arrows) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name).unwrap();
    arrows.iter().flat_map(|arrow| allowed(arrow).into_iter().chain([*arrow])).collect()
}

#[test]
fn every_crate_has_its_place() {
    let metadata = metadata();
    let members: BTreeSet<&str> = metadata.workspace_packages().iter().map(|p| p.name.as_str()).collect();
    let placed: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, placed);
}

#[test]
fn arrows_between_crates_are_the_drawn_ones() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let ours = |names: BTreeSet<&str>| -> BTreeSet<String> {
            names
                .into_iter()
                .filter(|name| ARROWS.iter().any(|(ours, _)| ours == name))
                .map(Into::into)
                .collect()
        };
        let allowed = allowed(&package.name);
        for kind in [DependencyKind::Normal, DependencyKind::Build] {
            for name in ours(declared(package, kind)) {
                assert!(allowed.contains(name.as_str()), "{} may not depend on {name}", package.name);
            }
        }
        // tests may use the simulator, the download server and the signing side, but not drive the
        // programs of another crate: that is a journey
        for name in ours(declared(package, DependencyKind::Development)) {
            let program = ["fetcher", "applier"].contains(&name.as_str());
            assert!(!program || package.name == "journeys", "tests of {} may not use {name}", package.name);
        }
    }
}

#[test]
fn the_offline_half_cannot_sign_metadata_and_no_shipped_program_holds_a_fake() {
    let metadata = metadata();
    for (program, never) in [
        ("applier", ["tuf-repository", "fetcher", "nvr-sim", "journeys"].as_slice()),
        ("fetcher", &["applier", "isapi", "link", "nvr-sim", "journeys"]),
        ("nvr-sim", &["isapi", "link", "applier", "fetcher", "journeys"]),
    ] {
        let reached = reached(&metadata, program);
        assert!(reached.contains("firmware"), "{program}: the walk found {reached:?}");
        for name in never {
            assert!(!reached.contains(name), "{program} reaches {name}");
        }
    }
}

#[test]
fn only_programs_and_what_both_do_with_sticks_speak_to_people() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        if declared(package, DependencyKind::Normal).contains("terminal") {
            assert!(
                ["fetcher", "applier", "nvr-sim", "drive"].contains(&package.name.as_str()),
                "{}",
                package.name
            );
        }
    }
}

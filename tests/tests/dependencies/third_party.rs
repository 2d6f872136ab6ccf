use std::collections::BTreeSet;
use std::fs::read_to_string;

use cargo_metadata::Package;
use cargo_metadata::semver::VersionReq;
use spdx::{Expression, ParseMode};
use toml::Table;

use super::metadata;

/// The same file that `cargo deny` reads: one truth about what is let in.
fn deny() -> Table {
    read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml")).unwrap().parse().unwrap()
}

fn strings(deny: &Table, section: &str, key: &str) -> BTreeSet<String> {
    let list = deny[section][key].as_array().unwrap();
    list.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn is_licensed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // older crates write MIT/Apache-2.0 for "or"
    let expression = Expression::parse_mode(expression, ParseMode::LAX).unwrap();
    expression.evaluate(|requirement| {
        requirement.license.id().is_some_and(|id| requirement.addition.is_none() && allowed.contains(id.name))
    })
}

/// Everything that is linked in or runs during the build, tests included.
fn packages() -> Vec<Package> {
    let packages = metadata().packages;
    assert!(packages.len() > 100, "only {} packages", packages.len());
    packages
}

#[test]
fn licences_are_permissive() {
    let allowed = strings(&deny(), "licenses", "allow");
    for package in packages() {
        let licence = package.license.as_deref().unwrap_or("none stated");
        assert!(is_licensed(licence, &allowed), "{} {}: {licence}", package.name, package.version);
    }
    assert!(!is_licensed("MIT AND GPL-3.0-only", &allowed) && is_licensed("MIT OR GPL-3.0-only", &allowed));
}

#[test]
fn banned_crates_are_absent() {
    let deny = deny();
    let banned: Vec<&str> =
        deny["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    assert!(banned.contains(&"openssl"));
    for package in packages() {
        assert!(!banned.contains(&package.name.as_str()), "{} is banned", package.name);
    }
}

#[test]
fn sources_are_the_registry_and_this_workspace() {
    let registries: BTreeSet<String> = strings(&deny(), "sources", "allow-registry");
    let members = metadata().workspace_members;
    for package in packages() {
        match &package.source {
            Some(source) => {
                let registry = source.repr.strip_prefix("registry+").unwrap_or(&source.repr);
                assert!(registries.contains(registry), "{} comes from {source}", package.name);
            }
            None => assert!(members.contains(&package.id), "{} comes from a path outside", package.name),
        }
    }
}

#[test]
fn versions_are_stated() {
    for package in metadata().workspace_packages() {
        for dependency in &package.dependencies {
            // dependencies by path are this workspace's own
            let stated = dependency.path.is_some() || dependency.req != VersionReq::STAR;
            assert!(stated, "{}: any version of {}", package.name, dependency.name);
        }
    }
}

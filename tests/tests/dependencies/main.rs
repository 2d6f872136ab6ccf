//! What may depend on what: the arrows between our crates, who may know the network, and which
//! third-party code is let in. Read from `cargo metadata`, dependency kinds apart: what only tests need
//! is not shipped.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod arrows;
mod network;
mod third_party;

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The workspace, resolved for the platform that is shipped.
fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .other_options(["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"].map(String::from))
        .exec()
        .unwrap()
}

/// Names of the packages that a package declares, for one kind of dependency.
fn declared(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    let of_kind = package.dependencies.iter().filter(|dependency| dependency.kind == kind);
    of_kind.map(|dependency| dependency.name.as_str()).collect()
}

/// Names of all packages that end up in a package's own build, through any number of steps; what only
/// its tests need is left out.
fn reached<'a>(metadata: &'a Metadata, name: &str) -> BTreeSet<&'a str> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let nodes: BTreeMap<_, _> = nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata.workspace_packages().into_iter().find(|p| p.name == name).unwrap();
    let (mut found, mut next) = (BTreeSet::new(), vec![&start.id]);
    while let Some(id) = next.pop() {
        for dependency in &nodes[id].deps {
            let shipped = dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
            if shipped && found.insert(metadata[&dependency.pkg].name.as_str()) {
                next.push(&dependency.pkg);
            }
        }
    }
    found
}

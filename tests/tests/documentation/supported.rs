//! Which recorders the catalogue covers, counted from the manifests.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::read_to_string;

use crate::{assert_current, root, words};

/// Packages, those without models, and the models of the others.
#[derive(Default)]
struct Count {
    packages: usize,
    without: usize,
    models: BTreeSet<String>,
}

impl Count {
    fn add(&mut self, release: &toml::Table) {
        let models = words(release, "models");
        self.packages += 1;
        self.without += usize::from(models.is_empty());
        self.models.extend(models.iter().map(|model| model.to_ascii_lowercase()));
    }

    fn row(&self, name: &str) -> String {
        format!("| {name} | {} | {} | {} |", self.packages, self.without, self.models.len())
    }
}

#[test]
fn what_the_catalogue_covers_is_counted() {
    // what stands before the table is written by hand
    const BEGIN: &str = "\n## What the catalogue lists\n";
    let there = read_to_string(root().join("docs/supported-recorders.md")).unwrap();
    let before = there.split_once(BEGIN).map_or(&*there, |(before, _)| before);
    let mut text = format!(
        "{before}{BEGIN}\nCounted from `firmware-manifests/` by `COURIER_UPDATE_DOCS=1 cargo test -p journeys --test documentation`; the same\ntest holds it current. A line is a manifest: a platform, or `portal` and `collection` where none is known.\n\n| line | packages | without models | models |\n|---|---|---|---|\n"
    );
    let mut all = Count::default();
    for family in ["nvr", "dvr", "ipc"] {
        let folder = root().join("firmware-manifests").join(family);
        let mut files: Vec<_> =
            folder.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let manifest: toml::Table = read_to_string(&file).unwrap().parse().unwrap();
            let mut line = Count::default();
            for release in manifest["release"].as_array().unwrap() {
                line.add(release.as_table().unwrap());
                all.add(release.as_table().unwrap());
            }
            let name = format!("{family}/{}", file.file_stem().unwrap().to_str().unwrap());
            writeln!(text, "{}", line.row(&name)).unwrap();
        }
    }
    assert!(all.packages > 400, "only {} packages were found", all.packages);
    writeln!(text, "{}", all.row("**all**")).unwrap();
    assert_current("docs/supported-recorders.md", &text);
}

use std::path::Path;

use firmware::ReleaseId;

use super::fault::{Fault, FileFaults};
use super::fields::{Fields, Prose};
use super::manifest::{document, tables};

/// A name that was not taken for a model, with what later checks need.
#[derive(Debug)]
pub(super) struct QuarantinedName {
    pub(super) name: String,
    /// The releases it was listed for.
    pub(super) releases: Vec<ReleaseId>,
    pub(super) line: usize,
}

/// Reads `quarantine.toml`: nothing in it is ever planned, but it is kept in order.
pub(super) fn read(path: &Path, text: &str) -> (Vec<QuarantinedName>, Vec<Fault>) {
    let mut faults = FileFaults::new(path, text);
    let root = document(text, &mut faults);
    let mut names = Vec::new();
    let mut fields = Fields::new(&root, "the file", 0..0, &mut faults);
    for (table, at) in tables(&mut fields, "name", text) {
        let line = fields.faults.line(at.start);
        let mut name = Fields::new(table, "[[name]]", at, fields.faults);
        let text = reasoned(&mut name, "name").unwrap_or_default();
        let releases = name.set::<ReleaseId>("releases").into_iter().map(|(id, _)| id).collect();
        name.finish();
        names.push(QuarantinedName { name: text, releases, line });
    }
    for (table, at) in tables(&mut fields, "package", text) {
        let mut package = Fields::new(table, "[[package]]", at, fields.faults);
        reasoned(&mut package, "package");
        package.finish();
    }
    fields.finish();
    (names, faults.found)
}

/// What is quarantined; why and which rows said so must stand beside it.
fn reasoned(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    for key in [key, "reason", "rows"] {
        fields.require(key);
    }
    fields.text("reason");
    fields.list::<Prose>("rows");
    fields.text(key).map(str::to_owned)
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firmware::{Release, ReleaseId, Sha256Digest};
use similar::TextDiff;

use super::listing::{Listing, Package};
use super::{Proposal, source};
use crate::catalog::Catalog;

/// The entry for a package, as the check of the manifests accepts it; or why it cannot stand there.
pub(super) fn entry(
    package: &Package,
    listing: &Listing,
    catalog: &Catalog,
    before: &[Proposal],
) -> Result<Proposal, String> {
    let line = line_of(package.platform.as_deref());
    let file = PathBuf::from(package.family.as_str()).join(format!("{line}.toml"));
    let taken = |id: &ReleaseId| {
        catalog.release(id).is_some() || before.iter().any(|proposal| proposal.release.id == *id)
    };
    let id = id_of(package, &line, taken)?;
    let (models, not_models) = package.models();
    let models: Vec<String> = models.iter().map(ToString::to_string).collect();
    let text = |text: &str| toml::Value::from(text).to_string();
    let said = |key: &'static str, value: Option<&str>| Some((key, text(value?)));
    let mut rows = vec![
        ("id", text(id.as_str())),
        ("family", text(package.family.as_str())),
        ("models", toml::Value::from(models).to_string()),
        ("version", text(&package.revision.version.to_string())),
        ("build", text(&package.revision.build.to_string())),
    ];
    rows.extend(said("platform", package.platform.as_deref()));
    rows.extend(said("package", package.number.as_deref()));
    rows.extend(package.facts.iter().filter_map(|(key, value)| said(key, value.as_deref())));
    rows.extend(said("url", package.url.as_deref()));
    rows.push(("sources", toml::Value::from(vec![source(&listing.source, listing.saved)]).to_string()));
    let entry = rows
        .iter()
        .fold("[[release]]\n".to_owned(), |entry, (key, value)| entry + key + " = " + value + "\n");
    let release = checked(&file, &entry)?;
    Ok(Proposal { release, file, entry, not_models })
}

/// Reads the entry as a manifest of its own.
fn checked(file: &Path, entry: &str) -> Result<Release, String> {
    let catalog = Catalog::from_texts(&[(file.to_owned(), entry.to_owned())]).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| fault.what.to_string()).collect();
        faults.join("; ")
    })?;
    match catalog.releases() {
        [release] if release.pin.is_none() => Ok(release.clone()),
        _ => Err("it is no single release".to_owned()),
    }
}

/// The manifest that a package belongs in: its platform token in lower-case ASCII.
fn line_of(platform: Option<&str>) -> String {
    let spelled = platform.unwrap_or_default().replace("海外标配", "overseas").to_lowercase();
    let ascii = spelled.chars().fold(String::new(), |line, c| match c {
        'a'..='z' | '0'..='9' => line + &c.to_string(),
        c if c.is_ascii() => line + "-",
        c => line + &format!("-u{:x}-", u32::from(c)),
    });
    let parts: Vec<&str> = ascii.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "portal".to_owned() } else { parts.join("-") }
}

/// Family, line, version and build; where that is taken, with the package number, or with the first digits of the digest of
/// what else names it.
fn id_of(package: &Package, line: &str, taken: impl Fn(&ReleaseId) -> bool) -> Result<ReleaseId, String> {
    let version = package.revision.version.to_string();
    let version = version.trim_start_matches('V');
    let plain = format!("{}-{line}-{version}-{}", package.family, package.revision.build);
    let number = package.number.as_deref().map(str::to_lowercase);
    let named = number.clone().or_else(|| package.url.clone()).unwrap_or_default();
    let digest = Sha256Digest::of(named.as_bytes()).to_string();
    let suffixes = number.into_iter().chain([digest[..8].to_owned()]);
    let ids = [plain.clone()].into_iter().chain(suffixes.map(|suffix| format!("{plain}-{suffix}")));
    let found = ids.filter_map(|id| id.parse().ok()).find(|id| !taken(id));
    found.ok_or_else(|| format!("no release id can be made of it: {plain} is taken or too long"))
}

/// A patch over the folder of the manifests that adds the entries: `patch -p1` takes it, and a person reads it first.
/// `manifests` are the texts that are there, by their path in the folder.
pub fn patch(proposals: &[Proposal], manifests: &BTreeMap<PathBuf, String>) -> String {
    let mut files: BTreeMap<&Path, Vec<&str>> = BTreeMap::new();
    for proposal in proposals {
        files.entry(&proposal.file).or_default().push(&proposal.entry);
    }
    let mut patch = String::new();
    for (file, entries) in files {
        let there = manifests.get(file);
        let mut text = there.cloned().unwrap_or_default();
        for entry in entries {
            let gap = if text.is_empty() {
                ""
            } else if text.ends_with('\n') {
                "\n"
            } else {
                "\n\n"
            };
            text = text + gap + entry;
        }
        let name = file.display();
        let from = there.map_or_else(|| "/dev/null".to_owned(), |_| format!("a/{name}"));
        let before = there.map_or("", String::as_str);
        let diff = TextDiff::from_lines(before, &text);
        patch += &diff.unified_diff().header(&from, &format!("b/{name}")).to_string();
    }
    patch
}

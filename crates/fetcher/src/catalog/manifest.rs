use std::ops::Range;
use std::path::Path;

use firmware::{Model, Pin, Release, ReleaseId, Revision};
use toml::de::{DeTable, Error as SyntaxError};
use url::Url;

use super::fault::{Fault, FileFaults, What};
use super::fields::{Fields, Prose};

/// A release with the lines that later checks point at.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) release: Release,
    /// Line of its id.
    pub(super) line: usize,
    /// Lines of the items of `via`.
    pub(super) via_lines: Vec<usize>,
}

/// What one manifest holds.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) drafts: Vec<Draft>,
    /// Releases that have an id and are too faulty to be read; other text may name them.
    pub(super) unread: Vec<ReleaseId>,
    pub(super) faults: Vec<Fault>,
}

/// Reads one `<family>/<line>.toml`: its releases, and everything that is wrong with it.
pub(super) fn read(path: &Path, text: &str) -> Manifest {
    let mut faults = FileFaults::new(path, text);
    let root = document(text, &mut faults);
    let (mut drafts, mut unread) = (Vec::new(), Vec::new());
    let mut fields = Fields::new(&root, "the file", 0..0, &mut faults);
    for (table, at) in tables(&mut fields, "release", text) {
        let fields = Fields::new(table, "[[release]]", at, fields.faults);
        match read_release(fields, path) {
            Some(draft) => drafts.push(draft),
            None => unread.extend(table.get("id").and_then(|id| id.get_ref().as_str()?.parse().ok())),
        }
    }
    fields.finish();
    Manifest { drafts, unread, faults: faults.found }
}

/// The parsed text; what is not TOML is noted, and the rest is read all the same.
pub(super) fn document<'i>(text: &'i str, faults: &mut FileFaults) -> DeTable<'i> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let note = |error: &SyntaxError| (error.span().unwrap_or_default(), error.message().to_owned());
    for (at, message) in errors.iter().map(note) {
        faults.add(&at, What::Syntax(message));
    }
    root.into_inner()
}

/// The tables of `[[key]]`. Only that spelling is taken, since pins are written below its header.
pub(super) fn tables<'a, 'i>(
    fields: &mut Fields<'a, 'i>,
    key: &'static str,
    text: &str,
) -> Vec<(&'a DeTable<'i>, Range<usize>)> {
    let Some(value) = fields.get(key) else { return Vec::new() };
    let items = value.get_ref().as_array().map(|array| array.iter()).into_iter().flatten();
    let found: Vec<_> = items
        .filter(|item| text[item.span()].starts_with("[["))
        .filter_map(|item| Some((item.get_ref().as_table()?, item.span())))
        .collect();
    if value.get_ref().as_array().map(|array| array.len()) != Some(found.len()) {
        fields.reject(key, format_args!("is not written as [[{key}]] tables"));
    }
    found
}

fn read_release(mut fields: Fields<'_, '_>, path: &Path) -> Option<Draft> {
    let via = fields.set::<ReleaseId>("via");
    let via_lines = via.iter().map(|(_, at)| fields.faults.line(at.start)).collect();
    let via = via.into_iter().map(|(id, _)| id).collect();
    let release = read_facts(&mut fields, via);
    if let Some(release) = &release {
        check_place(&mut fields, release, path);
        check_rules(&mut fields, release);
    }
    let line = fields.faults.line(fields.span("id").start);
    fields.finish();
    Some(Draft { release: release?, line, via_lines })
}

fn read_facts(fields: &mut Fields<'_, '_>, via: Vec<ReleaseId>) -> Option<Release> {
    let (id, family) = (fields.needed("id"), fields.needed("family"));
    let (version, build) = (fields.needed("version"), fields.needed("build"));
    fields.require("models");
    fields.require("sources");
    Some(Release {
        models: fields.set::<Model>("models").into_iter().map(|(model, _)| model).collect(),
        applies_to: owned(fields, "applies_to"),
        url: address(fields, "url"),
        page: address(fields, "page"),
        notes: address(fields, "notes"),
        sources: prose(fields, "sources"),
        platform: owned(fields, "platform"),
        package: owned(fields, "package"),
        language: owned(fields, "language"),
        edition: owned(fields, "edition"),
        region: owned(fields, "region"),
        oem: owned(fields, "oem"),
        hardware: owned(fields, "hardware"),
        requires_at_least: fields.parsed("requires_at_least"),
        no_downgrade_below: fields.parsed("no_downgrade_below"),
        via,
        git_blob_sha1: blob(fields),
        warnings: prose(fields, "warnings"),
        pin: fields
            .table("pin")
            .and_then(|(table, at)| read_pin(Fields::new(table, "[release.pin]", at, fields.faults))),
        // last, so that a missing one leaves no other key unread
        id: id?,
        family: family?,
        revision: Revision { version: version?, build: build? },
    })
}

/// A release stands where its family says, and its id repeats file, version and build: an id leads
/// to its file, and a slip of the pen in a version does not go unnoticed.
fn check_place(fields: &mut Fields<'_, '_>, release: &Release, path: &Path) {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    if folder != release.family.as_str() {
        let folder = folder.to_string_lossy();
        fields.reject("family", format_args!("is {}, the folder is {folder}", release.family));
    }
    let line = path.file_stem().unwrap_or_default().to_string_lossy();
    let version = release.revision.version.to_string();
    let version = version.strip_prefix('V').unwrap_or(&version);
    let expected = format!("{}-{line}-{version}-{}", release.family, release.revision.build);
    let rest = release.id.as_str().strip_prefix(&expected);
    if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-') && rest.len() > 1) {
        let why = "is not family, line, version and build of the release";
        fields.reject("id", format_args!("{} {why}: {expected}[-…]", release.id));
    }
}

fn check_rules(fields: &mut Fields<'_, '_>, release: &Release) {
    let version = &release.revision.version;
    for (key, bound) in [
        ("requires_at_least", &release.requires_at_least),
        ("no_downgrade_below", &release.no_downgrade_below),
    ] {
        if let Some(bound) = bound.as_ref().filter(|bound| *bound > version) {
            fields.reject(key, format_args!("{bound} is above the version of the release, {version}"));
        }
    }
    if release.via.contains(&release.id) {
        fields.reject("via", "names the release itself");
    }
    if release.sources.is_empty() {
        fields.reject("sources", "names no source");
    }
}

fn read_pin(mut fields: Fields<'_, '_>) -> Option<Pin> {
    fields.require("size");
    fields.require("on");
    fields.require("provenance");
    let sha256 = fields.needed("sha256");
    let (size, on, provenance) = (fields.size("size"), fields.date("on"), owned(&mut fields, "provenance"));
    let (package_size, package_sha256) = (fields.size("package_size"), fields.parsed("package_sha256"));
    let member = owned(&mut fields, "member");
    if package_size.is_some() != package_sha256.is_some() || package_size.is_some() != member.is_some() {
        fields.reject("member", "package_size, package_sha256 and member stand together or not at all");
    }
    fields.finish();
    let (size, sha256, on, provenance) = (size?, sha256?, on?, provenance?);
    Some(Pin { size, sha256, package_size, package_sha256, member, on, provenance })
}

fn owned(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    fields.text(key).map(str::to_owned)
}

fn prose(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<String> {
    fields.list::<Prose>(key).into_iter().map(|(item, _)| item.0).collect()
}

/// A web address in the spelling that goes on the wire (RFC 3986): no blanks, nothing beyond ASCII.
fn address(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let text = fields.text(key)?;
    let why = match Url::parse(text) {
        Err(error) => format!("{text:?} is not a URL: {error}"),
        Ok(_) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("{text:?} is not percent-encoded")
        }
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            format!("scheme is {:?}, expected http or https", url.scheme())
        }
        Ok(url) if url.has_host() && url.username().is_empty() && url.password().is_none() => {
            return Some(text.to_owned());
        }
        Ok(_) => format!("{text:?} has no host, or holds credentials"),
    };
    fields.reject(key, why);
    None
}

fn blob(fields: &mut Fields<'_, '_>) -> Option<String> {
    let text = fields.text("git_blob_sha1")?;
    if text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Some(text.to_owned());
    }
    fields.reject("git_blob_sha1", format_args!("{text:?} is not 40 lower-case hexadecimal digits"));
    None
}

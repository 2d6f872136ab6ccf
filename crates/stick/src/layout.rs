//! What lies where on a stick (design: formats, the stick).

use std::fmt;

use receipt::LaptopId;

use crate::signed_document;

/// The folder that holds everything of ours; other people's files beside it are left alone.
pub const FOLDER: &str = "COURIER";
/// For people; not trusted.
pub const README: &str = "COURIER/README.txt";
/// TUF metadata.
pub const METADATA: &str = "COURIER/metadata";
/// The metadata file that makes a publication the current one: written last.
pub const TIMESTAMP: &str = "COURIER/metadata/timestamp.json";
/// Firmware, and the documents that steer plans.
pub const TARGETS: &str = "COURIER/targets";
/// What has arrived from each laptop.
pub const ACKNOWLEDGED: &str = "COURIER/acknowledged.json";
/// Statements on their way home.
pub const RECEIPTS: &str = "COURIER/receipts";

/// The largest file of FAT32, bytes.
pub const LARGEST_FILE: u64 = u32::MAX as u64;

/// The path of a metadata file, `7.snapshot.json`.
pub fn metadata(name: impl fmt::Display) -> String {
    format!("{METADATA}/{name}")
}

/// The path of a target by its consistent name, `<release id>/<sha256>.digicap.dav` or
/// `<sha256>.policy.json`.
pub fn target(consistent_name: impl fmt::Display) -> String {
    format!("{TARGETS}/{consistent_name}")
}

/// The folder of one laptop's statements.
pub fn receipts(laptop: &LaptopId) -> String {
    format!("{RECEIPTS}/{laptop}")
}

/// The path of one statement.
pub fn receipt(laptop: &LaptopId, counter: u64) -> String {
    format!("{RECEIPTS}/{laptop}/{counter}.json")
}

/// The path of one statement that is encrypted to the depot.
pub fn sealed_receipt(laptop: &LaptopId, counter: u64) -> String {
    format!("{RECEIPTS}/{laptop}/{counter}.json.age")
}

/// Whether this is a file name of snapshot or targets metadata, `<version>.snapshot.json`.
pub fn is_versioned_metadata(name: &str) -> bool {
    let Some((version, rest)) = name.split_once('.') else { return false };
    is_number(version) && matches!(rest, "snapshot.json" | "targets.json")
}

/// The version in a file name of a root, `<version>.root.json`.
pub fn root_version(name: &str) -> Option<u64> {
    let version = name.strip_suffix(".root.json").filter(|version| is_number(version))?;
    version.parse().ok()
}

/// Whether this is a file name of firmware, `<sha256>.digicap.dav`.
pub fn is_firmware(name: &str) -> bool {
    name_behind_digest(name) == Some(firmware::Release::FILE_NAME)
}

/// Whether this is a file name of a document that steers plans, `<sha256>.policy.json`.
pub fn is_document(name: &str) -> bool {
    name_behind_digest(name).is_some_and(|name| signed_document::NAMES.contains(&name))
}

fn name_behind_digest(name: &str) -> Option<&str> {
    let (digest, rest) = name.split_once('.')?;
    (digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit())).then_some(rest)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_ours() {
        assert!(is_versioned_metadata("12.snapshot.json") && is_versioned_metadata("1.targets.json"));
        for name in [
            "1.root.json",
            "timestamp.json",
            "x.targets.json",
            ".targets.json",
            "1.targets.json.bak",
            "-1.snapshot.json",
        ] {
            assert!(!is_versioned_metadata(name), "{name}");
        }
        assert_eq!(
            (root_version("12.root.json"), root_version("99999999999999999999.root.json")),
            (Some(12), None)
        );
        for name in ["root.json", ".root.json", "+1.root.json", "1.root.json.bak", "1.targets.json"] {
            assert_eq!(root_version(name), None, "{name}");
        }
        let digest = "a".repeat(64);
        assert!(is_firmware(&format!("{digest}.digicap.dav")));
        assert!(!is_firmware(&format!("{digest}.digicap.dav.part")) && !is_firmware("holiday.digicap.dav"));
        for document in ["advisories.json", "policy.json"] {
            assert!(
                is_document(&format!("{digest}.{document}")) && !is_firmware(&format!("{digest}.{document}"))
            );
            assert!(!is_document(document) && !is_document(&format!("{digest}.{document}.bak")));
        }
        assert!(!is_document(&format!("{digest}.holiday.json")));
    }
}

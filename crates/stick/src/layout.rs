//! What lies where on a stick (design: formats, the stick).

use std::fmt;

use receipt::LaptopId;

/// The folder that holds everything of ours; other people's files beside it are left alone.
pub const FOLDER: &str = "COURIER";
/// For people; not trusted.
pub const README: &str = "COURIER/README.txt";
/// TUF metadata.
pub const METADATA: &str = "COURIER/metadata";
/// The metadata file that makes a publication the current one: written last.
pub const TIMESTAMP: &str = "COURIER/metadata/timestamp.json";
/// Firmware.
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

/// The path of a target by its consistent name, `<release id>/<sha256>.digicap.dav`.
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

/// Whether this is a file name of snapshot or targets metadata, `<version>.snapshot.json`.
pub fn is_versioned_metadata(name: &str) -> bool {
    let Some((version, rest)) = name.split_once('.') else { return false };
    is_number(version) && matches!(rest, "snapshot.json" | "targets.json")
}

/// Whether this is a file name of firmware, `<sha256>.digicap.dav`.
pub fn is_firmware(name: &str) -> bool {
    let Some((digest, rest)) = name.split_once('.') else { return false };
    digest.len() == 64
        && digest.bytes().all(|b| b.is_ascii_hexdigit())
        && rest == firmware::Release::FILE_NAME
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
        let digest = "a".repeat(64);
        assert!(is_firmware(&format!("{digest}.digicap.dav")));
        assert!(!is_firmware(&format!("{digest}.digicap.dav.part")) && !is_firmware("holiday.digicap.dav"));
    }
}

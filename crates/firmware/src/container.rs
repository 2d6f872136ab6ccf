//! The firmware container, `digicap.dav`: what its first bytes say (reference: container §1-§4).
//!
//! Format A (`SWKH`) has a readable header: language, device class, file table, checksums. Formats B
//! (`02KH`) and C (`HKSU`) are recognised and said to be opaque, and so is anything unknown. A
//! readable header can stop a push; an unreadable one never lets one pass that would be stopped:
//! the claims are "damaged or not firmware", "Chinese", or "nothing wrong seen", never "fits".

mod format_a;

use serde::{Deserialize, Serialize};

pub use format_a::{Entry, HeaderA, Language};

/// The longest header of format A: 64 bytes and 32 entries of 44 bytes. Give [`inspect`] that many
/// bytes, or the whole file if it is shorter.
pub const LONGEST_HEADER: usize = format_a::FIXED + format_a::MOST_FILES * format_a::ENTRY;

/// The key of the vendor's XOR layer; it starts one byte later in each row of 16.
const KEY: [u8; 16] =
    [0xba, 0xcd, 0xbc, 0xfe, 0xd6, 0xca, 0xdd, 0xd3, 0xba, 0xb9, 0xa3, 0xab, 0xbf, 0xcb, 0xb5, 0xbe];

/// Applies the XOR layer to a header that begins at `bytes[0]`; twice gives the same bytes back.
pub fn xor(bytes: &mut [u8]) {
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte ^= KEY[(i + (i >> 4)) & 15];
    }
}

/// What the first bytes of a firmware file say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "lowercase")]
pub enum Container {
    /// Format A, its header checked.
    A(HeaderA),
    /// Format B: newer, encrypted; opaque.
    B,
    /// Format C: not a recorder format as far as seen; opaque.
    C,
    /// None of the known formats; opaque.
    Unknown,
}

impl Container {
    /// The language that a readable header declares.
    pub fn language(&self) -> Option<Language> {
        match self {
            Self::A(header) => Some(header.language),
            Self::B | Self::C | Self::Unknown => None,
        }
    }

    /// One line for people: what was seen, and how little that proves.
    pub fn describe(&self) -> String {
        match self {
            Self::A(header) => format!(
                "format A, {}, device class {:#x}, {} files, header checksum right",
                header.language,
                header.device_class,
                header.files.len()
            ),
            Self::B => "format B, opaque: language and device class cannot be read".into(),
            Self::C => "format C, opaque; not a recorder format as far as known".into(),
            Self::Unknown => "unknown format, opaque: language and device class cannot be read".into(),
        }
    }
}

/// The file is damaged or not firmware.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// A zip where the `.dav` inside it is wanted.
    #[error("file is a zip archive: the .dav or .mav inside it is the firmware")]
    Zip,
    /// A web page, most often a licence dialog or a block page.
    #[error("file is a web page, not firmware: the server sent a page instead of the file")]
    Html,
    /// A document.
    #[error("file is a PDF document, not firmware")]
    Pdf,
    /// Shorter than any header.
    #[error("file of {0} bytes is too short to be firmware")]
    TooShort(u64),
    /// The file count is not within 1 to 32.
    #[error("container header: {0} files in the table, expected 1 to 32")]
    FileCount(u32),
    /// The header length disagrees with the file count or the file size.
    #[error("container header: length {found} bytes, expected {expected} within a file of {file_size}")]
    HeaderLength {
        /// As the header says, bytes.
        found: u32,
        /// 64 + 44 for each file, bytes.
        expected: u32,
        /// Bytes.
        file_size: u64,
    },
    /// The header checksum is wrong: damaged.
    #[error("container header: checksum {found:#x}, expected {expected:#x}: the file is damaged")]
    Checksum {
        /// Computed.
        found: u32,
        /// As the header says.
        expected: u32,
    },
    /// A file name in the table is not a plain name.
    #[error("container header: file {0} of the table has no plain printable name")]
    Name(usize),
    /// A body lies outside the file or inside the header: truncated or damaged.
    #[error(
        "container header: {name} lies at {offset}+{length}, outside a file of {file_size} bytes: the file is cut short or damaged"
    )]
    Bounds {
        /// Name in the table.
        name: String,
        /// Bytes from the start of the file.
        offset: u32,
        /// Bytes.
        length: u32,
        /// Bytes.
        file_size: u64,
    },
    /// Two bodies share bytes.
    #[error("container header: {0} overlaps another file")]
    Overlap(String),
    /// The byte sum of a body is wrong: damaged.
    #[error("container: {name} has byte sum {found:#x}, expected {expected:#x}: the file is damaged")]
    ByteSum {
        /// Name in the table.
        name: String,
        /// Computed.
        found: u32,
        /// As the header says.
        expected: u32,
    },
}

/// Reads what the first bytes of a file say. `start` holds the first [`LONGEST_HEADER`] bytes, or
/// the whole file if it is shorter; `file_size` is in bytes.
///
/// # Errors
///
/// A web page, zip or PDF in place of firmware, and a format A header that contradicts itself or
/// the size of the file.
pub fn inspect(start: &[u8], file_size: u64) -> Result<Container, Rejected> {
    match known_wrapping(start) {
        Some(rejected) => return Err(rejected),
        None if start.len() < format_a::FIXED => return Err(Rejected::TooShort(file_size)),
        None => {}
    }
    let mut magic = [start[0], start[1], start[2], start[3]];
    xor(&mut magic);
    match &magic {
        b"SWKH" => HeaderA::decode(start, file_size).map(Container::A),
        b"02KH" | b"03KH" => Ok(Container::B),
        b"HKSU" => Ok(Container::C),
        _ => Ok(Container::Unknown),
    }
}

/// Recognises what people and servers hand over in place of firmware.
pub fn known_wrapping(start: &[u8]) -> Option<Rejected> {
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Some(Rejected::Zip);
    }
    if start.starts_with(b"%PDF") {
        return Some(Rejected::Pdf);
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let head = text.get(..text.len().min(14)).unwrap_or_default().to_ascii_lowercase();
    let html: [&[u8]; 5] = [b"<!doctype", b"<html", b"<head", b"<?xml", b"<script"];
    html.iter().any(|tag| head.starts_with(tag)).then_some(Rejected::Html)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn magics_are_those_of_the_reference() {
        for (raw, expected) in [
            ([0x8a, 0xff, 0xf7, 0xb6], Container::B),
            ([0x8a, 0xfe, 0xf7, 0xb6], Container::B),
            ([0xf2, 0x86, 0xef, 0xab], Container::C),
            ([1, 2, 3, 4], Container::Unknown),
        ] {
            let mut start = vec![0; 128];
            start[..4].copy_from_slice(&raw);
            assert_eq!(inspect(&start, 128), Ok(expected));
        }
    }

    #[test]
    fn what_is_not_firmware_is_named() {
        let page = b"\xef\xbb\xbf \r\n<!DOCTYPE html><title>blocked</title>";
        assert_eq!(inspect(page, 522), Err(Rejected::Html));
        assert_eq!(inspect(b"<HTML>", 6), Err(Rejected::Html));
        assert_eq!(inspect(b"PK\x03\x04\x14\x00", 9000), Err(Rejected::Zip));
        assert_eq!(inspect(b"%PDF-1.7", 9000), Err(Rejected::Pdf));
        assert_eq!(inspect(b"", 0), Err(Rejected::TooShort(0)));
        assert_eq!(inspect(&[0xe9, 0x9a, 0xf7, 0xb6], 4), Err(Rejected::TooShort(4)));
    }

    proptest! {
        #[test]
        fn xor_is_its_own_inverse(bytes: Vec<u8>) {
            let mut twice = bytes.clone();
            xor(&mut twice);
            xor(&mut twice);
            prop_assert_eq!(twice, bytes);
        }

        #[test]
        fn never_panics(mut bytes: Vec<u8>, size: u64, as_a: bool) {
            if as_a && bytes.len() >= 4 {
                bytes[..4].copy_from_slice(&[0xe9, 0x9a, 0xf7, 0xb6]);
            }
            let _ = inspect(&bytes, size);
        }
    }
}

use tar::{EntryType, Header as Raw};

use super::rejection::TarRejection;
use crate::layout;

/// What one header says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) kind: HeaderKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderKind {
    /// Of this many bytes.
    File(u64),
    Folder,
}

impl Header {
    /// Bytes that follow.
    pub(super) fn size(&self) -> u64 {
        match self.kind {
            HeaderKind::File(size) => size,
            HeaderKind::Folder => 0,
        }
    }
}

/// Reads one block.
pub(super) fn read(block: &[u8; 512]) -> Result<Header, TarRejection> {
    let raw = Raw::from_byte_slice(block);
    let ustar = raw.as_ustar().ok_or(TarRejection::NotUstar)?;
    check_sum(block, ustar.cksum)?;
    let size = octal(&ustar.size).ok_or(TarRejection::Number("size"))?;
    match raw.entry_type() {
        // a NUL means the same to old programs, and is no second spelling here
        EntryType::Regular if ustar.typeflag == *b"0" => {}
        EntryType::Directory => {
            let name = text(&ustar.prefix, &ustar.name)?;
            let name = checked(name.strip_suffix('/').unwrap_or(&name))?;
            return if size == 0 {
                Ok(Header { name, kind: HeaderKind::Folder })
            } else {
                Err(TarRejection::Size(size))
            };
        }
        other => return Err(TarRejection::Type(words(other))),
    }
    let name = checked(&text(&ustar.prefix, &ustar.name)?)?;
    let mode = octal(&ustar.mode).ok_or(TarRejection::Number("mode"))?;
    if mode > 0o777 {
        return Err(TarRejection::Mode(mode));
    }
    if size > layout::LARGEST_FILE {
        return Err(TarRejection::Size(size));
    }
    Ok(Header { name, kind: HeaderKind::File(size) })
}

fn words(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::XHeader | EntryType::XGlobalHeader => "a PAX extension",
        EntryType::GNULongName | EntryType::GNULongLink | EntryType::GNUSparse => "an extension of GNU tar",
        _ => "of an unknown type",
    }
}

/// The sum of all bytes, those of the sum itself taken as blanks. Of the ways to write it down, the two
/// that programs use: six digits, NUL, blank (ustar, GNU tar, BSD), and seven digits, NUL.
fn check_sum(block: &[u8; 512], stated: [u8; 8]) -> Result<(), TarRejection> {
    let rest = block[..148].iter().chain(&block[156..]).map(|byte| u32::from(*byte));
    let sum = rest.sum::<u32>() + 8 * u32::from(b' ');
    let written = [format!("{sum:06o}\0 "), format!("{sum:07o}\0")];
    if written.iter().any(|written| written.as_bytes() == stated) {
        Ok(())
    } else {
        Err(TarRejection::Checksum)
    }
}

/// Octal digits, then blanks and NULs to the end of the field.
fn octal(field: &[u8]) -> Option<u64> {
    let end = field.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(field.len());
    let (digits, rest) = field.split_at(end);
    if rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    u64::from_str_radix(str::from_utf8(digits).ok()?, 8).ok()
}

/// The name in its two fields, each ended by NULs or full.
fn text(prefix: &[u8], name: &[u8]) -> Result<String, TarRejection> {
    let one = |field: &[u8]| {
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        let (text, rest) = field.split_at(end);
        let hidden = rest.iter().any(|byte| *byte != 0);
        (String::from_utf8_lossy(text).into_owned(), hidden)
    };
    let ((prefix, hidden), (name, also_hidden)) = (one(prefix), one(name));
    if hidden || also_hidden {
        return Err(TarRejection::Name { name, why: "goes on after a NUL" });
    }
    Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
}

/// A relative path in the letters that our names have.
fn checked(name: &str) -> Result<String, TarRejection> {
    let why = if name.starts_with('/') {
        "is absolute"
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/')) {
        "has characters other than A-Z a-z 0-9 . _ - /"
    } else if name.split('/').any(|part| matches!(part, "." | "..")) {
        "has a part that is . or .."
    } else if name.split('/').any(str::is_empty) {
        "has an empty part"
    } else {
        return Ok(name.to_owned());
    };
    Err(TarRejection::Name { name: name.to_owned(), why })
}

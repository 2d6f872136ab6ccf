use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use firmware::Text;
use zip::read::{ArchiveOffset, Config, ZipFile};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::PackageError;
use crate::download::LARGEST;

/// Vendor packages hold a handful of files: firmware, release notes, tables of models.
const MOST_MEMBERS: u16 = 1000;
/// The longest directory that is read into memory, bytes.
const LARGEST_DIRECTORY: u32 = 1 << 20;
/// Firmware is compressed already; a deflate stream grows to 1032 times its size at most, and what
/// comes near that is no firmware.
const LARGEST_RATIO: u64 = 100;
/// Below this size no ratio is a danger, bytes.
const SMALL: u64 = 1 << 20;

/// Why a zip is not read.
#[derive(Debug, thiserror::Error)]
pub enum ZipRejected {
    /// Cut short, or followed by other bytes.
    #[error("end of the archive: no end record there, so it is cut short or other bytes follow it")]
    NoEnd,
    /// Legal, but written by no program that makes vendor packages.
    #[error("end record: {0}")]
    Unusual(&'static str),
    /// Too many members.
    #[error("end record: {found} files, expected at most {MOST_MEMBERS}")]
    Members {
        /// As the archive says.
        found: u16,
    },
    /// The directory is too large.
    #[error("end record: directory of {found} bytes, expected at most {LARGEST_DIRECTORY}")]
    Directory {
        /// As the archive says.
        found: u32,
    },
    /// Two members have one name.
    #[error("directory: a name stands in it twice")]
    DuplicateName,
    /// All members together are larger than any package.
    #[error("directory: files of {found} bytes together, expected at most {LARGEST}")]
    Total {
        /// Bytes, as declared.
        found: u64,
    },
    /// The structure contradicts itself.
    #[error("archive is damaged")]
    Damaged(#[source] ZipError),
    /// It needs a password.
    #[error("file {name} is encrypted")]
    Encrypted {
        /// The member.
        name: Text,
    },
    /// Neither stored nor deflated.
    #[error("file {name} is compressed by {method}, expected stored or deflated")]
    Method {
        /// The member.
        name: Text,
        /// The method.
        method: CompressionMethod,
    },
    /// It would grow beyond reason.
    #[error(
        "file {name} grows from {compressed} to {size} bytes, expected at most {LARGEST_RATIO} times its size"
    )]
    Ratio {
        /// The member.
        name: Text,
        /// Bytes in the archive.
        compressed: u64,
        /// Bytes, as declared.
        size: u64,
    },
    /// It is not as long as it says.
    #[error("file {name} holds {found} bytes or more, expected {expected}")]
    Length {
        /// The member.
        name: Text,
        /// Bytes inflated.
        found: u64,
        /// Bytes, as declared.
        expected: u64,
    },
    /// Its compressed bytes or its CRC-32 are wrong.
    #[error("file {name} is damaged")]
    Contents {
        /// The member.
        name: Text,
        /// Why.
        source: io::Error,
    },
}

impl ZipRejected {
    /// A member whose bytes end in an error: the disk's own errors are not the archive's.
    pub(super) fn unreadable(name: &Text, source: io::Error) -> PackageError {
        match source.raw_os_error() {
            Some(_) => PackageError::Read(source),
            None => Self::Contents { name: name.clone(), source }.into(),
        }
    }

    fn damaged(error: ZipError) -> PackageError {
        match error {
            ZipError::Io(source) if source.raw_os_error().is_some() => PackageError::Read(source),
            error => Self::Damaged(error).into(),
        }
    }
}

/// The firmware that is meant.
#[derive(Debug)]
pub(super) struct Member {
    index: usize,
    /// Its name, safe to show; never a path.
    pub(super) name: Text,
    /// Bytes, as declared.
    pub(super) size: u64,
}

type Archive<'f> = ZipArchive<BufReader<&'f File>>;

/// Whether a file that starts like this is a zip: a first member, or the end record of an empty one.
pub(super) fn is_zip(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06")
}

/// Whether the last part of a path has one of these extensions.
pub(super) fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension = file_name(name).rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|found| extensions.iter().any(|wanted| found.eq_ignore_ascii_case(wanted)))
}

/// The last part of a path, as any system writes it.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Opens an archive of `size` bytes: its directory is small, agrees with itself and with the members,
/// and nothing overlaps.
pub(super) fn open(file: &File, size: u64) -> Result<Archive<'_>, PackageError> {
    check_end(file, size)?;
    // the archive starts at the first byte: nothing stands before it that someone else would read
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut zip = ZipArchive::with_config(config, BufReader::new(file)).map_err(ZipRejected::damaged)?;
    if zip.has_duplicate_names() {
        return Err(ZipRejected::DuplicateName.into());
    }
    let mut total = 0_u64;
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(ZipRejected::damaged)?;
        total = total.saturating_add(entry.size());
    }
    if total > LARGEST {
        return Err(ZipRejected::Total { found: total }.into());
    }
    zip.validate_header_consistency().map_err(ZipRejected::damaged)?;
    Ok(zip)
}

/// Reads the end record (APPNOTE.TXT 6.3.10, 4.3.16) before the library does. It must be the last
/// thing in the file and follow the directory at once, so that every program finds the same one.
fn check_end(mut file: &File, size: u64) -> Result<(), PackageError> {
    const FIXED: usize = 22;
    let longest = (FIXED + usize::from(u16::MAX)) as u64;
    let start = size.saturating_sub(longest);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(start)).map_err(PackageError::Read)?;
    file.take(longest).read_to_end(&mut tail).map_err(PackageError::Read)?;
    let at = tail.windows(4).rposition(|bytes| bytes == b"PK\x05\x06").ok_or(ZipRejected::NoEnd)?;
    let record = tail.get(at..at + FIXED).ok_or(ZipRejected::NoEnd)?;
    let u16_at = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
    let u32_at = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
    if tail.len() != at + FIXED + usize::from(u16_at(20)) {
        return Err(ZipRejected::NoEnd.into());
    }
    // what needs Zip64 is larger than what is taken
    if at >= 20 && tail[at - 20..].starts_with(b"PK\x06\x07") {
        return Err(ZipRejected::Unusual("Zip64, which no package below 4 GiB needs").into());
    }
    let (members, directory) = (u16_at(10), u32_at(12));
    if (u16_at(4), u16_at(6), u16_at(8)) != (0, 0, members) {
        return Err(ZipRejected::Unusual("archive spans several disks").into());
    }
    if members > MOST_MEMBERS {
        return Err(ZipRejected::Members { found: members }.into());
    }
    if directory > LARGEST_DIRECTORY {
        return Err(ZipRejected::Directory { found: directory }.into());
    }
    if u64::from(u32_at(16)) + u64::from(directory) != start + at as u64 {
        return Err(ZipRejected::Unusual("directory is not right before it").into());
    }
    Ok(())
}

/// The firmware among the members: the only one, or the one named. A name is compared as it is shown,
/// whole or without its folders.
pub(super) fn choose(zip: &Archive<'_>, wanted: Option<&str>) -> Result<Member, PackageError> {
    let (mut found, mut nested, mut files) = (Vec::new(), Vec::new(), 0);
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(ZipRejected::damaged)?;
        let raw = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let name = Text::cleaned(&entry.name().map_or(raw, std::borrow::Cow::into_owned));
        let last = file_name(name.as_str());
        // what macOS packs beside a file bears the same name behind `._` (AppleDouble, RFC 1740)
        if !entry.is_file() || last.is_empty() || last.starts_with("._") {
            continue;
        }
        files += 1;
        if super::is_firmware_name(name.as_str()) {
            found.push(Member { index, name, size: entry.size() });
        } else if has_extension(name.as_str(), &["zip", "rar", "7z", "gz", "tar", "exe"]) {
            nested.push(name);
        }
    }
    let names = |found: &[Member]| found.iter().map(|member| member.name.clone()).collect();
    let Some(wanted) = wanted else {
        return match found.len() {
            0 => Err(PackageError::NoFirmware { files, nested }),
            1 => Ok(found.remove(0)),
            _ => Err(PackageError::Several { members: names(&found) }),
        };
    };
    let only = |matches: &dyn Fn(&Member) -> bool| {
        let mut hits = found.iter().enumerate().filter(|(_, member)| matches(member));
        hits.next().filter(|_| hits.next().is_none()).map(|(at, _)| at)
    };
    let whole = only(&|member| member.name.as_str() == wanted);
    match whole.or_else(|| only(&|member| file_name(member.name.as_str()) == wanted)) {
        Some(at) => Ok(found.swap_remove(at)),
        None => Err(PackageError::NoSuchMember { wanted: wanted.to_owned(), members: names(&found) }),
    }
}

/// A reader of a member that ends one byte behind what was declared.
pub(super) fn read<'z, 'f>(
    zip: &'z mut Archive<'f>,
    member: &Member,
) -> Result<Take<ZipFile<'z, BufReader<&'f File>>>, PackageError> {
    let Member { index, size, .. } = *member;
    let name = || member.name.clone();
    let entry = zip.by_index_data(index).map_err(ZipRejected::damaged)?;
    let (compressed, method) = (entry.compressed_size(), entry.compression());
    if entry.encrypted() {
        return Err(ZipRejected::Encrypted { name: name() }.into());
    }
    if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(ZipRejected::Method { name: name(), method }.into());
    }
    if size > SMALL && size / LARGEST_RATIO > compressed {
        return Err(ZipRejected::Ratio { name: name(), compressed, size }.into());
    }
    let reader = zip.by_index(index).map_err(ZipRejected::damaged)?;
    Ok(reader.take(size + 1))
}

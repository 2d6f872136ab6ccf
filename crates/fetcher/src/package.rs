//! Package to firmware: the one `.dav` or `.mav` of a zip, or the bare file itself.
//!
//! Threats, and where they end: names that lead elsewhere (no name of an archive ever becomes a path);
//! bombs (declared sizes, ratio and number of members are capped before anything is inflated, and what
//! is inflated is counted); archives that two programs read differently (`archive` wants a plain end
//! record, and local and central headers that agree); a huge directory (its size is capped before the
//! `zip` crate reads it); names that act on a terminal ([`Text`]). A zip within the zip is not opened.

mod archive;

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use firmware::{HashingReader, Sha256Digest, Text};

use crate::download::LARGEST;
pub use archive::ZipRejected;

/// Bytes read at a time: the size at which hashing is fastest (reference: crates §1).
const BLOCK: usize = 64 * 1024;

/// The firmware as it was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// Bytes.
    pub size: u64,
    /// Digest.
    pub sha256: Sha256Digest,
    /// Its name in the zip; none where the file in hand was the firmware itself.
    pub member: Option<Text>,
}

/// Why no firmware was taken out of a package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// More than a stick can carry, zipped or not.
    #[error("rejected: {size} bytes, expected at most {LARGEST}")]
    TooLarge {
        /// Bytes.
        size: u64,
    },
    /// The zip is damaged, hostile, or of a kind that is not read.
    #[error("zip rejected")]
    Zip(#[from] ZipRejected),
    /// The zip holds no firmware.
    #[error("zip without firmware: no .dav or .mav among its {files} files{}", inner(nested))]
    NoFirmware {
        /// How many files it holds.
        files: usize,
        /// Archives among them.
        nested: Vec<Text>,
    },
    /// The zip holds several, and nobody said which one is meant.
    #[error("zip with several firmware files: {}", listed(members))]
    Several {
        /// Their names.
        members: Vec<Text>,
    },
    /// The one that is meant is not there.
    #[error("zip has no firmware {wanted:?}, it has {}", listed(members))]
    NoSuchMember {
        /// What was asked for.
        wanted: String,
        /// What there is.
        members: Vec<Text>,
    },
    /// The package could not be read.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// The firmware could not be written.
    #[error("depot cannot be written")]
    Write(#[source] io::Error),
}

fn listed(members: &[Text]) -> String {
    let names: Vec<&str> = members.iter().map(Text::as_str).collect();
    names.join(", ")
}

fn inner(nested: &[Text]) -> String {
    match nested {
        [] => String::new(),
        _ => format!("; an archive within it is not opened: {}", listed(nested)),
    }
}

/// Whether firmware is called like this.
pub fn is_firmware_name(name: &str) -> bool {
    archive::has_extension(name, &["dav", "mav"])
}

/// Takes the firmware out of `package` and writes it to `to`. `member` names the one that is meant
/// where a zip holds several.
pub fn extract(package: &File, member: Option<&str>, to: &mut dyn Write) -> Result<Extracted, PackageError> {
    let size = package.metadata().map_err(PackageError::Read)?.len();
    if size > LARGEST {
        return Err(PackageError::TooLarge { size });
    }
    if !is_zip(package)? {
        let (sha256, size) = copy(package.take(LARGEST), to, PackageError::Read)?;
        return Ok(Extracted { size, sha256, member: None });
    }
    let mut zip = archive::open(package, size)?;
    let chosen = archive::choose(&zip, member)?;
    let reader = archive::read(&mut zip, &chosen)?;
    let (sha256, size) = copy(reader, to, |source| ZipRejected::unreadable(&chosen.name, source))?;
    if size != chosen.size {
        return Err(ZipRejected::Length { name: chosen.name, found: size, expected: chosen.size }.into());
    }
    Ok(Extracted { size, sha256, member: Some(chosen.name) })
}

/// Whether it begins like a zip. It is read from its beginning then.
pub fn is_zip(mut package: &File) -> Result<bool, PackageError> {
    let mut start = Vec::new();
    package.rewind().map_err(PackageError::Read)?;
    package.take(4).read_to_end(&mut start).map_err(PackageError::Read)?;
    package.rewind().map_err(PackageError::Read)?;
    Ok(archive::is_zip(&start))
}

/// Copies to the end; digest and number of bytes.
fn copy(
    reader: impl Read,
    to: &mut dyn Write,
    failed: impl Fn(io::Error) -> PackageError,
) -> Result<(Sha256Digest, u64), PackageError> {
    let mut reader = HashingReader::new(reader);
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(reader.finish()),
            Ok(count) => to.write_all(&block[..count]).map_err(PackageError::Write)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests;

//! Downloaded or given file to pin: what is in hand, and whether it is what was pinned before.
//!
//! No vendor publishes digests, so the first file is trusted because a person looked at it and said
//! so; the pin keeps what was seen. From then on the firmware decides, not its wrapping: the same
//! firmware in a zip that was packed again still matches.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use firmware::container::{Container, LONGEST_HEADER, Rejected, inspect};
use firmware::{HashingReader, Pin, Sha256Digest, Text};
use jiff::civil::Date;
use rustix::fs::{Mode, OFlags};
use serde::Serialize;
use tempfile::{NamedTempFile, TempPath};

use crate::download::{Downloaded, LARGEST};
use crate::package::{self, Extracted, PackageError};

/// A package in hand.
#[derive(Debug)]
pub struct Source {
    file: File,
    name: Text,
    size: u64,
    sha256: Sha256Digest,
    provenance: String,
    /// Where a download lies, which is the depot's own.
    download: Option<PathBuf>,
}

/// Firmware that was looked into, on its way to the depot.
#[derive(Debug)]
pub struct Candidate {
    file: CandidateFile,
    seen: Seen,
}

/// Where the firmware of a candidate lies, in the depot's folder for what is on its way.
#[derive(Debug)]
pub enum CandidateFile {
    /// Taken out of its package, or copied from what a person brought; gone when this is dropped.
    Extracted(TempPath),
    /// It came without a zip around it, and stays a download until it is kept.
    Download(PathBuf),
}

impl AsRef<Path> for CandidateFile {
    fn as_ref(&self) -> &Path {
        match self {
            Self::Extracted(path) => path,
            Self::Download(path) => path,
        }
    }
}

/// What was seen of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Size of the firmware, bytes.
    pub size: u64,
    /// Digest of the firmware.
    pub sha256: Sha256Digest,
    /// Name of the file in hand.
    pub name: Text,
    /// The zip it came in, if any.
    pub package: Option<Package>,
    /// What its first bytes say.
    pub container: Container,
    /// Where it came from, for people.
    pub provenance: String,
}

/// The zip around firmware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Bytes.
    pub size: u64,
    /// Digest.
    pub sha256: Sha256Digest,
    /// Name of the firmware in it.
    pub member: Text,
}

/// One way in which a file is not the pinned one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Another number of bytes.
    #[error("{what} is {found} bytes, expected {expected}")]
    Size {
        /// `firmware` or `package`.
        what: &'static str,
        /// Of this file.
        found: u64,
        /// As pinned.
        expected: u64,
    },
    /// Other bytes.
    #[error("{what} has SHA-256 {found}, expected {expected}")]
    Digest {
        /// `firmware` or `package`.
        what: &'static str,
        /// Of this file.
        found: Sha256Digest,
        /// As pinned.
        expected: Sha256Digest,
    },
}

/// Why a file cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The package.
    #[error("package {name}")]
    Package {
        /// Its name.
        name: Text,
        /// What is wrong with it.
        source: PackageError,
    },
    /// The firmware in it.
    #[error("firmware in {name}")]
    Container {
        /// The file in hand.
        name: Text,
        /// What is wrong with it.
        source: Rejected,
    },
    /// Nothing says that this is firmware.
    #[error(
        "file {name} rejected: neither a zip nor a known container, and not named .dav or .mav, so it is not taken for firmware"
    )]
    NotFirmware {
        /// The file in hand.
        name: Text,
    },
    /// A file could not be read or written.
    #[error("file {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Source {
    /// A file that a person brings; it is read, and stays where it is.
    pub fn given(path: &Path) -> Result<Self, PinError> {
        let failed = |source| PinError::Io { path: path.to_owned(), source };
        let file = open_regular(path).map_err(failed)?;
        let name = Text::cleaned(&path.file_name().unwrap_or_default().to_string_lossy());
        let size = file.metadata().map_err(failed)?.len();
        if size > LARGEST {
            return Err(PinError::Package { name, source: PackageError::TooLarge { size } });
        }
        let mut reader = HashingReader::new((&file).take(LARGEST));
        io::copy(&mut reader, &mut io::sink()).map_err(failed)?;
        let (sha256, size) = reader.finish();
        let provenance = format!("file {name} given by a person");
        Ok(Self { file, name, size, sha256, provenance, download: None })
    }

    /// What was downloaded from `url` on this day.
    pub fn downloaded(downloaded: &Downloaded, url: &str, on: Date) -> Result<Self, PinError> {
        let path = || downloaded.path.clone();
        let file = File::open(path()).map_err(|source| PinError::Io { path: path(), source })?;
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let name = url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or(url);
        Ok(Self {
            file,
            name: Text::cleaned(name),
            size: downloaded.size,
            sha256: downloaded.sha256,
            provenance: format!("{scheme} download from {host} on {on}, trust on first use"),
            download: Some(path()),
        })
    }
}

/// Opens a regular file for reading. Not to block matters for a named pipe alone: the plain way of
/// opening one waits until somebody writes to it (fifo(7)).
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

impl Candidate {
    /// Takes the firmware out of a package into a temporary file in `dir` and looks into it. Of
    /// several in a zip, `member` names the one that is meant. A download that is no zip was hashed as
    /// it came, and is looked into where it lies.
    pub fn examine(source: Source, member: Option<&str>, dir: &Path) -> Result<Self, PinError> {
        let failed = |source| PinError::Io { path: dir.to_owned(), source };
        let Source { file: package, name, size, sha256, provenance, download } = source;
        let of_package = |source| PinError::Package { name: name.clone(), source };
        let (file, mut opened, extracted) = match download {
            Some(path) if !package::is_zip(&package).map_err(of_package)? => {
                (CandidateFile::Download(path), package, Extracted { size, sha256, member: None })
            }
            _ => {
                let (mut file, path) =
                    NamedTempFile::with_prefix_in(crate::depot::EXTRACTED, dir).map_err(failed)?.into_parts();
                let extracted = package::extract(&package, member, &mut file).map_err(of_package)?;
                (CandidateFile::Extracted(path), file, extracted)
            }
        };
        let container = look_into(&mut opened, extracted.size, &name)?;
        if extracted.member.is_none()
            && container == Container::Unknown
            && !package::is_firmware_name(name.as_str())
        {
            return Err(PinError::NotFirmware { name });
        }
        let package = extracted.member.map(|member| Package { size, sha256, member });
        let (size, sha256) = (extracted.size, extracted.sha256);
        Ok(Self { file, seen: Seen { size, sha256, name, package, container, provenance } })
    }

    /// What was seen.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Where it lies.
    pub fn into_file(self) -> CandidateFile {
        self.file
    }
}

/// The container's header, and the sums of its bodies where they can be read.
fn look_into(file: &mut File, size: u64, name: &Text) -> Result<Container, PinError> {
    let rejected = |source| PinError::Container { name: name.clone(), source };
    let failed = |source: io::Error| {
        let disk = |source| PinError::Io { path: name.as_str().into(), source };
        match source.downcast::<Rejected>() {
            Ok(found) => rejected(found),
            Err(source) => disk(source),
        }
    };
    let mut start = Vec::new();
    file.rewind().map_err(failed)?;
    (&mut *file).take(LONGEST_HEADER as u64).read_to_end(&mut start).map_err(failed)?;
    let container = inspect(&start, size).map_err(rejected)?;
    if let Container::A(header) = &container {
        file.rewind().map_err(failed)?;
        header.check_bodies(BufReader::new(file)).map_err(failed)?;
    }
    Ok(container)
}

impl Difference {
    /// Every way in which firmware of this size and digest is not the expected one.
    pub fn between(found: (u64, Sha256Digest), expected: (u64, Sha256Digest)) -> Vec<Self> {
        Self::of("firmware", found, expected)
    }

    fn of(what: &'static str, found: (u64, Sha256Digest), expected: (u64, Sha256Digest)) -> Vec<Self> {
        let size = Self::Size { what, found: found.0, expected: expected.0 };
        let digest = Self::Digest { what, found: found.1, expected: expected.1 };
        let told = [(found.0 != expected.0, size), (found.1 != expected.1, digest)];
        told.into_iter().filter_map(|(differs, difference)| differs.then_some(difference)).collect()
    }
}

impl Seen {
    /// The pin that says so from this day on.
    pub fn pin(&self, on: Date) -> Pin {
        let package = self.package.as_ref();
        Pin {
            size: self.size,
            sha256: self.sha256,
            package_size: package.map(|package| package.size),
            package_sha256: package.map(|package| package.sha256),
            member: package.map(|package| package.member.to_string()),
            on,
            provenance: self.provenance.clone(),
        }
    }

    /// Every way in which the firmware is not the pinned one; none: it is.
    pub fn differences(&self, pin: &Pin) -> Vec<Difference> {
        Difference::between((self.size, self.sha256), (pin.size, pin.sha256))
    }

    /// Every way in which the zip around it is another one. That alone is no reason to reject it.
    pub fn package_differences(&self, pin: &Pin) -> Vec<Difference> {
        let pinned = pin.package_size.zip(pin.package_sha256);
        let found = self.package.as_ref().map(|package| (package.size, package.sha256));
        let both = found.zip(pinned);
        both.map_or_else(Vec::new, |(found, pinned)| Difference::of("package", found, pinned))
    }

    /// Which of both, firmware or package, has the digest that a person expects; none if neither.
    pub fn recognise(&self, expected: Sha256Digest) -> Option<&'static str> {
        recognise(expected, self.sha256, self.package.as_ref().map(|package| package.sha256))
    }
}

/// The same for the digests of a pin.
pub fn recognise_pin(expected: Sha256Digest, pin: &Pin) -> Option<&'static str> {
    recognise(expected, pin.sha256, pin.package_sha256)
}

fn recognise(
    expected: Sha256Digest,
    firmware: Sha256Digest,
    package: Option<Sha256Digest>,
) -> Option<&'static str> {
    if firmware == expected {
        return Some("firmware");
    }
    (package == Some(expected)).then_some("package")
}

#[cfg(test)]
mod tests;

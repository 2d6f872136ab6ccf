//! Synthetic firmware: a container of format A whose header, file table and checksums are right and
//! whose bodies are noise (reference: container §1, §2). No recorder can run it, and it says so.
//!
//! The noise is SHA-256 over seed and block number: the same bytes on every machine for ever, and
//! incompressible, so that caps on the ratio of an archive do not take the package for a bomb.

use std::io::{self, Read, Seek, Write};

use firmware::container::{LONGEST_HEADER, xor};
use firmware::{HashingReader, Revision, Sha256Digest};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

/// What to make.
#[derive(Debug, Clone)]
pub struct Synthetic {
    /// Size of the container, bytes.
    pub size: u64,
    /// Version and build that its header shows.
    pub revision: Revision,
    /// Language field: 1 English or multi, 2 Chinese.
    pub language: u32,
    /// Device class field.
    pub device_class: u32,
    /// Another seed gives other bodies.
    pub seed: u64,
}

/// The package could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SyntheticError {
    /// A container counts its bytes in 32 bits and must hold its header.
    #[error("size of {found} bytes refused, expected {smallest} to {largest}", largest = u32::MAX)]
    Size {
        /// Bytes asked for.
        found: u64,
        /// Bytes of the smallest container.
        smallest: u64,
    },
    /// The file could not be written.
    #[error("package cannot be written")]
    Write(#[from] io::Error),
    /// The archive could not be written.
    #[error("zip package cannot be written")]
    Zip(#[from] ZipError),
}

/// Names of the file table, as in a recorder's package, and the share of the bodies that each takes,
/// in sixteenths.
const FILES: [(&str, u64); 3] = [("uImage", 3), ("webs.tar.lzma", 2), ("hicore.tar.lzma", 11)];

const HEADER: usize = 64 + 44 * FILES.len();
const _: () = assert!(HEADER <= LONGEST_HEADER);

/// The name that recorders want for the file inside a package.
pub const MEMBER: &str = "digicap.dav";

const README: &str = "\
This package is synthetic. It was made by `nvr-sim firmware` to try Courier without a recorder.
Its container is well-formed, its contents are noise. It is not firmware: no recorder can run it.
";

impl Synthetic {
    /// Writes the bare container. Returns its digest.
    pub fn write_dav(&self, out: &mut impl Write) -> Result<Sha256Digest, SyntheticError> {
        let lengths = self.lengths()?;
        let header = self.header(&lengths)?;
        let bodies = Noise::new(self.seed).take(self.size - header.len() as u64);
        let mut container = HashingReader::new(header.chain(bodies));
        io::copy(&mut container, out)?;
        Ok(container.finish().0)
    }

    /// Writes a zip that holds the container as [`MEMBER`] and a note. Returns the digest of the
    /// container.
    pub fn write_zip(&self, out: impl Write + Seek) -> Result<Sha256Digest, SyntheticError> {
        let mut zip = ZipWriter::new(out);
        // the default date is fixed: the same seed gives the same archive
        let options = SimpleFileOptions::default();
        zip.start_file("README.txt", options)?;
        zip.write_all(README.as_bytes())?;
        zip.start_file(MEMBER, options)?;
        let digest = self.write_dav(&mut zip)?;
        zip.finish()?.flush()?;
        Ok(digest)
    }

    /// Lengths of the bodies, bytes.
    fn lengths(&self) -> Result<[u32; FILES.len()], SyntheticError> {
        let smallest = (HEADER + FILES.len()) as u64;
        let refused = SyntheticError::Size { found: self.size, smallest };
        if self.size < smallest || self.size > u64::from(u32::MAX) {
            return Err(refused);
        }
        let bodies = self.size - HEADER as u64;
        let mut rest = bodies;
        let mut lengths = [0; FILES.len()];
        for (length, (_, share)) in lengths.iter_mut().zip(FILES).skip(1) {
            let bytes = (bodies * share / 16).max(1);
            rest -= bytes;
            *length =
                u32::try_from(bytes).map_err(|_| SyntheticError::Size { found: self.size, smallest })?;
        }
        lengths[0] = u32::try_from(rest).map_err(|_| refused)?;
        Ok(lengths)
    }

    /// The header under the XOR layer, as on disk.
    fn header(&self, lengths: &[u32; FILES.len()]) -> io::Result<Vec<u8>> {
        let [major, minor, _] = self.revision.version.numbers();
        // BCD, as in the header of the real package of 2015
        let date = u32::from_str_radix(&format!("20{}", self.revision.build), 16).unwrap_or(u32::MAX);
        let mut header = Header(vec![0; HEADER]);
        header.put(0x00, u32::from_le_bytes(*b"SWKH"));
        header.put(0x08, u32::try_from(HEADER).unwrap_or(u32::MAX));
        header.put(0x0c, u32::try_from(FILES.len()).unwrap_or(u32::MAX));
        header.put(0x10, self.language);
        header.put(0x14, self.device_class);
        header.put(0x18, u32::MAX);
        header.put(0x1c, u32::from(major) << 24 | u32::from(minor) << 16);
        header.put(0x34, date);
        let mut bodies = Noise::new(self.seed);
        let mut offset = u32::try_from(HEADER).unwrap_or(u32::MAX);
        for (i, ((name, _), length)) in FILES.iter().zip(lengths).enumerate() {
            let entry = 64 + 44 * i;
            header.0[entry..entry + name.len()].copy_from_slice(name.as_bytes());
            header.put(entry + 32, offset);
            header.put(entry + 36, *length);
            header.put(entry + 40, byte_sum(&mut (&mut bodies).take((*length).into()))?);
            offset += length;
        }
        let checksum = byte_sum(&mut &header.0[0x0c..])?;
        header.put(0x04, checksum);
        xor(&mut header.0);
        Ok(header.0)
    }
}

/// A header that is being filled.
struct Header(Vec<u8>);

impl Header {
    fn put(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// The plain sum of bytes that the format calls a checksum.
fn byte_sum(reader: &mut impl Read) -> io::Result<u32> {
    let mut buffer = vec![0; 64 * 1024];
    let mut sum = 0_u32;
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(sum),
            count => sum = buffer[..count].iter().fold(sum, |sum, byte| sum.wrapping_add(u32::from(*byte))),
        }
    }
}

/// Endless reproducible noise.
struct Noise {
    seed: u64,
    next: u64,
    block: [u8; 32],
    used: usize,
}

impl Noise {
    fn new(seed: u64) -> Self {
        Self { seed, next: 0, block: [0; 32], used: 32 }
    }
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for byte in buffer.iter_mut() {
            if self.used == self.block.len() {
                let hasher = Sha256::new().chain_update(self.seed.to_le_bytes());
                self.block = hasher.chain_update(self.next.to_le_bytes()).finalize().into();
                self.next += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
        Ok(buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use firmware::container::{Container, Language, inspect};

    use super::*;

    fn synthetic(size: u64, seed: u64) -> Synthetic {
        let revision = "V4.61.025:230421".parse().unwrap();
        Synthetic { size, revision, language: 1, device_class: 0x5de, seed }
    }

    fn dav(synthetic: &Synthetic) -> Vec<u8> {
        let mut bytes = Vec::new();
        let digest = synthetic.write_dav(&mut bytes).unwrap();
        assert_eq!(digest, Sha256Digest::of(&bytes));
        bytes
    }

    #[test]
    fn passes_every_check_of_the_reader_of_containers() {
        for size in [199, 4096, 300_001] {
            let bytes = dav(&synthetic(size, 0));
            assert_eq!(bytes.len() as u64, size);
            let Ok(Container::A(header)) = inspect(&bytes[..bytes.len().min(LONGEST_HEADER)], size) else {
                panic!("{size}: not format A")
            };
            assert_eq!(
                (header.language, header.device_class, header.files.len()),
                (Language::Multi, 0x5de, 3)
            );
            header.check_bodies(&bytes[..]).unwrap();
        }
    }

    #[test]
    fn is_the_same_for_the_same_seed_only() {
        assert_eq!(dav(&synthetic(9000, 7)), dav(&synthetic(9000, 7)));
        assert_ne!(dav(&synthetic(9000, 7)), dav(&synthetic(9000, 8)));
    }

    #[test]
    fn zip_holds_the_container_does_not_shrink_and_says_synthetic() {
        let mut file = Cursor::new(Vec::new());
        let digest = synthetic(100_000, 1).write_zip(&mut file).unwrap();
        assert!(file.get_ref().len() > 100_000);
        let mut archive = zip::ZipArchive::new(file).unwrap();
        let mut read = |name: &str| {
            let mut bytes = Vec::new();
            archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(Sha256Digest::of(&read(MEMBER)), digest);
        assert!(String::from_utf8(read("README.txt")).unwrap().contains("synthetic"));
    }

    #[test]
    fn refuses_sizes_that_the_format_cannot_hold() {
        for size in [0, 198, 1 << 32] {
            let made = synthetic(size, 0).write_dav(&mut io::sink());
            assert!(matches!(made, Err(SyntheticError::Size { found, smallest: 199 }) if found == size));
        }
    }
}

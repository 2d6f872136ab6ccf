use std::fmt;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use super::{Rejected, xor};

/// Bytes before the file table.
pub(super) const FIXED: usize = 64;
/// Bytes of one entry in the file table.
pub(super) const ENTRY: usize = 44;
/// What devices accept (reference: container §2.1).
pub(super) const MOST_FILES: usize = 32;

/// The header of format A, decoded and checked. All numbers are little-endian `u32` on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderA {
    /// Header length, bytes: 64 + 44 for each file.
    pub length: u32,
    /// The language the image is for.
    pub language: Language,
    /// One value per model group; there is no public table.
    pub device_class: u32,
    /// OEM code; often `0xffffffff`.
    pub oem: u32,
    /// The file table.
    pub files: Vec<Entry>,
}

/// One file of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Plain name, printable ASCII without `/`.
    pub name: String,
    /// Bytes from the start of the container.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
    /// Sum of the body's bytes, modulo 2^32.
    pub byte_sum: u32,
}

/// The language field at 0x10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// 1: English or multi-language.
    Multi,
    /// 2: Chinese. Pushed to another unit this is the known way to brick it.
    Chinese,
    /// Any other value.
    Other(u32),
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Multi => f.write_str("language English or multi"),
            Self::Chinese => f.write_str("language Chinese"),
            Self::Other(value) => write!(f, "language {value} (unknown)"),
        }
    }
}

impl HeaderA {
    /// Decodes and checks a header, everything that container §2.3 of the reference lists but the
    /// byte sums, which need the whole file: see [`HeaderA::check_bodies`].
    pub(super) fn decode(start: &[u8], file_size: u64) -> Result<Self, Rejected> {
        let mut plain = start.get(..FIXED + MOST_FILES * ENTRY).unwrap_or(start).to_vec();
        xor(&mut plain);
        let (header, declared) = Self::fixed(&plain)?;
        let expected = header.length;
        if declared != expected || u64::from(expected) > file_size || expected as usize > plain.len() {
            return Err(Rejected::HeaderLength { found: declared, expected, file_size });
        }
        let plain = &plain[..expected as usize];
        let (found, expected) = (sum(&plain[0x0c..]), u32_at(plain, 4));
        if found != expected {
            return Err(Rejected::Checksum { found, expected });
        }
        let files: Vec<Entry> =
            plain[FIXED..].chunks_exact(ENTRY).enumerate().map(entry).collect::<Result<_, _>>()?;
        check_bounds(&files, header.length, file_size)?;
        Ok(Self { files, ..header })
    }

    /// The fields before the table, and the header length as declared.
    fn fixed(plain: &[u8]) -> Result<(Self, u32), Rejected> {
        let count = u32_at(plain, 0x0c);
        let files = count as usize;
        if !(1..=MOST_FILES).contains(&files) {
            return Err(Rejected::FileCount(count));
        }
        let language = match u32_at(plain, 0x10) {
            1 => Language::Multi,
            2 => Language::Chinese,
            other => Language::Other(other),
        };
        let header = Self {
            length: 64 + 44 * count,
            language,
            device_class: u32_at(plain, 0x14),
            oem: u32_at(plain, 0x18),
            files: Vec::new(),
        };
        Ok((header, u32_at(plain, 8)))
    }

    /// Reads the container from its first byte on and compares the byte sum of every body.
    ///
    /// # Errors
    ///
    /// The reader's own error, or [`Rejected`] inside an error of kind `InvalidData`.
    pub fn check_bodies(&self, mut container: impl Read) -> io::Result<()> {
        let mut files: Vec<&Entry> = self.files.iter().collect();
        files.sort_by_key(|f| f.offset);
        let mut position = 0;
        for file in files {
            let gap = u64::from(file.offset) - position;
            io::copy(&mut (&mut container).take(gap), &mut io::sink())?;
            let found = sum_of(&mut (&mut container).take(file.length.into()))?;
            if found != file.byte_sum {
                let rejected = Rejected::ByteSum { name: file.name.clone(), found, expected: file.byte_sum };
                return Err(io::Error::new(io::ErrorKind::InvalidData, rejected));
            }
            position = u64::from(file.offset) + u64::from(file.length);
        }
        Ok(())
    }
}

fn entry((index, raw): (usize, &[u8])) -> Result<Entry, Rejected> {
    let name = raw[..32].split(|b| *b == 0).next().unwrap_or_default();
    let padding = &raw[name.len()..32];
    let plain = name.iter().all(|b| b.is_ascii_graphic() && *b != b'/' && *b != b'\\');
    if name.is_empty() || !plain || padding.iter().any(|b| *b != 0) {
        return Err(Rejected::Name(index));
    }
    Ok(Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        offset: u32_at(raw, 32),
        length: u32_at(raw, 36),
        byte_sum: u32_at(raw, 40),
    })
}

fn check_bounds(files: &[Entry], header: u32, file_size: u64) -> Result<(), Rejected> {
    let end = |f: &Entry| u64::from(f.offset) + u64::from(f.length);
    for file in files {
        if file.offset < header || end(file) > file_size {
            let Entry { name, offset, length, .. } = file.clone();
            return Err(Rejected::Bounds { name, offset, length, file_size });
        }
    }
    let mut sorted: Vec<&Entry> = files.iter().collect();
    sorted.sort_by_key(|f| (f.offset, end(f)));
    let overlap = sorted.windows(2).find(|pair| end(pair[0]) > pair[1].offset.into());
    overlap.map_or(Ok(()), |pair| Err(Rejected::Overlap(pair[1].name.clone())))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, b| sum.wrapping_add(u32::from(*b)))
}

fn sum_of(reader: &mut impl Read) -> io::Result<u32> {
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0_u32;
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(total),
            count => total = total.wrapping_add(sum(&buffer[..count])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Container, inspect};
    use super::*;

    /// The first 108 bytes of a real recorder's `digicap.dav`: DS-7608N-E, Chinese build, 2015, as
    /// printed in ipcamtalk thread 37324, page 3. The header itself is 504 bytes long.
    const REAL: &str = include_str!("../../testdata/ds-7608n-e.header.hex");

    /// A container of the given bodies, made by the rules of the reference.
    fn container(bodies: &[&[u8]], language: u32) -> Vec<u8> {
        let length = FIXED + ENTRY * bodies.len();
        let mut header = vec![0; length];
        let mut put = |at: usize, value: usize| {
            header[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
        };
        put(8, length);
        put(0x0c, bodies.len());
        put(0x10, language as usize);
        let mut offset = length;
        for (i, body) in bodies.iter().enumerate() {
            let at = FIXED + ENTRY * i;
            put(at, usize::from(b'a') + i);
            put(at + 32, offset);
            put(at + 36, body.len());
            put(at + 40, sum(body) as usize);
            offset += body.len();
        }
        seal(header, bodies)
    }

    fn seal(mut header: Vec<u8>, bodies: &[&[u8]]) -> Vec<u8> {
        header[..4].copy_from_slice(b"SWKH");
        let checksum = sum(&header[0x0c..]);
        header[4..8].copy_from_slice(&checksum.to_le_bytes());
        xor(&mut header);
        [header, bodies.concat()].concat()
    }

    fn read(file: &[u8]) -> Result<Container, Rejected> {
        inspect(&file[..file.len().min(super::super::LONGEST_HEADER)], file.len() as u64)
    }

    #[test]
    fn reads_the_real_header() {
        let mut plain = hex::decode(REAL.trim()).unwrap();
        xor(&mut plain);
        let (header, declared) = HeaderA::fixed(&plain).unwrap();
        assert_eq!((declared, header.length), (504, 504));
        assert_eq!(header.language, Language::Chinese);
        assert_eq!((header.device_class, header.oem), (0x2c, 0xffff_ffff));
        let first = entry((0, &plain[FIXED..])).unwrap();
        let expected =
            Entry { name: "hicore.tar.lzma".into(), offset: 504, length: 3_032_432, byte_sum: 0x170a_64a0 };
        assert_eq!(first, expected);
    }

    #[test]
    fn the_real_header_cut_short_is_refused() {
        let raw = hex::decode(REAL.trim()).unwrap();
        let error = inspect(&raw, raw.len() as u64).unwrap_err();
        assert_eq!(error, Rejected::HeaderLength { found: 504, expected: 504, file_size: 108 });
    }

    #[test]
    fn reads_a_whole_container_and_its_bodies() {
        let file = container(&[b"kernel", b"", b"rootfs"], 1);
        let Container::A(header) = read(&file).unwrap() else { panic!("not format A") };
        assert_eq!(header.language, Language::Multi);
        assert_eq!(header.files.iter().map(|f| f.length).collect::<Vec<_>>(), [6, 0, 6]);
        header.check_bodies(&file[..]).unwrap();
    }

    #[test]
    fn every_changed_header_byte_is_noticed() {
        let file = container(&[b"kernel", b"rootfs"], 1);
        for at in 0..FIXED + 2 * ENTRY {
            let mut damaged = file.clone();
            damaged[at] ^= 0x10;
            let found = read(&damaged);
            assert!(found.is_err() || found == Ok(Container::Unknown), "byte {at} went unnoticed: {found:?}");
        }
    }

    #[test]
    fn a_changed_body_byte_fails_its_sum() {
        let mut file = container(&[b"kernel", b"rootfs"], 1);
        let Container::A(header) = read(&file).unwrap() else { panic!("not format A") };
        *file.last_mut().unwrap() ^= 1;
        let error = header.check_bodies(&file[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().starts_with("container: b has byte sum"), "{error}");
    }

    #[test]
    fn a_file_cut_short_is_refused() {
        let file = container(&[b"kernel"], 1);
        assert!(matches!(read(&file[..file.len() - 1]), Err(Rejected::Bounds { .. })));
    }

    /// A container whose table was changed with `edit`, sealed again with a right checksum.
    fn edited(edit: impl Fn(&mut Vec<u8>)) -> Result<Container, Rejected> {
        let mut file = container(&[b"kernel", b"rootfs"], 1);
        let bodies = file.split_off(FIXED + 2 * ENTRY);
        xor(&mut file);
        edit(&mut file);
        read(&seal(file, &[&bodies]))
    }

    #[test]
    fn tables_that_contradict_themselves_are_refused() {
        assert!(edited(|_| ()).is_ok());
        assert!(matches!(edited(|h| h[0x0c] = 0), Err(Rejected::FileCount(0))));
        assert!(matches!(edited(|h| h[0x0c] = 33), Err(Rejected::FileCount(33))));
        assert!(matches!(edited(|h| h[0x08] += 1), Err(Rejected::HeaderLength { .. })));
        assert!(matches!(edited(|h| h[FIXED] = 0), Err(Rejected::Name(0))));
        assert!(matches!(edited(|h| h[FIXED + ENTRY] = b'/'), Err(Rejected::Name(1))));
        assert!(matches!(edited(|h| h[FIXED + 20] = b'x'), Err(Rejected::Name(0))));
        assert!(matches!(edited(|h| h[FIXED + 32] = 0), Err(Rejected::Bounds { .. })));
        assert!(matches!(edited(|h| h[FIXED + 36] += 1), Err(Rejected::Overlap(_))));
    }
}

use std::io::{self, Read};

use firmware::Text;
use serde::Serialize;

/// What is on a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Filesystem {
    /// FAT with 32 bits: what sticks come with, no file of 4 GiB or more.
    Fat32,
    /// FAT with 12 or 16 bits: small or old sticks.
    Fat16,
    /// exFAT: what large sticks come with.
    Exfat,
    /// Windows' own.
    Ntfs,
    /// Linux's own, ext2 to ext4.
    Ext,
    /// Something else, or nothing.
    Other,
}

/// As far as the marks of the file systems above reach, bytes.
const HEAD: u64 = 2048;

/// What the first bytes of a volume say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Superblock {
    pub(crate) filesystem: Filesystem,
    pub(crate) label: Option<Text>,
    /// Whether it is mounted for writing, or was and has not been unmounted since.
    pub(crate) dirty: bool,
}

/// The file system, its label and its mark of being in use, in the first bytes of a volume.
///
/// Offsets are of the published formats: Microsoft's FAT specification (fatgen103) §3.1 to §3.3, exFAT
/// specification §3.1 (`VolumeFlags`: §3.1.13), ext4's `s_magic` and `s_volume_name`. The mark of FAT is the
/// lowest bit of `BS_Reserved1`, where Windows and Linux keep it. The label of exFAT and NTFS, and the newer
/// one of FAT, lie deeper in; they are not looked for.
pub(crate) fn recognise(volume: impl Read) -> io::Result<Superblock> {
    let mut head = Vec::new();
    volume.take(HEAD).read_to_end(&mut head)?;
    let at = |from: usize, mark: &[u8]| head.get(from..from + mark.len()) == Some(mark);
    let label = |from: usize, length: usize| {
        let text = String::from_utf8_lossy(head.get(from..from + length)?);
        let text = text.trim_matches(|c: char| c == '\0' || c == ' ');
        // what formatting leaves there where nobody gave a name
        (!text.is_empty() && text != "NO NAME").then(|| Text::cleaned(text))
    };
    let bit = |at: usize, mask: u8| head.get(at).is_some_and(|byte| byte & mask != 0);
    let boot = at(510, &[0x55, 0xaa]);
    let (filesystem, label, dirty) = if boot && at(3, b"EXFAT   ") {
        (Filesystem::Exfat, None, bit(106, 2))
    } else if boot && at(3, b"NTFS    ") {
        (Filesystem::Ntfs, None, false)
    } else if boot && at(82, b"FAT32   ") {
        (Filesystem::Fat32, label(71, 11), bit(65, 1))
    } else if boot && (at(54, b"FAT16   ") || at(54, b"FAT12   ")) {
        (Filesystem::Fat16, label(43, 11), bit(37, 1))
    } else if at(1080, &[0x53, 0xef]) {
        (Filesystem::Ext, label(1144, 16), false)
    } else {
        (Filesystem::Other, None, false)
    };
    Ok(Superblock { filesystem, label, dirty })
}

impl Filesystem {
    /// Of the kernel's name for it; what reads through FUSE says only that.
    pub(crate) fn of_kernel(name: &str) -> Self {
        match name {
            "vfat" | "msdos" => Self::Fat32,
            "exfat" | "fuse.exfat" => Self::Exfat,
            "ntfs" | "ntfs3" => Self::Ntfs,
            "ext2" | "ext3" | "ext4" => Self::Ext,
            _ => Self::Other,
        }
    }

    /// The kernel's name for it, if it is one that sticks have.
    pub(crate) fn kernel_name(&self) -> Option<&'static str> {
        match self {
            Self::Fat32 | Self::Fat16 => Some("vfat"),
            Self::Exfat => Some("exfat"),
            Self::Ntfs => Some("ntfs3"),
            Self::Ext => Some("ext4"),
            Self::Other => None,
        }
    }

    /// The program that checks and mends it, from those who make it, where nothing in it does so when it is
    /// mounted: `dosfstools` and `exfatprogs`.
    pub(crate) fn checker(&self) -> Option<&'static str> {
        match self {
            Self::Fat32 | Self::Fat16 => Some("fsck.fat"),
            Self::Exfat => Some("fsck.exfat"),
            Self::Ntfs | Self::Ext | Self::Other => None,
        }
    }

    /// The largest file that it takes, where that is less than anything that travels.
    pub fn largest_file(&self) -> Option<u64> {
        match self {
            Self::Fat32 | Self::Fat16 => Some(u64::from(u32::MAX)),
            _ => None,
        }
    }

    /// For people.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Fat32 => "FAT32",
            Self::Fat16 => "FAT16",
            Self::Exfat => "exFAT",
            Self::Ntfs => "NTFS",
            Self::Ext => "ext",
            Self::Other => "no known file system",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;

    use super::*;

    /// A file that a real program made a file system in.
    fn made(program: &str, arguments: &[&str]) -> Superblock {
        let temp = tempfile::tempdir().unwrap();
        let image = temp.path().join("image");
        File::create(&image).unwrap().set_len(64 << 20).unwrap();
        let run = Command::new(program).args(arguments).arg(&image).output();
        let run = run.unwrap_or_else(|error| panic!("{program}: {error}; scripts/test installs it"));
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        recognise(File::open(&image).unwrap()).unwrap()
    }

    #[test]
    fn recognises_what_real_programs_make() {
        let clean = |filesystem, label: Option<&str>| Superblock {
            filesystem,
            label: label.map(Text::cleaned),
            dirty: false,
        };
        for (program, arguments, filesystem, label) in [
            ("mkfs.vfat", &["-F", "32", "-n", "GATE 3"][..], Filesystem::Fat32, Some("GATE 3")),
            ("mkfs.vfat", &["-F", "32"], Filesystem::Fat32, None),
            ("mkfs.vfat", &["-F", "16", "-n", "OLD"], Filesystem::Fat16, Some("OLD")),
            ("mkfs.exfat", &["-L", "BIG"], Filesystem::Exfat, None),
            ("mkfs.ext4", &["-q", "-L", "linux"], Filesystem::Ext, Some("linux")),
        ] {
            assert_eq!(made(program, arguments), clean(filesystem, label), "{program} {arguments:?}");
        }
    }

    #[test]
    fn nothing_is_other() {
        let nothing = Superblock { filesystem: Filesystem::Other, label: None, dirty: false };
        assert_eq!(recognise(&[][..]).unwrap(), nothing);
        assert_eq!(recognise(&[0_u8; 4096][..]).unwrap(), nothing);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..4096)) {
            let _ = recognise(&bytes[..]).unwrap();
        }
    }
}

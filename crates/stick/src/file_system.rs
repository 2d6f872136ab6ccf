//! What the kernel's number for a file system (statfs(2), `f_type`) means for a stick. The numbers are those
//! of linux/magic.h.

use crate::layout;
use crate::media::ReadOnly;

/// FAT with 12, 16 or 32 bits.
const FAT: i64 = 0x4d44;
/// What disc images and live systems have: made once and never written to.
const NEVER_WRITTEN: [(i64, &str); 3] =
    [(0x9660, "ISO 9660"), (0x7371_7368, "squashfs"), (0xe0f5_e1e2, "EROFS")];

/// The largest file that it takes, bytes, where firmware could be larger.
pub(crate) fn largest_file(kind: i64) -> Option<u64> {
    (kind == FAT).then_some(layout::LARGEST_FILE)
}

/// Why one that is read-only is so.
pub(crate) fn read_only(kind: i64) -> ReadOnly {
    let named = NEVER_WRITTEN.into_iter().find(|(number, _)| *number == kind);
    named.map_or(ReadOnly::Mounted, |(_, name)| ReadOnly::FileSystem(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `EXFAT_SUPER_MAGIC`, `EXT4_SUPER_MAGIC`.
    const OTHERS: [i64; 2] = [0x2011_bab0, 0xef53];

    #[test]
    fn only_fat_has_a_limit_that_firmware_could_reach() {
        assert_eq!(largest_file(FAT), Some((4 << 30) - 1));
        assert!(OTHERS.into_iter().all(|kind| largest_file(kind).is_none()));
    }

    #[test]
    fn what_cannot_be_written_is_told_from_what_is_mounted_so() {
        assert_eq!(read_only(0x9660), ReadOnly::FileSystem("ISO 9660"));
        assert!(OTHERS.into_iter().chain([FAT]).all(|kind| read_only(kind) == ReadOnly::Mounted));
    }
}

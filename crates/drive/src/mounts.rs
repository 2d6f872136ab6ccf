use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One line of mountinfo (proc_pid_mountinfo(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountPoint {
    /// Major and minor number of what is mounted, `8:17`. A file system over FUSE has one of its own, and
    /// is found by its source.
    pub(crate) device: String,
    /// Where.
    pub(crate) folder: PathBuf,
    /// For this mount, or for the file system as a whole.
    pub(crate) read_only: bool,
    /// As the kernel calls it: `vfat`, `exfat`, `fuseblk`.
    pub(crate) filesystem: String,
    /// What was named to mount: `/dev/sdb1`, `tmpfs`.
    pub(crate) source: PathBuf,
}

/// Reads what is mounted for this process.
pub(crate) fn read(path: &Path) -> io::Result<Vec<MountPoint>> {
    let text = std::fs::read(path)?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(line).collect())
}

/// `36 35 98:0 /mnt1 /mnt/two rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn line(line: &[u8]) -> Option<MountPoint> {
    let mut fields = line.split(|byte| *byte == b' ');
    let device = text(fields.nth(2)?)?;
    let (folder, options) = (fields.nth(1)?, fields.next()?);
    // optional fields, as many as there are, end with a hyphen
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let (filesystem, source, whole) = (text(rest.next()?)?, rest.next()?, rest.next()?);
    let is_read_only = |options: &[u8]| options.split(|byte| *byte == b',').any(|option| option == b"ro");
    Some(MountPoint {
        device,
        folder: path(folder),
        read_only: is_read_only(options) || is_read_only(whole),
        filesystem,
        source: path(source),
    })
}

fn text(field: &[u8]) -> Option<String> {
    String::from_utf8(field.to_vec()).ok()
}

/// Blanks, tabs, line ends and backslashes are written as three octal digits.
fn path(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|digits| digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        match digits {
            Some(digits) if first == b'\\' && digits[0] <= b'3' => {
                bytes.push(digits.iter().fold(0, |value, digit| value << 3 | (digit - b'0')));
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_and_leaves_out_what_is_none() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("mountinfo");
        let text = "\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 22 8:17 / /media/kim/MY\\040STICK\\134 rw,nosuid shared:7 master:1 - vfat /dev/sdb1 ro,uid=1000
32 22 0:45 / /mnt/x rw - fuseblk /dev/sdc1 rw
broken line
33 22 8:33
";
        std::fs::File::create(&file).and_then(|mut f| io::Write::write_all(&mut f, text.as_bytes())).unwrap();
        let mounts = read(&file).unwrap();
        assert_eq!(mounts.len(), 3);
        assert_eq!(mounts[1].folder, Path::new("/media/kim/MY STICK\\"));
        assert_eq!(
            (mounts[1].device.as_str(), mounts[1].read_only, mounts[1].filesystem.as_str()),
            ("8:17", true, "vfat")
        );
        assert_eq!((mounts[2].source.as_path(), mounts[2].read_only), (Path::new("/dev/sdc1"), false));
    }

    #[test]
    fn reads_this_machine() {
        let mounts = read(Path::new("/proc/self/mountinfo")).unwrap();
        assert!(mounts.iter().any(|mount| mount.folder == Path::new("/proc")), "{mounts:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_too_strange(bytes: Vec<u8>) {
            let _ = line(&bytes);
            proptest::prop_assert!(path(&bytes).as_os_str().len() <= bytes.len());
        }
    }
}

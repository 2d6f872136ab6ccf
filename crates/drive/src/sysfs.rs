use std::collections::BTreeMap;
use std::fs::{File, canonicalize, read_dir};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use firmware::Text;

use crate::drive::{Drive, Mount, Volume};
use crate::mounts::MountPoint;
use crate::superblock::{Filesystem, recognise};

/// The kernel counts sizes in sectors of this many bytes, whatever those of the drive are.
const SECTOR: u64 = 512;
/// The longest attribute that is read: a USB string descriptor has 126 characters.
const LONGEST_ATTRIBUTE: u64 = 512;

/// Where the running system lives; a drive that is mounted at one of these is no stick, even on USB.
const SYSTEM: [&str; 8] =
    ["/", "/boot", "/boot/efi", "/usr", "/var", "/home", "/run/live/medium", "/lib/live/mount/medium"];

/// The drives below `sys` (`/sys`), with their nodes below `dev` (`/dev`). What is pulled out while it is
/// looked at is left out.
pub(crate) fn drives(sys: &Path, dev: &Path, mounts: &[MountPoint]) -> io::Result<Vec<Drive>> {
    let mut drives = BTreeMap::new();
    for entry in read_dir(sys.join("block"))? {
        let name = entry?.file_name();
        let Ok(disk) = canonicalize(sys.join("block").join(&name)) else { continue };
        let Some(usb) = usb_device(&disk, sys) else { continue };
        let Some(size) = number(&disk, "size").filter(|sectors| *sectors > 0) else { continue };
        let Some(volumes) = volumes(&disk, dev, mounts) else { continue };
        let of_usb = |attribute: &str| attribute_of(usb, attribute).map(|text| Text::cleaned(&text));
        let id = |part: &str| attribute_of(usb, part).unwrap_or_else(|| "?".into());
        let drive = Drive {
            node: dev.join(&name),
            port: usb.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            usb_id: Text::cleaned(&format!("{}:{}", id("idVendor"), id("idProduct"))),
            vendor: of_usb("manufacturer"),
            product: of_usb("product"),
            description: None,
            serial: of_usb("serial"),
            size: size.saturating_mul(SECTOR),
            read_only: number(&disk, "ro") == Some(1),
            volumes,
            sequence: number(usb, "devnum"),
        };
        drives.insert(name, drive);
    }
    Ok(drives.into_values().collect())
}

/// The USB device that a disk belongs to: the nearest ancestor with a vendor number.
fn usb_device<'a>(disk: &'a Path, sys: &Path) -> Option<&'a Path> {
    let sys = canonicalize(sys).ok()?;
    disk.ancestors().take_while(|at| at.starts_with(&sys)).find(|at| at.join("idVendor").is_file())
}

/// What is on a disk; `None` if the running system is, or something that is made of it.
fn volumes(disk: &Path, dev: &Path, mounts: &[MountPoint]) -> Option<Vec<Volume>> {
    let mut parts: Vec<PathBuf> = read_dir(disk)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("partition").is_file())
        .collect();
    parts.sort_by_key(|path| number(path, "partition"));
    if parts.is_empty() {
        parts.push(disk.into());
    }
    let held =
        |part: &PathBuf| read_dir(part.join("holders")).is_ok_and(|mut holders| holders.next().is_some());
    if parts.iter().any(held) {
        return None;
    }
    parts.iter().map(|part| volume(part, dev, mounts)).collect()
}

/// A volume; `None` if the running system lives on it.
fn volume(part: &Path, dev: &Path, mounts: &[MountPoint]) -> Option<Volume> {
    let node = dev.join(part.file_name().unwrap_or_default());
    let number_of = attribute_of(part, "dev");
    let here = |mount: &&MountPoint| number_of.as_ref() == Some(&mount.device) || mount.source == node;
    let mounted: Vec<&MountPoint> = mounts.iter().filter(here).collect();
    if mounted.iter().any(|mount| SYSTEM.iter().any(|system| mount.folder == Path::new(system))) {
        return None;
    }
    let read = File::open(&node).and_then(recognise).ok();
    let mount = mounted.first();
    // one that is mounted for writing always has the mark
    let dirty = mount.is_none() && read.as_ref().is_some_and(|read| read.dirty);
    let (filesystem, label) = match (read, mount) {
        (Some(read), _) => (Some(read.filesystem), read.label),
        (None, Some(mount)) => (Some(Filesystem::of_kernel(&mount.filesystem)), None),
        (None, None) => (None, None),
    };
    let mount = mount.map(|mount| Mount {
        folder: mount.folder.clone(),
        read_only: mount.read_only,
        free: rustix::fs::statvfs(&mount.folder).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize)),
    });
    let size = number(part, "size").unwrap_or(0).saturating_mul(SECTOR);
    Some(Volume { node, size, filesystem, label, mount, dirty })
}

/// Takes a drive off the bus: the disk writes what it still holds and stops, then the port lets go of it, unless
/// it has other disks, as card readers do. Whether that was done; only root may.
pub(crate) fn power_off(sys: &Path, drive: &Drive) -> bool {
    let name = drive.node.file_name().unwrap_or_default();
    let Ok(disk) = canonicalize(sys.join("block").join(name)) else { return false };
    let Some(usb) = usb_device(&disk, sys).map(Path::to_owned) else { return false };
    let stopped = switch(&disk.join("device/delete"));
    let others = read_dir(sys.join("block")).into_iter().flatten().filter_map(Result::ok);
    let mut others = others.filter(|entry| entry.file_name() != name);
    if stopped && !others.any(|entry| canonicalize(entry.path()).is_ok_and(|other| other.starts_with(&usb))) {
        switch(&usb.join("remove"));
    }
    stopped
}

/// Writes to a switch of sysfs; whether it took it.
fn switch(at: &Path) -> bool {
    File::options().write(true).open(at).and_then(|mut file| file.write_all(b"1")).is_ok()
}

fn attribute_of(device: &Path, name: &str) -> Option<String> {
    let mut text = Vec::new();
    File::open(device.join(name)).ok()?.take(LONGEST_ATTRIBUTE).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn number(device: &Path, name: &str) -> Option<u64> {
    attribute_of(device, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir_all;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A tree like the kernel's, as a stick of two partitions beside an internal disk and a card reader
    /// without a card was seen to look.
    struct Tree(tempfile::TempDir);

    const STICK: &str = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2";

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            let disk = format!("{STICK}/1-2:1.0/host2/target2:0:0/2:0:0:0/block/sdb");
            for (name, text) in [
                ("idVendor", "0781\n"),
                ("idProduct", "5567\n"),
                ("manufacturer", "SanDisk \n"),
                ("product", "Cruzer\u{1b}[31m Blade\n"),
                ("serial", "4C530001230718116433\n"),
            ] {
                tree.write(&format!("{STICK}/{name}"), text);
            }
            for (name, text) in
                [("size", "30031872\n"), ("ro", "0\n"), ("removable", "1\n"), ("dev", "8:16\n")]
            {
                tree.write(&format!("{disk}/{name}"), text);
            }
            for (n, size) in [("1", "30029824\n"), ("2", "2048\n")] {
                tree.write(&format!("{disk}/sdb{n}/partition"), &format!("{n}\n"));
                tree.write(&format!("{disk}/sdb{n}/size"), size);
                tree.write(&format!("{disk}/sdb{n}/dev"), &format!("8:{}\n", 16 + n.parse::<u32>().unwrap()));
                create_dir_all(tree.at(&format!("{disk}/sdb{n}/holders"))).unwrap();
            }
            tree.write("sys/devices/pci0000:00/0000:00:17.0/ata1/host0/block/sda/size", "1000215216\n");
            let reader = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-3";
            tree.write(&format!("{reader}/idVendor"), "0bda\n");
            tree.write(&format!("{reader}/1-3:1.0/host3/block/sdc/size"), "0\n");
            create_dir_all(tree.at("sys/block")).unwrap();
            for disk in [
                disk.as_str(),
                "sys/devices/pci0000:00/0000:00:17.0/ata1/host0/block/sda",
                &format!("{reader}/1-3:1.0/host3/block/sdc"),
            ] {
                let name = disk.rsplit('/').next().unwrap();
                symlink(tree.at(disk), tree.at(&format!("sys/block/{name}"))).unwrap();
            }
            tree
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.at(path);
            create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
        }

        fn drives(&self, mounts: &[MountPoint]) -> Vec<Drive> {
            drives(&self.at("sys"), &self.at("dev"), mounts).unwrap()
        }
    }

    fn mount(device: &str, folder: &str) -> MountPoint {
        MountPoint {
            device: device.into(),
            folder: folder.into(),
            read_only: false,
            filesystem: "vfat".into(),
            source: "/dev/whatever".into(),
        }
    }

    #[test]
    fn a_stick_is_told_from_an_internal_disk_and_an_empty_reader() {
        let tree = Tree::new();
        let drives = tree.drives(&[]);
        assert_eq!(drives.len(), 1);
        let stick = &drives[0];
        assert_eq!((stick.port.as_str(), stick.usb_id.as_str()), ("1-2", "0781:5567"));
        assert_eq!(stick.serial.as_ref().unwrap().as_str(), "4C530001230718116433");
        assert_eq!((stick.size, stick.read_only), (15_376_318_464, false));
        assert_eq!(stick.volumes.iter().map(|v| v.size).collect::<Vec<_>>(), [15_375_269_888, 1_048_576]);
        assert!(stick.volumes.iter().all(|v| v.mount.is_none() && v.filesystem.is_none()));
        assert!(!stick.to_string().contains('\u{1b}'), "{stick}");
    }

    #[test]
    fn a_volume_knows_where_it_is_mounted() {
        let tree = Tree::new();
        let folder = tree.0.path().to_str().unwrap();
        let drives = tree.drives(&[mount("8:17", folder)]);
        let mounted = drives[0].volumes[0].mount.as_ref().unwrap();
        assert_eq!(mounted.folder, tree.0.path());
        assert!(mounted.free.is_some());
        assert_eq!(drives[0].volumes[0].filesystem, Some(Filesystem::Fat32));
        assert!(drives[0].volumes[1].mount.is_none());
    }

    #[test]
    fn the_drive_that_carries_the_running_system_is_no_stick() {
        let tree = Tree::new();
        for folder in SYSTEM {
            assert!(tree.drives(&[mount("8:18", folder)]).is_empty(), "{folder}");
        }
        let part = format!("{STICK}/1-2:1.0/host2/target2:0:0/2:0:0:0/block/sdb/sdb1/holders/dm-0");
        create_dir_all(tree.at(&part)).unwrap();
        assert!(tree.drives(&[]).is_empty(), "an encrypted volume or a RAID is made of it");
    }

    #[test]
    fn what_is_read_of_a_node_names_its_file_system() {
        let tree = Tree::new();
        let mut boot = vec![0; 512];
        boot[510..].copy_from_slice(&[0x55, 0xaa]);
        boot[82..90].copy_from_slice(b"FAT32   ");
        boot[71..82].copy_from_slice(b"GATE 3     ");
        create_dir_all(tree.at("dev")).unwrap();
        File::create(tree.at("dev/sdb1")).unwrap().write_all(&boot).unwrap();
        let drives = tree.drives(&[]);
        let volume = &drives[0].volumes[0];
        assert_eq!(volume.filesystem, Some(Filesystem::Fat32));
        assert_eq!(volume.label.as_ref().unwrap().as_str(), "GATE 3");
    }

    #[test]
    fn reads_this_machine() {
        assert!(crate::list().is_ok());
    }
}

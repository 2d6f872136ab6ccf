//! Which of the plugged-in drives is meant.

use terminal::{Count, Exit, Failure};

use crate::drive::{Drive, Volume};
use crate::error::MountError;

/// The drive that is named by its serial number or its node, or else the one that is plugged in; of several a
/// person chooses, or names one with `flag`.
pub fn choose(name: Option<&str>, flag: &str) -> Result<(Drive, Volume), Failure> {
    let drives = crate::list().map_err(|error| MountError::from(error).failure())?;
    if let Some(name) = name {
        return named(name, &drives, flag)?.ok_or_else(|| absent(name, &drives));
    }
    let chosen = match drives.len() {
        0 => return Err(absent("", &drives)),
        1 => 0,
        _ => {
            let listed: Vec<String> =
                drives.iter().flat_map(|drive| drive.lines().into_iter().take(1)).collect();
            ask(&listed, &drives.iter().map(|drive| drive.handle(&drives)).collect::<Vec<_>>(), flag)?
        }
    };
    let drive = &drives[chosen];
    Ok((drive.clone(), volume(drive, flag)?.clone()))
}

/// The one of these drives, or of their volumes, that has this name; `None` where none has.
pub fn named(name: &str, drives: &[Drive], flag: &str) -> Result<Option<(Drive, Volume)>, Failure> {
    let is_node = |node: &std::path::Path| node == std::path::Path::new(name);
    for drive in drives {
        if let Some(volume) = drive.volumes.iter().find(|volume| is_node(&volume.node)) {
            return Ok(Some((drive.clone(), volume.clone())));
        }
    }
    let is_named = |drive: &&Drive| {
        is_node(&drive.node) || drive.serial.as_ref().is_some_and(|serial| serial.as_str() == name)
    };
    match drives.iter().filter(is_named).collect::<Vec<_>>()[..] {
        [] => Ok(None),
        [drive] => Ok(Some((drive.clone(), volume(drive, flag)?.clone()))),
        ref several => {
            let nodes: Vec<String> =
                several.iter().map(|drive| format!("{flag} {}", drive.node.display())).collect();
            let message = format!("stick {name}: {} have this serial number", Count(several.len(), "drive"));
            Err(Failure::new(Exit::Usage, message).hint(format!("give {}", nodes.join(" or "))))
        }
    }
}

/// The one volume of a drive that can hold files.
pub fn volume<'a>(drive: &'a Drive, flag: &str) -> Result<&'a Volume, Failure> {
    match drive.volumes.iter().filter(|volume| volume.holds_files()).collect::<Vec<_>>()[..] {
        [] => Err(MountError::NoFilesystem(drive.volumes.first().map_or(&drive.node, |v| &v.node).clone())
            .failure()),
        [volume] => Ok(volume),
        ref several => {
            let nodes: Vec<String> =
                several.iter().map(|volume| format!("{flag} {}", volume.node.display())).collect();
            let message = format!("stick: {drive} has {}", Count(several.len(), "volume"));
            Err(Failure::new(Exit::Usage, message).hint(format!("give {}", nodes.join(" or "))))
        }
    }
}

/// Which of these a person means; `names` are what to give with `flag` instead.
pub fn ask(listed: &[String], names: &[String], flag: &str) -> Result<usize, Failure> {
    let lines: Vec<String> = (1..).zip(listed).map(|(n, line)| format!("{n}  {line}")).collect();
    let flags: Vec<String> = names.iter().map(|name| format!("{flag} {name}")).collect();
    let flags = flags.join(" or ");
    let answer = terminal::typed(&format!("{}\nWhich stick? Its number", lines.join("\n")), &flags)?;
    let number = answer.parse::<usize>().ok().filter(|number| (1..=listed.len()).contains(number));
    number.map(|number| number - 1).ok_or_else(|| {
        let message = format!("stick: {answer:?} is not a number from 1 to {}", listed.len());
        Failure::new(Exit::Usage, message).hint(format!("nothing was done; give {flags}"))
    })
}

fn absent(name: &str, drives: &[Drive]) -> Failure {
    let Some(_) = drives.first() else {
        return Failure::new(Exit::Stick, "stick: none is plugged in")
            .hint("plug it in and give the same command again; a folder is named by its path");
    };
    let plugged: Vec<String> = drives.iter().map(|drive| drive.handle(drives)).collect();
    Failure::new(Exit::Stick, format!("stick {name}: not plugged in"))
        .hint(format!("plugged in: {}", plugged.join(", ")))
}

#[cfg(test)]
mod tests {
    use crate::superblock::Filesystem;

    use super::*;

    fn drive(node: &str, serial: &str, filesystems: &[Option<Filesystem>]) -> Drive {
        let one = crate::drive::tests::drive(node, serial);
        let volume = |(n, filesystem): (usize, &Option<Filesystem>)| Volume {
            node: format!("{node}{}", n + 1).into(),
            filesystem: filesystem.clone(),
            ..one.volumes[0].clone()
        };
        Drive { volumes: filesystems.iter().enumerate().map(volume).collect(), ..one.clone() }
    }

    const FAT: Option<Filesystem> = Some(Filesystem::Fat32);

    #[test]
    fn a_drive_is_named_by_serial_number_node_or_volume() {
        let drives = [drive("/dev/sdb", "A", &[FAT]), drive("/dev/sdc", "B", &[FAT, FAT])];
        let node = |name| named(name, &drives, "--stick").map(|found| found.map(|(_, volume)| volume.node));
        assert_eq!(node("A").unwrap().unwrap(), std::path::Path::new("/dev/sdb1"));
        assert_eq!(node("/dev/sdb").unwrap().unwrap(), std::path::Path::new("/dev/sdb1"));
        assert_eq!(node("/dev/sdc2").unwrap().unwrap(), std::path::Path::new("/dev/sdc2"));
        assert!(node("C").unwrap().is_none());
        let hint = node("B").unwrap_err().hint.unwrap();
        assert_eq!(hint, "give --stick /dev/sdc1 or --stick /dev/sdc2");
    }

    #[test]
    fn one_serial_number_on_two_drives_names_neither() {
        let drives = [drive("/dev/sdb", "0", &[FAT]), drive("/dev/sdc", "0", &[FAT])];
        let failure = named("0", &drives, "--stick").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.hint.unwrap(), "give --stick /dev/sdb or --stick /dev/sdc");
        assert_eq!(drives[0].handle(&drives), "/dev/sdb");
        assert_eq!(drives[0].handle(&drives[..1]), "0");
    }

    #[test]
    fn what_holds_no_files_is_passed_over() {
        let other = Some(Filesystem::Other);
        let stick = drive("/dev/sdb", "", &[other.clone(), FAT]);
        assert_eq!(volume(&stick, "--stick").unwrap().node, std::path::Path::new("/dev/sdb2"));
        let blank = drive("/dev/sdb", "", &[other]);
        let failure = volume(&blank, "--stick").unwrap_err();
        assert!(failure.hint.unwrap().contains("mkfs.vfat -F 32 /dev/sdb1"));
    }
}

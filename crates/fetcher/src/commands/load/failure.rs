use std::io;
use std::path::Path;

use drive::Drive;
use stick::{Obstacle, ReadOnly, StickState, WriteError};
use terminal::{Exit, Failure};

/// How to make a file system that takes what is carried. It erases the stick, so no program of ours does it.
const FORMAT: &str = "to format it erases it, and is left to you: mkfs.exfat NODE, or mkfs.vfat -F 32 NODE (no file of 4 GiB or more); fetcher sticks names the node";

/// Which exit code and advice a stick gives that could not be written. `to` is where it is mounted; `drive` is
/// known where it is a removable drive.
pub(super) fn of(error: WriteError, drive: Option<&Drive>, to: &Path) -> Failure {
    if let WriteError::Obstacles(obstacles) = &error {
        let exit = if obstacles.iter().any(is_publication) { Exit::Refused } else { Exit::Stick };
        let mut hints: Vec<String> = obstacles.iter().map(|obstacle| advice(obstacle, drive, to)).collect();
        hints.dedup();
        hints.push("nothing was changed: the stick still carries what it carried before".to_owned());
        return Failure::of(exit, error).hint(hints.join("\n"));
    }
    let exit = if matches!(error, WriteError::Source { .. }) { Exit::Rejected } else { Exit::Stick };
    let hint = hint(&error, drive, to);
    Failure::of(exit, error).hint(hint)
}

/// Whether it is a publication that somebody may want to keep.
fn is_publication(obstacle: &Obstacle) -> bool {
    matches!(obstacle, Obstacle::OtherDepot(_) | Obstacle::Newer { .. } | Obstacle::NewerRoot(_))
}

/// What to do about an obstacle.
fn advice(obstacle: &Obstacle, drive: Option<&Drive>, to: &Path) -> String {
    match obstacle {
        Obstacle::ReadOnly(ReadOnly::Mounted) => read_only(drive, to),
        Obstacle::ReadOnly(ReadOnly::FileSystem(_)) => format!("use another stick; {FORMAT}"),
        Obstacle::Full { .. } => {
            "make room on it, use a larger one, or carry less: --model MODEL".to_owned()
        }
        Obstacle::TooLarge { .. } => {
            format!("use a stick with exFAT, or leave that release out: --model MODEL; {FORMAT}")
        }
        Obstacle::OtherDepot(_) => {
            "use another stick; or, once nobody needs what it carries: --replace-other-depot REASON".to_owned()
        }
        Obstacle::Newer { .. } | Obstacle::NewerRoot(_) => {
            "this home may be an old copy: load from the one that wrote the stick; if it is lost: --replace-newer REASON, and laptops that have seen the newer one will reject this stick".to_owned()
        }
        Obstacle::Twins(..) | Obstacle::InTheWay { .. } => {
            "what is in the way is not of this program: move it off the stick".to_owned()
        }
    }
}

/// What to do about a stick that takes no writes.
fn read_only(drive: Option<&Drive>, to: &Path) -> String {
    let remount = format!("mount -o remount,rw {}", to.display());
    let damaged = "if the kernel made it read-only because it is damaged, unmount it and have it checked first: fsck NODE";
    match drive {
        Some(drive) if drive.read_only => format!(
            "{drive}: write-protected; move the switch on its side; one without a switch has worn out: use another"
        ),
        Some(drive) => format!("{drive}: not write-protected, only mounted read-only: {remount}; {damaged}"),
        None => format!("if it has a switch on its side, move it; else: {remount}; {damaged}"),
    }
}

fn hint(error: &WriteError, drive: Option<&Drive>, to: &Path) -> String {
    let carries = match error.state() {
        StickState::AsBefore => "the stick still carries what it carried before",
        StickState::Uncertain => "the stick may be damaged: load it again before it leaves",
    };
    match error {
        WriteError::Source { .. } => {
            "the depot's file is damaged: fetcher sync, or fetcher pin ID, puts it away and brings it anew"
                .to_owned()
        }
        WriteError::ReadBack { .. } | WriteError::Forgotten { .. } => {
            "do not use this stick as it is: have its file system checked (sudo fsck.fat -a NODE, or fsck.exfat -a) and load it again; if this comes again, it loses what is written to it: take another".to_owned()
        }
        WriteError::Io { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            format!("{}\n{carries}", read_only(drive, to))
        }
        _ => carries.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use firmware::Text;

    use super::*;

    fn drive(read_only: bool) -> Drive {
        Drive {
            node: "/dev/sdb".into(),
            port: "1-2".into(),
            usb_id: Text::cleaned("0781:5567"),
            vendor: Some(Text::cleaned("SanDisk")),
            product: None,
            serial: None,
            size: 1 << 30,
            read_only,
            volumes: Vec::new(),
            description: None,
            sequence: None,
        }
    }

    #[test]
    fn a_switch_is_told_from_a_mount() {
        let to = Path::new("/media/gate");
        let switch = read_only(Some(&drive(true)), to);
        assert!(
            switch.contains("SanDisk, no serial, /dev/sdb: write-protected; move the switch"),
            "{switch}"
        );
        let mount = read_only(Some(&drive(false)), to);
        assert!(mount.contains("mount -o remount,rw /media/gate") && !mount.contains("switch"), "{mount}");
        assert!(read_only(None, to).contains("switch"));
    }

    #[test]
    fn every_obstacle_has_advice_and_a_publication_is_refused() {
        let failure = |obstacle| of(WriteError::Obstacles(vec![obstacle]), None, Path::new("/media/gate"));
        for (obstacle, exit, words) in [
            (Obstacle::ReadOnly(ReadOnly::FileSystem("ISO 9660")), Exit::Stick, "mkfs.vfat -F 32"),
            (Obstacle::TooLarge { name: "x".into(), length: 5, largest: 4 }, Exit::Stick, "mkfs.exfat"),
            (Obstacle::Full { needed: 2, free: 1 }, Exit::Stick, "--model"),
            (Obstacle::OtherDepot("x".into()), Exit::Refused, "--replace-other-depot REASON"),
            (Obstacle::NewerRoot("x".into()), Exit::Refused, "--replace-newer REASON"),
            (Obstacle::Newer { there: 2, signed_at: None, ours: 1 }, Exit::Refused, "--replace-newer REASON"),
            (Obstacle::Twins("a".into(), "A".into()), Exit::Stick, "move it off"),
        ] {
            let failure = failure(obstacle);
            let hint = failure.hint.unwrap();
            assert!(
                failure.exit == exit && hint.contains(words) && hint.contains("nothing was changed"),
                "{hint}"
            );
        }
    }
}

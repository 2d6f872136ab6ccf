use crate::drive::{Drive, Volume};

impl Drive {
    /// The drive and what is on it, for people: one line each.
    pub fn lines(&self) -> Vec<String> {
        let protected = if self.read_only { ", write-protected" } else { "" };
        let mut lines = vec![format!("{self}, {}{protected}", size(self.size))];
        lines.extend(self.volumes.iter().map(Volume::line));
        lines
    }
}

impl Volume {
    fn line(&self) -> String {
        let mut words = vec![self.node.display().to_string(), size(self.size)];
        match &self.filesystem {
            Some(filesystem) => words.push(filesystem.as_str().to_owned()),
            None => words.push("file system not known: this user may not read it".into()),
        }
        words.extend(self.label.as_ref().map(|label| format!("\"{label}\"")));
        let mount = match &self.mount {
            None if self.dirty => "not mounted, pulled out before it was unmounted".into(),
            None => "not mounted".into(),
            Some(mount) => {
                let at = format!("at {}", mount.folder.display());
                let how = if mount.read_only { ", read-only" } else { "" };
                let free = mount.free.map_or_else(String::new, |free| format!(", {} free", size(free)));
                format!("{at}{how}{free}")
            }
        };
        format!("  {}, {mount}", words.join("  "))
    }
}

/// As drives are sold: powers of ten, one digit after the point.
fn size(bytes: u64) -> String {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use firmware::Text;

    use super::*;
    use crate::{Filesystem, Mount};

    #[test]
    fn says_what_a_person_looks_for() {
        let mount = Mount { folder: "/media/kim/GATE".into(), read_only: true, free: Some(10_100_000_000) };
        let volume = |node: &str, mount: Option<Mount>| Volume {
            node: node.into(),
            size: 15_375_269_888,
            filesystem: Some(Filesystem::Exfat),
            label: None,
            dirty: mount.is_none(),
            mount,
        };
        let drive = Drive {
            node: "/dev/sdb".into(),
            port: "1-2".into(),
            usb_id: Text::cleaned("0781:5567"),
            vendor: Some(Text::cleaned("SanDisk")),
            product: Some(Text::cleaned("Cruzer Blade")),
            description: None,
            serial: None,
            size: 15_376_318_464,
            read_only: true,
            volumes: vec![volume("/dev/sdb1", Some(mount)), volume("/dev/sdb2", None)],
            sequence: None,
        };
        assert_eq!(
            drive.lines(),
            [
                "SanDisk Cruzer Blade, no serial, /dev/sdb, 15.3 GB, write-protected",
                "  /dev/sdb1  15.3 GB  exFAT, at /media/kim/GATE, read-only, 10.1 GB free",
                "  /dev/sdb2  15.3 GB  exFAT, not mounted, pulled out before it was unmounted",
            ]
        );
        assert_eq!(
            ["999 B", "1.0 kB", "18446744.0 TB"],
            [size(999), size(1000), size(u64::MAX)].each_ref().map(String::as_str)
        );
    }
}

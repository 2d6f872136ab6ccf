use std::fmt;
use std::path::PathBuf;

use firmware::Text;
use serde::Serialize;

use crate::superblock::Filesystem;

/// A drive that hangs on USB. All that it says about itself is a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// `/dev/sdb`.
    pub node: PathBuf,
    /// Where it is plugged in, as the kernel counts: `1-2.1`.
    pub port: String,
    /// USB vendor and product number, hexadecimal, `0781:5567`.
    pub usb_id: Text,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Text>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Text>,
    /// What udev and its hardware database call it, where udev runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Its serial number; cheap ones have none, or all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<Text>,
    /// Bytes.
    pub size: u64,
    /// Whether it takes no writes: a switch on its side, or its controller has given up.
    pub read_only: bool,
    /// What is on it.
    pub volumes: Vec<Volume>,
    /// The number that USB gave it when it was plugged in, another each time (sysfs `devnum`). The one of the disk
    /// (`diskseq`) changes whenever a medium may have been changed, and right after it is plugged in.
    #[serde(skip)]
    pub sequence: Option<u64>,
}

/// A partition, or the whole drive where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// `/dev/sdb1`.
    pub node: PathBuf,
    /// Bytes.
    pub size: u64,
    /// What its first bytes say; `None` where this program may not read them and it is not mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<Filesystem>,
    /// The name that somebody gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Text>,
    /// Where it is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<Mount>,
    /// Whether it was pulled out before it was unmounted, so that its file system may be damaged.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
}

impl Volume {
    /// Whether it can hold files, as far as is known: one that somebody mounted does, whatever reads it.
    pub fn holds_files(&self) -> bool {
        self.mount.is_some() || self.filesystem != Some(Filesystem::Other)
    }
}

/// Where a volume is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The folder.
    pub folder: PathBuf,
    /// Whether it is mounted read-only.
    pub read_only: bool,
    /// Bytes that can still be written, where the file system says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
}

impl Drive {
    /// What a person types to mean this one of several: its serial number, or its node where that says more.
    pub fn handle(&self, among: &[Self]) -> String {
        match &self.serial {
            Some(serial) if among.iter().filter(|other| other.serial == self.serial).count() == 1 => {
                serial.to_string()
            }
            _ => self.node.display().to_string(),
        }
    }

    /// Whether that is this drive, and not pulled out meanwhile. While one is pulled out, what it says of itself
    /// goes first, the number included, so that what is missing tells nothing.
    pub fn is_same_plug(&self, other: &Self) -> bool {
        let is_other_time = self.sequence.zip(other.sequence).is_some_and(|(one, two)| one != two);
        (&self.node, &self.port) == (&other.node, &other.port) && !is_other_time
    }

    /// Where any of it is mounted, and what of it.
    pub(crate) fn mounts(&self) -> impl Iterator<Item = (&Volume, &Mount)> {
        self.volumes.iter().filter_map(|volume| Some((volume, volume.mount.as_ref()?)))
    }
}

impl fmt::Display for Drive {
    /// As a person recognises it: maker, product, serial number, node.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [&self.vendor, &self.product];
        let mut words: Vec<&str> = named.into_iter().flatten().map(Text::as_str).collect();
        if words.is_empty() {
            words.push(self.usb_id.as_str());
        }
        write!(f, "{}", words.join(" "))?;
        match &self.serial {
            Some(serial) => write!(f, ", serial {serial}")?,
            None => write!(f, ", no serial")?,
        }
        write!(f, ", {}", self.node.display())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A drive of one volume, not mounted.
    pub(crate) fn drive(node: &str, serial: &str) -> Drive {
        let volume = Volume {
            node: format!("{node}1").into(),
            size: 1 << 30,
            filesystem: Some(Filesystem::Fat32),
            label: None,
            mount: None,
            dirty: false,
        };
        Drive {
            node: node.into(),
            port: "1-2".into(),
            usb_id: Text::cleaned("0781:5567"),
            vendor: None,
            product: None,
            description: None,
            serial: (!serial.is_empty()).then(|| Text::cleaned(serial)),
            size: 1 << 30,
            read_only: false,
            volumes: vec![volume],
            sequence: None,
        }
    }
}

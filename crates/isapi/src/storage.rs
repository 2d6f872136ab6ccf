use std::fmt;

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// One disk of `/ISAPI/ContentMgmt/Storage` (reference: ISAPI §12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Its slot.
    pub id: Text,
    /// `ok`, `error`, `notexist`, … as the recorder says.
    pub status: Text,
    /// Megabytes. Free space is not kept: 0 is normal on a recorder that overwrites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_mb: Option<u64>,
    /// Disk model, where the recorder tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Text>,
}

impl Document for Vec<Disk> {
    const PATH: &'static str = "/ISAPI/ContentMgmt/Storage";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "storage")?;
        let one = |hdd: &Element| {
            Ok(Disk {
                id: hdd.shown("id").ok_or(Malformed::Missing("id"))?,
                status: hdd.shown("status").ok_or(Malformed::Missing("status"))?,
                capacity_mb: hdd.number("capacity")?,
                model: hdd.shown("hddModel"),
            })
        };
        root.child("hddList").into_iter().flat_map(|list| list.children("hdd")).map(one).collect()
    }
}

impl Disk {
    /// Whether there is a disk at all: a removed one stays listed as `notexist`.
    pub fn is_present(&self) -> bool {
        !self.status.as_str().eq_ignore_ascii_case("notexist")
    }

    /// Whether the recorder reports a fault. Only the words known to be harmless are: an unknown one
    /// is shown and taken for a fault, since a flash that fails on a dying disk is worse than a question.
    pub fn in_error(&self) -> bool {
        let harmless = ["ok", "idle", "sleeping", "unformatted"];
        self.is_present() && !harmless.iter().any(|s| self.status.as_str().eq_ignore_ascii_case(s))
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.status)?;
        if let Some(capacity) = self.capacity_mb {
            write!(f, ", {capacity} MB")?;
        }
        self.model.as_ref().map_or(Ok(()), |model| write!(f, ", {model}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Disk>, Malformed> {
        Vec::parse(text.as_bytes())
    }

    /// Reference: ISAPI §12
    #[test]
    fn tells_faulty_disks_from_ghosts() {
        let disks = read(r#"<storage version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><hddList>
<hdd><id>1</id><hddName>hdd1</hddName><hddPath/><hddType>SATA</hddType><status>ok</status><capacity>7630885</capacity><freeSpace>0</freeSpace>
<property>RW</property><group>1</group><hddSerialNumber>WD-00000001</hddSerialNumber><hddModel>WDC WD85PURZ</hddModel></hdd>
<hdd><id>4</id><status>notexist</status><capacity>0</capacity></hdd>
<hdd><id>5</id><status>error</status></hdd><hdd><id>6</id><status>Sleeping</status></hdd><hdd><id>7</id><status>whatever</status></hdd></hddList>
<nasList/><workMode opt="group,quota">quota</workMode><ssdList/></storage>"#).unwrap();
        assert_eq!(disks.iter().map(Disk::in_error).collect::<Vec<_>>(), [false, false, true, false, true]);
        assert_eq!(disks.iter().filter(|d| d.is_present()).count(), 4);
        assert_eq!((disks[0].capacity_mb, disks[2].capacity_mb), (Some(7_630_885), None));
    }

    #[test]
    fn no_list_is_no_disk_and_a_disk_without_status_is_an_error() {
        assert_eq!(read("<storage/>"), Ok(vec![]));
        assert_eq!(
            read("<storage><hddList><hdd><id>1</id></hdd></hddList></storage>"),
            Err(Malformed::Missing("status"))
        );
    }
}

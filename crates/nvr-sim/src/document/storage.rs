use super::{document, node, node_of};
use crate::content::Disk;
use crate::profile::ISAPI;
use crate::recorder::Recorder;

/// `GET /ISAPI/ContentMgmt/Storage` (reference: ISAPI §12).
pub(super) fn storage(recorder: &Recorder) -> String {
    let state = recorder.state();
    let mut disks = state.content.disks;
    if let (Some(status), Some(first)) = (state.faults.disk_status, disks.first_mut()) {
        first.status = status;
    }
    let knows = recorder.profile.traits().knows_disks;
    let disks: String = disks.iter().map(|disk| hdd(disk, knows)).collect();
    let rest = r#"<nasList/><workMode opt="group,quota">quota</workMode><ssdList/>"#;
    document("storage", "2.0", ISAPI, &format!("<hddList>\n{disks}</hddList>\n{rest}\n"))
}

fn hdd(disk: &Disk, knows_make: bool) -> String {
    let there = disk.status != "notexist";
    let nodes = [
        node("id", disk.id),
        node("hddName", format!("hdd{}", disk.id)),
        "<hddPath/>".into(),
        node("hddType", "SATA"),
        node("status", &disk.status),
        node("capacity", disk.capacity),
        node("freeSpace", disk.free),
        node("property", "RW"),
        node_of("group", there.then_some(1)),
        node_of("hddSerialNumber", disk.serial.as_ref().filter(|_| knows_make)),
        node_of("hddModel", disk.model.as_ref().filter(|_| knows_make)),
    ];
    format!("<hdd>{}</hdd>\n", nodes.concat())
}

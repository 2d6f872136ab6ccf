//! What udev knows of USB devices, through `usb_enumeration`: a name out of its hardware database.
//!
//! Everything else that this library tells stands in sysfs as well, so nothing is lost without it.

use std::path::Path;

use firmware::Text;

use crate::drive::Drive;

/// There while udevd runs (systemd-udevd.service(8)); without it the library finds nothing.
const CONTROL: &str = "/run/udev/control";

/// Adds what udev calls these drives.
pub(crate) fn describe(drives: &mut [Drive]) {
    if drives.is_empty() || !Path::new(CONTROL).exists() {
        return;
    }
    let devices = usb_enumeration::enumerate(None, None);
    for drive in drives {
        // its disk and its partitions are listed, too: the device itself is the one with the name of the port
        let device = devices.iter().find(|device| device.id.rsplit('/').next() == Some(&drive.port));
        drive.description =
            device.and_then(|device| device.description.as_deref()).map(|text| Text::cleaned(text.trim()));
    }
}

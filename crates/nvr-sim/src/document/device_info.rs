use sha2::{Digest, Sha256};

use super::{document, node, node_of};
use crate::recorder::Recorder;

/// `GET /ISAPI/System/deviceInfo`, in the form of its profile (reference: ISAPI §8.1, §8.2).
pub(super) fn device_info(recorder: &Recorder) -> String {
    let state = recorder.state();
    let traits = recorder.profile.traits();
    let hash = Sha256::digest(state.serial.normalised());
    let id = format!("48484838-3131-3030-3030-{}", hex::encode(&hash[..6]));
    let build = format!("build {}", state.revision.build);
    let device_type = recorder.device_type.as_deref().unwrap_or(traits.device_type);
    let nodes = [
        node("deviceName", &state.content.name),
        node("deviceID", id),
        node("model", recorder.model.as_str()),
        node("serialNumber", state.serial.as_str()),
        node("macAddress", mac(&state.serial.normalised(), ':')),
        node("firmwareVersion", &state.revision.version),
        node("firmwareReleasedDate", &build),
        node("encoderVersion", "V5.0"),
        node("encoderReleasedDate", &build),
        node("deviceType", device_type),
        node("telecontrolID", 255),
        node("decordChannelNums", 8),
        node("VGANums", 1),
        node("USBNums", 2),
        node("auxoutNums", 0),
        node_of("hardwareVersion", traits.hardware),
    ];
    let lines: String = nodes.iter().filter(|node| !node.is_empty()).flat_map(|node| [node, "\n"]).collect();
    let (version, namespace) = traits.device_info;
    document("DeviceInfo", version, namespace, &(lines + traits.last_nodes))
}

/// An address of the kind that nobody owns, made from the serial.
pub(crate) fn mac(serial: &str, separator: char) -> String {
    let hash = Sha256::digest(serial);
    hash[..5].iter().fold("02".to_owned(), |mac, byte| format!("{mac}{separator}{byte:02x}"))
}

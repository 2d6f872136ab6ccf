use super::{DECLARATION, node, node_of};
use crate::content::Camera;
use crate::profile::HIKVISION;
use crate::recorder::Recorder;

/// `GET /ISAPI/ContentMgmt/InputProxy/channels` (reference: ISAPI §14).
pub(super) fn channels(recorder: &Recorder) -> String {
    let content = recorder.state().content;
    let knows = recorder.profile.traits().knows_cameras;
    let channels: String = content.cameras.iter().map(|camera| channel(camera, knows)).collect();
    let size = content.cameras.len();
    format!(
        "{DECLARATION}\n<InputProxyChannelList version=\"1.0\" xmlns=\"{HIKVISION}\" size=\"{size}\">\n{channels}</InputProxyChannelList>\n"
    )
}

fn channel(camera: &Camera, knows_make: bool) -> String {
    let known = |text: &'_ Option<String>| text.clone().filter(|_| knows_make);
    let source = [
        node("proxyProtocol", "HIKVISION"),
        node("addressingFormatType", "ipaddress"),
        node("ipAddress", &camera.address),
        node("managePortNo", 8000),
        node("srcInputPort", 1),
        node("userName", "admin"),
        node("connMode", "plugplay"),
        node("streamType", "auto"),
        node_of("model", known(&camera.model)),
        node_of("serialNumber", known(&camera.serial)),
        node_of("firmwareVersion", known(&camera.firmware)),
        "<deviceID/>".into(),
    ];
    format!(
        "<InputProxyChannel>{}{}<sourceInputPortDescriptor>{}</sourceInputPortDescriptor><enableAnr>false</enableAnr></InputProxyChannel>\n",
        node("id", camera.id),
        node("name", &camera.name),
        source.concat()
    )
}

//! Cameras behind a recorder (reference: ISAPI §14).

use firmware::{Revision, Text};
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// Channels of one list: as many as a reply of real ones has room for (`xml`).
const MOST: usize = 256;

/// One channel of `/ISAPI/ContentMgmt/InputProxy/channels`. Older recorders tell neither model nor
/// serial nor firmware of their cameras. The login to the camera stands there, too; it is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Camera {
    /// Its channel.
    pub id: Text,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// How the recorder speaks to it: `HIKVISION`, `ONVIF`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Text>,
    /// Where it is, as it is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text>,
    /// Its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Text>,
    /// Its serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Text>,
    /// Its firmware, as it is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Text>,
}

impl Document for Vec<Camera> {
    const PATH: &'static str = "/ISAPI/ContentMgmt/InputProxy/channels";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let one = |channel: Element| {
            let source = channel.child("sourceInputPortDescriptor");
            let of_source = |name| source.and_then(|source| source.shown(name));
            Ok(Camera {
                id: channel.shown("id").ok_or(Malformed::Missing("id"))?,
                name: channel.shown("name"),
                protocol: of_source("proxyProtocol"),
                address: of_source("ipAddress").or_else(|| of_source("hostName")),
                model: of_source("model"),
                serial: of_source("serialNumber"),
                firmware: of_source("firmwareVersion"),
            })
        };
        let list = channels(body, "InputProxyChannelList", "InputProxyChannel")?;
        list.into_iter().map(one).collect()
    }
}

impl Camera {
    /// Version and build, where the recorder tells them in a form that can be read: cameras of other
    /// makers write theirs in other ways.
    pub fn revision(&self) -> Option<Revision> {
        self.firmware.as_ref()?.as_str().parse().ok()
    }
}

/// One entry of `/ISAPI/ContentMgmt/InputProxy/channels/status`, of which no capture is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraStatus {
    /// Its channel.
    pub id: Text,
    /// Whether the recorder reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// What the recorder found, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<Text>,
}

impl Document for Vec<CameraStatus> {
    const PATH: &'static str = "/ISAPI/ContentMgmt/InputProxy/channels/status";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let one = |status: Element| {
            let id = status.shown("id").ok_or(Malformed::Missing("id"))?;
            Ok(CameraStatus {
                id,
                online: status.flag("online")?,
                detected: status.shown("chanDetectResult"),
            })
        };
        let list = channels(body, "InputProxyChannelStatusList", "InputProxyChannelStatus")?;
        list.into_iter().map(one).collect()
    }
}

fn channels(body: &[u8], root: &'static str, item: &'static str) -> Result<Vec<Element>, Malformed> {
    let list = Element::list(body, root, item)?;
    if list.len() > MOST {
        return Err(Malformed::Excess("lists more than 256 channels"));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Camera>, Malformed> {
        Vec::parse(text.as_bytes())
    }

    /// Reference: ISAPI §14
    const CHANNEL: &str = r"<InputProxyChannel><id>1</id><name>garden</name><sourceInputPortDescriptor>
<proxyProtocol>HIKVISION</proxyProtocol><addressingFormatType>ipaddress</addressingFormatType><ipAddress>192.168.254.3</ipAddress>
<managePortNo>8000</managePortNo><srcInputPort>1</srcInputPort><userName>admin</userName><connMode>plugplay</connMode><streamType>auto</streamType>
<model>DS-2CD2386G2-IU</model><serialNumber>DS-2CD2386G2-IU00000000AAWRK00000001</serialNumber>
<firmwareVersion>V5.7.15 build 240201</firmwareVersion><deviceID/></sourceInputPortDescriptor>
<enableAnr>false</enableAnr></InputProxyChannel>";

    #[test]
    fn one_channel_and_many_read_alike() {
        let many =
            read(&format!("<InputProxyChannelList size=\"4\">{CHANNEL}{CHANNEL}</InputProxyChannelList>"))
                .unwrap();
        assert_eq!(many.len(), 2);
        assert_eq!(read(CHANNEL).unwrap()[..], many[..1]);
        assert_eq!(read("<InputProxyChannelList size='0'/>"), Ok(vec![]));
        assert_eq!(many[0].revision().unwrap().to_string(), "V5.7.15 build 240201");
        assert_eq!(many[0].model.as_ref().unwrap().as_str(), "DS-2CD2386G2-IU");
        let kept = serde_json::to_string(&many).unwrap();
        assert!(!kept.contains("admin"), "the login to the camera is kept: {kept}");
    }

    #[test]
    fn a_list_beyond_any_recorder_is_rejected() {
        let list = |root: &str, item: &str, count| {
            format!("<{root}>{}</{root}>", format!("<{item}><id>1</id></{item}>").repeat(count))
        };
        let channels = |count| read(&list("InputProxyChannelList", "InputProxyChannel", count));
        assert_eq!(channels(256).unwrap().len(), 256);
        assert_eq!(channels(257), Err(Malformed::Excess("lists more than 256 channels")));
        let states = list("InputProxyChannelStatusList", "InputProxyChannelStatus", 257);
        assert!(Vec::<CameraStatus>::parse(states.as_bytes()).is_err());
    }

    #[test]
    fn older_recorders_tell_less_and_other_makers_differ() {
        let bare = read("<InputProxyChannel><id>2</id><sourceInputPortDescriptor><ipAddress>192.0.2.4</ipAddress></sourceInputPortDescriptor></InputProxyChannel>").unwrap();
        assert_eq!((bare[0].model.clone(), bare[0].revision()), (None, None));
        let other = read(&CHANNEL.replace("V5.7.15 build 240201", "2.800.R")).unwrap();
        assert_eq!((other[0].revision(), other[0].firmware.as_ref().unwrap().as_str()), (None, "2.800.R"));
        assert!(read("<InputProxyChannel><name>x</name></InputProxyChannel>").is_err());
    }

    #[test]
    fn reads_whether_cameras_are_there() {
        let text = "<InputProxyChannelStatusList><InputProxyChannelStatus><id>1</id><online>true</online><chanDetectResult>connect</chanDetectResult></InputProxyChannelStatus></InputProxyChannelStatusList>";
        let status = Vec::<CameraStatus>::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (status[0].online, status[0].detected.as_ref().unwrap().as_str()),
            (Some(true), "connect")
        );
    }
}

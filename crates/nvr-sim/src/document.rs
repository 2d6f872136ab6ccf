//! What a recorder says about itself. Namespaces and versions differ from document to document, as
//! they do within one real box (reference: ISAPI §8.2, §8.3).

use quick_xml::escape::escape;
use sha2::{Digest, Sha256};

use crate::gate::Denial;
use crate::recorder::Recorder;
use crate::state::Stage;

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>"#;
const HIKVISION: &str = "http://www.hikvision.com/ver20/XMLSchema";
const ISAPI: &str = "http://www.isapi.org/ver20/XMLSchema";

/// `GET /ISAPI/System/deviceInfo`, in the form of a DS-7616NI-K2 (reference: ISAPI §8.1, §8.2).
pub(crate) fn device_info(recorder: &Recorder) -> String {
    let revision = recorder.state().revision;
    let hash = Sha256::digest(recorder.serial.normalised());
    let mac = hash[..5].iter().fold("02".to_owned(), |mac, byte| mac + &format!(":{byte:02x}"));
    format!(
        r#"{DECLARATION}
<DeviceInfo version="1.0" xmlns="{HIKVISION}">
<deviceName>Network Video Recorder</deviceName>
<deviceID>48484838-3131-3030-3030-{id}</deviceID>
<model>{model}</model>
<serialNumber>{serial}</serialNumber>
<macAddress>{mac}</macAddress>
<firmwareVersion>{version}</firmwareVersion>
<firmwareReleasedDate>build {build}</firmwareReleasedDate>
<encoderVersion>V5.0</encoderVersion>
<encoderReleasedDate>build {build}</encoderReleasedDate>
<deviceType>{device_type}</deviceType>
<telecontrolID>255</telecontrolID>
<decordChannelNums>8</decordChannelNums>
<VGANums>1</VGANums>
<USBNums>2</USBNums>
<auxoutNums>0</auxoutNums>
<hardwareVersion>B-R-K51-00</hardwareVersion>
<manufacturer>hikvision</manufacturer>
</DeviceInfo>
"#,
        id = hex::encode(&hash[..6]),
        model = escape(recorder.model.as_str()),
        serial = escape(recorder.serial.as_str()),
        version = revision.version,
        build = revision.build,
        device_type = escape(recorder.device_type.as_str()),
    )
}

/// `GET /ISAPI/System/capabilities`: the flags that every captured recorder carries. None of them
/// speaks of upgrades; on real recorders none does (reference: ISAPI §3.4, §11, §15).
pub(crate) fn capabilities() -> String {
    format!(
        r#"{DECLARATION}
<DeviceCap version="2.0" xmlns="{ISAPI}">
<SysCap>
<isSupportConfigFileImport>true</isSupportConfigFileImport>
<isSupportConfigFileExport>true</isSupportConfigFileExport>
<NetworkCap><isSupportEZVIZ>true</isSupportEZVIZ></NetworkCap>
</SysCap>
</DeviceCap>
"#
    )
}

/// `GET /ISAPI/System/upgradeStatus` (reference: ISAPI §4).
pub(crate) fn upgrade_status(recorder: &Recorder) -> String {
    let state = recorder.state();
    let upgrading = state.faults.busy || matches!(state.stage, Stage::Receiving | Stage::Flashing);
    let percent = recorder.percent();
    let reboot = state.stage == Stage::RebootRequired;
    format!(
        r#"{DECLARATION}
<upgradeStatus version="2.0" xmlns="{ISAPI}">
<upgrading>{upgrading}</upgrading>
<percent>{percent}</percent>
<reboot>{reboot}</reboot>
</upgradeStatus>
"#
    )
}

/// `GET /ISAPI/ContentMgmt/Storage`: one disk, and the ghost of a removed one (reference: ISAPI §12).
pub(crate) fn storage(recorder: &Recorder) -> String {
    let faults = recorder.state().faults;
    let status = escape(faults.disk_status.as_deref().unwrap_or("ok"));
    format!(
        r#"{DECLARATION}
<storage version="2.0" xmlns="{ISAPI}">
<hddList>
<hdd><id>1</id><hddName>hdd1</hddName><hddPath/><hddType>SATA</hddType><status>{status}</status><capacity>7630885</capacity><freeSpace>0</freeSpace><property>RW</property><group>1</group><hddSerialNumber>WD-00000001</hddSerialNumber><hddModel>WDC WD85PURZ</hddModel></hdd>
<hdd><id>4</id><hddName>hdd4</hddName><hddPath/><hddType>SATA</hddType><status>notexist</status><capacity>0</capacity><freeSpace>0</freeSpace><property>RW</property></hdd>
</hddList>
<nasList/><workMode opt="group,quota">quota</workMode><ssdList/>
</storage>
"#
    )
}

/// `GET /ISAPI/System/time` (reference: ISAPI §13). The simulated recorder stands in Greenwich.
pub(crate) fn time(recorder: &Recorder) -> String {
    format!(
        r#"{DECLARATION}
<Time version="2.0" xmlns="{HIKVISION}"><timeMode opt="NTP,manual,platform">manual</timeMode>
<localTime>{}</localTime><timeZone>CST+0:00:00</timeZone>
<timeType opt="local,UTC">local</timeType></Time>
"#,
        local_time(recorder)
    )
}

/// `GET /ISAPI/System/time/localTime`, which is plain text.
pub(crate) fn local_time(recorder: &Recorder) -> String {
    recorder.local_time().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// `GET /ISAPI/Security/onlineUser`; digest requests open no session and are never listed
/// (reference: ISAPI §9.4, §15).
pub(crate) fn online_user(recorder: &Recorder) -> String {
    let user = recorder.state().faults.logged_in.map_or_else(String::new, |name| {
        format!(
            "<OnlineUser><id>1</id><name>{}</name><type>administrator</type><loginTime>{}</loginTime><clientAddress><ipAddress>192.168.1.20</ipAddress></clientAddress></OnlineUser>",
            escape(name.as_str()),
            recorder.local_time().strftime("%Y-%m-%d %H:%M:%S")
        )
    });
    format!("{DECLARATION}\n<OnlineUserList version=\"2.0\" xmlns=\"{ISAPI}\">{user}</OnlineUserList>\n")
}

/// `GET /ISAPI/ContentMgmt/InputProxy/channels`: one camera that the recorder knows well, and one of
/// which it says neither model nor firmware (reference: ISAPI §14).
pub(crate) fn channels() -> String {
    let channel = |id: u8, name: &str, known: &str| {
        format!(
            "<InputProxyChannel><id>{id}</id><name>{name}</name><sourceInputPortDescriptor><proxyProtocol>HIKVISION</proxyProtocol><addressingFormatType>ipaddress</addressingFormatType><ipAddress>192.168.254.{}</ipAddress><managePortNo>8000</managePortNo><srcInputPort>1</srcInputPort><userName>admin</userName><connMode>plugplay</connMode><streamType>auto</streamType>{known}<deviceID/></sourceInputPortDescriptor><enableAnr>false</enableAnr></InputProxyChannel>\n",
            id + 1
        )
    };
    let known = "<model>DS-2CD2386G2-IU</model><serialNumber>DS-2CD2386G2-IU20210101AAWRK00000001</serialNumber><firmwareVersion>V5.7.15 build 240201</firmwareVersion>";
    format!(
        "{DECLARATION}\n<InputProxyChannelList version=\"1.0\" xmlns=\"{HIKVISION}\" size=\"8\">\n{}{}</InputProxyChannelList>\n",
        channel(1, "garden", known),
        channel(2, "gate", "")
    )
}

/// `GET /ISAPI/Security/userCheck`, admitted (reference: ISAPI §9.3).
pub(crate) fn user_check() -> String {
    format!(
        r#"{DECLARATION}
<userCheck version="2.0" xmlns="{ISAPI}"><statusValue>200</statusValue><statusString>OK</statusString>
<isDefaultPassword>false</isDefaultPassword><isRiskPassword>false</isRiskPassword><isActivated>true</isActivated></userCheck>
"#
    )
}

/// The body of a 401: bare for a request without credentials, as captured from a recorder, with the
/// state of the lock for a wrong password (reference: ISAPI §9.1, §9.3).
pub(crate) fn denied_user_check(denial: Denial) -> String {
    let (lock, unlock, tries) = match denial {
        Denial::Wrong { tries_left } => ("unlock", 0, tries_left),
        Denial::Locked { seconds } => ("lock", seconds, 0),
        Denial::Unauthenticated | Denial::Malformed | Denial::Stale | Denial::Spent => {
            return "<userCheck><statusValue>401</statusValue><statusString>Unauthorized</statusString></userCheck>\n".into();
        }
    };
    format!(
        r#"{DECLARATION}
<userCheck version="2.0" xmlns="{ISAPI}"><statusValue>401</statusValue><statusString>Unauthorized</statusString>
<isActivated>true</isActivated><lockStatus>{lock}</lockStatus><unlockTime>{unlock}</unlockTime><retryLoginTime>{tries}</retryLoginTime></userCheck>
"#
    )
}

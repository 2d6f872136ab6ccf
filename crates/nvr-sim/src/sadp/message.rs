use std::fmt::Display;
use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use quick_xml::escape::escape;
use serde::Deserialize;

use super::Sadp;
use crate::document::mac;
use crate::recorder::Recorder;

/// What somebody sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Who is there?
    Inquiry {
        /// To be repeated in the answer.
        uuid: String,
        /// `inquiry` or `inquiry_v32`.
        types: String,
    },
    /// Something else that is asked of a device.
    Other,
}

/// What may be asked, by the name of its root.
#[derive(Deserialize)]
enum Root {
    Probe(Probe),
}

#[derive(Deserialize)]
struct Probe {
    #[serde(rename = "Uuid", default)]
    uuid: String,
    #[serde(rename = "Types")]
    types: String,
}

/// Characters of an identifier that are repeated.
const LONGEST_UUID: usize = 64;

/// Reads a message; `None` for one that is not asked of a device, such as an answer.
pub(super) fn read(text: &str) -> Option<Heard> {
    let Root::Probe(Probe { uuid, types }) = quick_xml::de::from_str(text).ok()?;
    Some(match types.as_str() {
        "inquiry" | "inquiry_v32" => {
            Heard::Inquiry { uuid: uuid.chars().take(LONGEST_UUID).collect(), types }
        }
        _ => Heard::Other,
    })
}

/// The answer to an inquiry.
pub(super) fn probe_match(
    recorder: &Recorder,
    sadp: &Sadp,
    own: Ipv4Addr,
    uuid: &str,
    types: &str,
) -> String {
    let head = format!("<Uuid>{}</Uuid>\r\n<Types>{}</Types>\r\n", escape(uuid), escape(types));
    document("ProbeMatch", &(head + &nodes(recorder, sadp, own)))
}

/// What it says unasked.
pub(super) fn hello(recorder: &Recorder, sadp: &Sadp, own: Ipv4Addr) -> String {
    document("Hello", &("<Types>hello</Types>\r\n".to_owned() + &nodes(recorder, sadp, own)))
}

fn document(root: &str, inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<{root}>{inner}</{root}>\r\n")
}

/// `false` as two of the nodes really spell it.
fn flase(value: bool) -> &'static str {
    if value { "true" } else { "flase" }
}

/// The nodes of the one real answer, in its order. A recorder is expected to differ in the three
/// numbers of channels and disks (reference: ISAPI §16).
fn nodes(recorder: &Recorder, sadp: &Sadp, own: Ipv4Addr) -> String {
    let state = recorder.state();
    let uptime = SignedDuration::from_secs(recorder.uptime().try_into().unwrap_or(i64::MAX));
    let booted = recorder.local_time().checked_sub(uptime).unwrap_or(Timestamp::UNIX_EPOCH);
    let disks = state.content.disks.iter().filter(|disk| disk.status != "notexist").count();
    let revision = &state.revision;
    let nodes: [(&str, &dyn Display); 33] = [
        ("DeviceType", &sadp.device_code),
        ("DeviceDescription", &recorder.model.as_str()),
        ("DeviceSN", &state.serial.as_str()),
        ("CommandPort", &8000),
        ("HttpPort", &state.address.port()),
        ("MAC", &mac(&state.serial.normalised(), '-')),
        ("IPv4Address", &own),
        ("IPv4SubnetMask", &sadp.mask),
        ("IPv4Gateway", &sadp.gateway),
        ("IPv6Address", &"::"),
        ("IPv6Gateway", &"::"),
        ("IPv6MaskLen", &64),
        ("DHCP", &sadp.dhcp),
        ("AnalogChannelNum", &0),
        ("DigitalChannelNum", &8),
        // joined without a blank, as nowhere else
        ("SoftwareVersion", &format!("{}build {}", revision.version, revision.build)),
        ("DSPVersion", &format!("V5.0 build {}", revision.build)),
        ("BootTime", &booted.strftime("%Y-%m-%d %H:%M:%S")),
        ("Encrypt", &true),
        ("ResetAbility", &false),
        ("DiskNumber", &disks),
        ("Activated", &sadp.activated),
        ("PasswordResetAbility", &true),
        ("PasswordResetModeSecond", &true),
        ("DetailOEMCode", &sadp.oem_code),
        ("SupportSecurityQuestion", &true),
        ("SupportHCPlatform", &true),
        ("HCPlatformEnable", &flase(state.content.posture.ezviz.enabled)),
        ("IsModifyVerificationCode", &true),
        ("DeviceLock", &flase(recorder.is_locked())),
        ("SDKOverTLSPort", &8443),
        ("SDKServerStatus", &true),
        ("SDKOverTLSServerStatus", &true),
    ];
    let line =
        |(name, text): &(&str, &dyn Display)| format!("<{name}>{}</{name}>\r\n", escape(text.to_string()));
    nodes.iter().map(line).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_inquiries_and_knows_what_would_change_a_device() {
        let probe = |types: &str| {
            read(&format!(
                r#"<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>A-1</Uuid><Types>{types}</Types></Probe>"#
            ))
        };
        for types in ["inquiry", "inquiry_v32"] {
            assert_eq!(probe(types), Some(Heard::Inquiry { uuid: "A-1".into(), types: types.into() }));
        }
        assert_eq!(probe("activate"), Some(Heard::Other));
        for other in
            ["", "<Probe>", "<ProbeMatch><Types>inquiry</Types></ProbeMatch>", "<Probe><Uuid/></Probe>"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/System/Network/SNMP` (reference: ISAPI §15). Community strings are passwords of a kind: kept
/// is only whether one is a word that everybody tries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snmp {
    /// `SNMPv1c/enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v1: Option<bool>,
    /// `SNMPv2c/enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v2c: Option<bool>,
    /// Traps are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifies: Option<bool>,
    /// Where to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receivers: Vec<TrapReceiver>,
}

/// Who gets traps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapReceiver {
    /// The address, as it is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text>,
    /// The community is `public` or `private`.
    pub default_community: bool,
}

impl Document for Snmp {
    const PATH: &'static str = "/ISAPI/System/Network/SNMP";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "SNMP")?;
        let enabled = |name| root.child(name).map_or(Ok(None), |part: &Element| part.flag("enabled"));
        let receiver = |receiver: &Element| TrapReceiver {
            address: receiver.find("ipAddress").and_then(Element::own_text).map(Text::cleaned),
            default_community: receiver
                .text("communityString")
                .is_some_and(|word| ["public", "private"].iter().any(|d| word.eq_ignore_ascii_case(d))),
        };
        let list = root.find("SNMPTrapReceiverList");
        Ok(Self {
            v1: enabled("SNMPv1c")?,
            v2c: enabled("SNMPv2c")?,
            notifies: root.flag_within("notificationEnabled")?,
            receivers: list.into_iter().flat_map(|l| l.children("SNMPTrapReceiver")).map(receiver).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: ISAPI §15
    #[test]
    fn communities_are_judged_and_not_kept() {
        let text = r#"<SNMP version="2.0" xmlns="x"><SNMPv1c><notificationEnabled>true</notificationEnabled><SNMPTrapReceiverList><SNMPTrapReceiver><id>1</id><ReceiverAddress><ipAddress>192.0.2.9</ipAddress><portNo>162</portNo></ReceiverAddress><notificationType>trap</notificationType><communityString>public</communityString></SNMPTrapReceiver>
<SNMPTrapReceiver><id>2</id><communityString>hush-hush</communityString></SNMPTrapReceiver></SNMPTrapReceiverList></SNMPv1c><SNMPv2c><enabled>true</enabled></SNMPv2c></SNMP>"#;
        let snmp = Snmp::parse(text.as_bytes()).unwrap();
        assert_eq!((snmp.v1, snmp.v2c, snmp.notifies), (None, Some(true), Some(true)));
        assert_eq!(snmp.receivers[0].address.as_ref().unwrap().as_str(), "192.0.2.9");
        assert!(snmp.receivers[0].default_community && !snmp.receivers[1].default_community);
        assert!(!format!("{snmp:?}").contains("hush"));
        assert_eq!(Snmp::parse(b"<SNMP/>"), Ok(Snmp::default()));
    }
}

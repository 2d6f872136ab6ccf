//! Who can find the recorder, and what it opens in a router by itself.

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/System/discoveryMode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscoveryMode {
    /// `PcapMode`: the layer 2 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcap: Option<Text>,
    /// `SADP`: `discoverable`, `nonDiscoverable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sadp: Option<Text>,
}

impl Document for DiscoveryMode {
    const PATH: &'static str = "/ISAPI/System/discoveryMode";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "DiscoveryMode")?;
        Ok(Self { pcap: root.shown("PcapMode"), sadp: root.shown("SADP") })
    }
}

/// `/ISAPI/System/Network/UPnP`. No capture shows its body; three fields are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upnp {
    /// Whether it is on.
    pub enabled: bool,
    /// `mapmode`, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_mode: Option<Text>,
}

impl Document for Upnp {
    const PATH: &'static str = "/ISAPI/System/Network/UPnP";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::around(body, "enabled")?;
        let enabled = root.flag("enabled")?.ok_or(Malformed::Missing("enabled"))?;
        Ok(Self { enabled, map_mode: root.shown("mapmode") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: ISAPI §15
    #[test]
    fn reads_both() {
        let text = b"<DiscoveryMode xmlns='x'><PcapMode>nonDiscoverable</PcapMode><SADP>discoverable</SADP></DiscoveryMode>";
        let mode = DiscoveryMode::parse(text).unwrap();
        assert_eq!(mode.sadp.unwrap().as_str(), "discoverable");
        assert_eq!(mode.pcap.unwrap().as_str(), "nonDiscoverable");
        let upnp =
            Upnp::parse(b"<UPnP><enabled>true</enabled><mapmode>auto</mapmode><portList/></UPnP>").unwrap();
        assert!(upnp.enabled && upnp.map_mode.unwrap().as_str() == "auto");
        assert_eq!(Upnp::parse(b"<UPnP><enabled/></UPnP>"), Err(Malformed::Missing("enabled")));
    }
}

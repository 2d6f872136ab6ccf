//! The vendor's cloud (EZVIZ, also called Hik-Connect) and the platform protocol Ehome, now ISUP.

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/System/Network/EZVIZ`. `verificationCode` opens the recorder to whoever knows it: it is not
/// kept, so nothing can show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ezviz {
    /// Whether it is on.
    pub enabled: bool,
    /// Whether it is registered there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
    /// The server that it would register with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Text>,
    /// `bindStatus`, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_status: Option<Text>,
}

impl Document for Ezviz {
    const PATH: &'static str = "/ISAPI/System/Network/EZVIZ";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "EZVIZ")?;
        let server = root.child("serverAddress");
        Ok(Self {
            enabled: root.flag("enabled")?.ok_or(Malformed::Missing("enabled"))?,
            registered: root.flag("registerStatus")?,
            server: server.and_then(|server| server.shown("hostName").or_else(|| server.shown("ipAddress"))),
            bind_status: root.shown("bindStatus"),
        })
    }
}

/// `/ISAPI/System/Network/Ehome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ehome {
    /// Whether it is on.
    pub enabled: bool,
    /// Whether it is registered with its platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
}

impl Document for Ehome {
    const PATH: &'static str = "/ISAPI/System/Network/Ehome";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "Ehome")?;
        Ok(Self {
            enabled: root.flag("enabled")?.ok_or(Malformed::Missing("enabled"))?,
            registered: root.flag("registerStatus")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: ISAPI §15
    #[test]
    fn the_verification_code_goes_nowhere() {
        let text = r#"<EZVIZ version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><enabled>false</enabled><registerStatus>false</registerStatus><serverAddress><addressingFormatType>hostname</addressingFormatType><hostName>litedev.hik-connect.com</hostName></serverAddress><verificationCode>QWERTZ</verificationCode><bindStatus>unbind</bindStatus></EZVIZ>"#;
        let found = Ezviz::parse(text.as_bytes()).unwrap();
        assert_eq!((found.enabled, found.registered), (false, Some(false)));
        assert_eq!(found.server.as_ref().unwrap().as_str(), "litedev.hik-connect.com");
        let shown = format!("{found:?}{}", serde_json::to_string(&found).unwrap());
        assert!(!shown.contains("QWERTZ") && shown.contains("unbind"), "{shown}");
        // what cannot be read is told without it, too
        let odd = Ezviz::parse(text.replace("<enabled>false", "<enabled>QWERTZ").as_bytes());
        assert!(!odd.unwrap_err().to_string().contains("QWERTZ"));
    }

    #[test]
    fn without_enabled_there_is_nothing_to_tell() {
        assert_eq!(Ehome::parse(b"<Ehome/>"), Err(Malformed::Missing("enabled")));
        assert_eq!(Ezviz::parse(b"<EZVIZ/>"), Err(Malformed::Missing("enabled")));
        let text = b"<Ehome><enabled>true</enabled><registerStatus>true</registerStatus></Ehome>";
        assert_eq!(Ehome::parse(text), Ok(Ehome { enabled: true, registered: Some(true) }));
    }
}

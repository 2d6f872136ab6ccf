use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/System/Network/Integrate`: which protocols of others are spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// The CGI interface is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgi: Option<bool>,
    /// ONVIF is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onvif: Option<bool>,
    /// How ONVIF clients log in: `digest`, `digest/wsse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onvif_login: Option<Text>,
}

impl Document for Integration {
    const PATH: &'static str = "/ISAPI/System/Network/Integrate";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "Integrate")?;
        let enabled = |name| root.child(name).map_or(Ok(None), |part: &Element| part.flag("enable"));
        Ok(Self {
            cgi: enabled("CGI")?,
            onvif: enabled("ONVIF")?,
            onvif_login: root.child("ONVIF").and_then(|onvif| onvif.shown("certificateType")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: ISAPI §15
    #[test]
    fn reads_what_is_on() {
        let text = "<Integrate xmlns='x'><CGI><enable>true</enable></CGI><ONVIF><enable>false</enable><certificateType>digest/wsse</certificateType></ONVIF></Integrate>";
        let found = Integration::parse(text.as_bytes()).unwrap();
        assert_eq!((found.cgi, found.onvif), (Some(true), Some(false)));
        assert_eq!(found.onvif_login.unwrap().as_str(), "digest/wsse");
        let bare = Integration::parse(b"<Integrate/>").unwrap();
        assert_eq!((bare.cgi, bare.onvif), (None, None));
    }
}

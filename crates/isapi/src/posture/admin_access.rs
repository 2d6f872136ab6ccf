use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// One entrance of `/ISAPI/Security/adminAccesses`, the only place where ports are set (reference:
/// ISAPI §15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminAccess {
    /// `HTTP`, `RTSP`, `HTTPS`, `DEV_MANAGE`, `WebSocket`, `IOT`, `SDK_OVER_TLS`.
    pub protocol: Text,
    /// Whether it is open. `DEV_MANAGE` does not say so on some recorders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// TCP port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// HTTP is sent on to HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_to_https: Option<bool>,
    /// TLS 1.1 is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_1_1: Option<bool>,
    /// TLS 1.2 is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_1_2: Option<bool>,
    /// Streams go over TLS, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_over_tls: Option<bool>,
}

impl Document for Vec<AdminAccess> {
    const PATH: &'static str = "/ISAPI/Security/adminAccesses";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let one = |access: Element| {
            Ok(AdminAccess {
                protocol: access.shown("protocol").ok_or(Malformed::Missing("protocol"))?,
                enabled: access.flag("enabled")?,
                port: access.number("portNo")?,
                redirect_to_https: access.flag("redirectToHttps")?,
                tls_1_1: access.flag("TLS1_1Enable")?,
                tls_1_2: access.flag("TLS1_2Enable")?,
                stream_over_tls: access.flag("streamOverTls")?,
            })
        };
        let list = Element::list(body, "AdminAccessProtocolList", "AdminAccessProtocol")?;
        list.into_iter().map(one).collect()
    }
}

impl AdminAccess {
    /// Whether this is the entrance of that protocol.
    pub fn is(&self, protocol: &str) -> bool {
        self.protocol.as_str().eq_ignore_ascii_case(protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_flags_of_https_and_entrances_that_say_little() {
        let text = r#"<AdminAccessProtocolList xmlns="http://www.isapi.org/ver20/XMLSchema">
<AdminAccessProtocol><id>1</id><enabled>true</enabled><protocol>HTTP</protocol><portNo>80</portNo></AdminAccessProtocol>
<AdminAccessProtocol><id>3</id><enabled>true</enabled><protocol>HTTPS</protocol><portNo>443</portNo><redirectToHttps>flase</redirectToHttps>
<TLS1_1Enable>true</TLS1_1Enable><TLS1_2Enable>true</TLS1_2Enable></AdminAccessProtocol>
<AdminAccessProtocol><id>4</id><protocol>DEV_MANAGE</protocol><portNo>8000</portNo></AdminAccessProtocol></AdminAccessProtocolList>"#;
        let list = Vec::<AdminAccess>::parse(text.as_bytes()).unwrap();
        let https = list.iter().find(|a| a.is("https")).unwrap();
        assert_eq!(
            (https.port, https.redirect_to_https, https.tls_1_1, https.tls_1_2, https.stream_over_tls),
            (Some(443), Some(false), Some(true), Some(true), None)
        );
        assert_eq!((list[2].enabled, list[2].port), (None, Some(8000)));
        for text in [
            "<AdminAccessProtocol><portNo>80</portNo></AdminAccessProtocol>",
            "<AdminAccessProtocol><protocol>HTTP</protocol><portNo>80000</portNo></AdminAccessProtocol>",
        ] {
            assert!(Vec::<AdminAccess>::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// One service of `/ISAPI/System/Network/DDNS` (reference: ISAPI §15; the fields come from device-side
/// code of the PSIA era).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ddns {
    /// Whether it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `IPServer`, `DynDNS`, `HiDDNS`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Text>,
    /// The name under which the recorder would be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Text>,
}

impl Document for Vec<Ddns> {
    const PATH: &'static str = "/ISAPI/System/Network/DDNS";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let one = |ddns: Element| {
            let (provider, domain) = (ddns.shown("provider"), ddns.shown("deviceDomainName"));
            Ok(Ddns { enabled: ddns.flag("enabled")?, provider, domain })
        };
        Element::list(body, "DDNSList", "DDNS")?.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_none_one_and_several() {
        let one = "<DDNS><id>1</id><enabled>false</enabled><provider opt=\"IPServer,DynDNS\">DynDNS</provider><deviceDomainName>x.example</deviceDomainName><userName>u</userName></DDNS>";
        let read = |text: &str| Vec::<Ddns>::parse(text.as_bytes());
        assert_eq!(read("<DDNSList/>"), Ok(vec![]));
        let list = read(&format!("<DDNSList>{one}<DDNS/></DDNSList>")).unwrap();
        assert_eq!((list[0].enabled, list[1].enabled), (Some(false), None));
        assert_eq!(read(one).unwrap()[..], list[..1]);
        assert!(read("<DDNS><enabled>x</enabled></DDNS>").is_err());
    }
}

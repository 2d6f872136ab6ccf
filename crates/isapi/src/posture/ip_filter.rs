use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/System/Network/ipFilter` (reference: ISAPI §15.2). It drops silently: a laptop that is
/// filtered sees what looks like a dead recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpFilter {
    /// Whether it is on.
    pub enabled: bool,
    /// `allow` or `deny`: what happens to the addresses listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Text>,
    /// The addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<FilteredAddress>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilteredAddress {
    /// `allow` or `deny`, where an entry says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Text>,
    /// `mask` and others, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// The address, or the first of a range, as it is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text>,
}

impl Document for IpFilter {
    const PATH: &'static str = "/ISAPI/System/Network/ipFilter";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "IPFilter")?;
        let one = |entry: &Element| FilteredAddress {
            permission: entry.shown("permissionType"),
            kind: entry.shown("addressFilterType"),
            address: entry.find("ipAddress").and_then(Element::own_text).map(Text::cleaned),
        };
        let list = root.child("IPFilterAddressList");
        Ok(Self {
            enabled: root.flag("enabled")?.ok_or(Malformed::Missing("enabled"))?,
            permission: root.shown("permissionType"),
            addresses: list.into_iter().flat_map(|l| l.children("IPFilterAddress")).map(one).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: ISAPI §15.2
    #[test]
    fn reads_the_filter_of_a_real_recorder() {
        let text = r#"<IPFilter xmlns="http://www.isapi.org/ver20/XMLSchema"><enabled>true</enabled><permissionType>deny</permissionType><IPFilterAddressList size="32">
<IPFilterAddress><id>1</id><permissionType>deny</permissionType><addressFilterType>mask</addressFilterType>
<AddressMask><ipAddress>203.0.113.21</ipAddress></AddressMask></IPFilterAddress><IPFilterAddress/></IPFilterAddressList></IPFilter>"#;
        let filter = IpFilter::parse(text.as_bytes()).unwrap();
        assert!(filter.enabled && filter.permission.unwrap().as_str() == "deny");
        assert_eq!(filter.addresses[0].address.as_ref().unwrap().as_str(), "203.0.113.21");
        assert_eq!(filter.addresses.len(), 2);
        assert_eq!(IpFilter::parse(b"<IPFilter/>"), Err(Malformed::Missing("enabled")));
    }
}

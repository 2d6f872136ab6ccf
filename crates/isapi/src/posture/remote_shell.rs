//! Shells over the network. Switching `ssh` on really opens port 22 (reference: ISAPI §15).

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/System/Network/ssh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssh {
    /// Whether it is on.
    pub enabled: bool,
}

impl Document for Ssh {
    const PATH: &'static str = "/ISAPI/System/Network/ssh";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "SSH")?;
        Ok(Self { enabled: root.flag("enabled")?.ok_or(Malformed::Missing("enabled"))? })
    }
}

/// `/ISAPI/System/Network/telnetd`. Only the path is known, no capture shows a body: whatever holds an
/// `enabled` is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telnet {
    /// Whether it is on.
    pub enabled: bool,
}

impl Document for Telnet {
    const PATH: &'static str = "/ISAPI/System/Network/telnetd";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::around(body, "enabled")?;
        Ok(Self { enabled: root.flag("enabled")?.ok_or(Malformed::Missing("enabled"))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_off_and_neither() {
        assert_eq!(Ssh::parse(b"<SSH xmlns='x'><enabled>false</enabled></SSH>"), Ok(Ssh { enabled: false }));
        assert_eq!(
            Telnet::parse(b"<Telnetd><enabled>true</enabled></Telnetd>"),
            Ok(Telnet { enabled: true })
        );
        assert_eq!(Ssh::parse(b"<SSH/>"), Err(Malformed::Missing("enabled")));
        assert_eq!(Telnet::parse(b"<ResponseStatus/>"), Err(Malformed::Missing("enabled")));
        assert!(matches!(Ssh::parse(b"<Telnetd/>"), Err(Malformed::Root { .. })));
    }
}

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/Security/illegalLoginLock` (reference: ISAPI §9.3). A recorder may lock accounts without
/// offering this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IllegalLoginLock {
    /// Whether it is on.
    pub enabled: bool,
    /// Wrong passwords until the account is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// How long it stays locked: in seconds on a recorder, as captured (1800), and in minutes on a camera,
    /// by its capabilities (1 to 120).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_time: Option<u32>,
}

impl Document for IllegalLoginLock {
    const PATH: &'static str = "/ISAPI/Security/illegalLoginLock";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "IllegalLoginLock")?;
        Ok(Self {
            enabled: root.flag("enabled")?.ok_or(Malformed::Missing("enabled"))?,
            attempts: root.number("maxIllegalLoginTimes")?,
            lock_time: root.number("maxIllegalLoginLockTime")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: ISAPI §9.3
    #[test]
    fn reads_a_real_one() {
        let text = b"<IllegalLoginLock xmlns='x'><enabled>true</enabled><maxIllegalLoginTimes>5</maxIllegalLoginTimes><maxIllegalLoginLockTime>1800</maxIllegalLoginLockTime></IllegalLoginLock>";
        let expected = IllegalLoginLock { enabled: true, attempts: Some(5), lock_time: Some(1800) };
        assert_eq!(IllegalLoginLock::parse(text), Ok(expected));
        assert!(IllegalLoginLock::parse(b"<IllegalLoginLock/>").is_err());
    }
}

use std::fmt;

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// What `<userCheck>` says, be it the reply of `/ISAPI/Security/userCheck` or the body of a 401
/// (reference: ISAPI §9.3). Minimal forms hold two nodes only: a missing field means nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCheck {
    /// `lockStatus`.
    pub locked: Option<bool>,
    /// Seconds until the lock ends.
    pub unlock_seconds: Option<u32>,
    /// Wrong passwords left before the account is locked.
    pub attempts_left: Option<u32>,
    /// The recorder calls the password a default one.
    pub default_password: Option<bool>,
    /// The recorder calls the password weak.
    pub risk_password: Option<bool>,
    /// The recorder has been given a password at all.
    pub activated: Option<bool>,
}

impl Document for UserCheck {
    const PATH: &'static str = "/ISAPI/Security/userCheck";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "userCheck")?;
        Ok(Self {
            locked: root.text("lockStatus").map(|s| s.eq_ignore_ascii_case("lock")),
            unlock_seconds: root.number("unlockTime")?,
            attempts_left: root.number("retryLoginTime")?,
            default_password: root.flag("isDefaultPassword")?,
            risk_password: root.flag("isRiskPassword")?,
            activated: root.flag("isActivated")?,
        })
    }
}

impl UserCheck {
    /// Reads the body of a 401. An unreadable one says nothing, which is what its fields then say.
    pub(crate) fn of_401(body: &[u8]) -> Self {
        Self::parse(body).unwrap_or_default()
    }

    /// Whether the recorder counted a wrong password between an earlier word of its and this one.
    pub(crate) fn counted_since(&self, before: Option<u32>) -> bool {
        match (before, self.attempts_left) {
            (_, None) => false,
            (Some(before), Some(now)) => now < before,
            // nothing to compare with, and it speaks of attempts: take it for a counted one
            (None, Some(_)) => true,
        }
    }

    /// Whether the account is locked, as far as this says.
    pub fn is_locked(&self) -> bool {
        self.locked == Some(true) || self.attempts_left == Some(0)
    }
}

/// Somebody who is logged in. Digest requests open no session, so this tool is never among them
/// (reference: ISAPI §9.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineUser {
    /// User name.
    pub name: Text,
    /// Where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Text>,
    /// Since when, on the recorder's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Text>,
}

impl Document for Vec<OnlineUser> {
    const PATH: &'static str = "/ISAPI/Security/onlineUser";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let one = |user: &Element| {
            // a filler entry without a name stands for nobody
            let name = user.shown("name").or_else(|| user.shown("userName"))?;
            let address = user
                .child("clientAddress")
                .and_then(|a| a.shown("ipAddress").or_else(|| a.shown("ipv6Address")));
            Some(OnlineUser { name, address, since: user.shown("loginTime") })
        };
        Ok(Element::list(body, "OnlineUserList", "OnlineUser")?.iter().filter_map(one).collect())
    }
}

impl fmt::Display for OnlineUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        if let Some(address) = &self.address {
            write!(f, " from {address}")?;
        }
        self.since.as_ref().map_or(Ok(()), |since| write!(f, " since {since}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(text: &str) -> Vec<OnlineUser> {
        Vec::parse(text.as_bytes()).unwrap()
    }

    /// Reference: ISAPI §9.3
    #[test]
    fn reads_locked_wrong_and_good() {
        let locked = UserCheck::of_401(br#"<userCheck version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><statusValue>401</statusValue><statusString>Unauthorized</statusString>
<isActivated>true</isActivated><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime><retryLoginTime>0</retryLoginTime></userCheck>"#);
        assert!(locked.is_locked());
        assert_eq!((locked.unlock_seconds, locked.activated), (Some(1800), Some(true)));
        let wrong = UserCheck::of_401(b"<userCheck><lockStatus>unlock</lockStatus><unlockTime>0</unlockTime><retryLoginTime>4</retryLoginTime></userCheck>");
        assert!(!wrong.is_locked());
        assert_eq!(wrong.attempts_left, Some(4));
        let good = UserCheck::of_401(b"<userCheck><statusValue>200</statusValue><isDefaultPassword>false</isDefaultPassword><isRiskPassword>true</isRiskPassword></userCheck>");
        assert_eq!((good.default_password, good.risk_password, good.locked), (Some(false), Some(true), None));
    }

    #[test]
    fn a_missing_or_unreadable_body_says_nothing() {
        for body in [
            &b""[..],
            b"<html/>",
            b"<userCheck><statusValue>401</statusValue></userCheck>",
            b"<userCheck><retryLoginTime>many</retryLoginTime></userCheck>",
        ] {
            assert_eq!(UserCheck::of_401(body), UserCheck::default());
        }
    }

    #[test]
    fn lists_of_none_one_and_many() {
        assert_eq!(users("<OnlineUserList/>"), []);
        assert_eq!(users("<OnlineUserList><OnlineUser><id>1</id><name/></OnlineUser></OnlineUserList>"), []);
        let user = "<OnlineUser><id>1</id><name>admin</name><type>administrator</type><loginTime>2026-07-13 19:03:51</loginTime><clientAddress><ipAddress>192.0.2.7</ipAddress></clientAddress></OnlineUser>";
        let two = users(&format!("<OnlineUserList>{user}{user}</OnlineUserList>"));
        assert_eq!(two.len(), 2);
        assert_eq!(two[0].address.as_ref().unwrap().as_str(), "192.0.2.7");
        assert_eq!(users(&format!("<OnlineUserList>{user}</OnlineUserList>"))[..], two[..1]);
    }
}

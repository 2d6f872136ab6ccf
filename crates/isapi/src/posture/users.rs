use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// One account of `/ISAPI/Security/users` (reference: ISAPI §15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// User name.
    pub name: Text,
    /// `Administrator`, `Operator`, `Viewer`, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Text>,
}

impl Document for Vec<User> {
    const PATH: &'static str = "/ISAPI/Security/users";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        // a slot without a name is an account that does not exist
        let one =
            |user: &Element| Some(User { name: user.shown("userName")?, level: user.shown("userLevel") });
        Ok(Element::list(body, "UserList", "User")?.iter().filter_map(one).collect())
    }
}

impl User {
    /// Whether it may do everything.
    pub fn is_administrator(&self) -> bool {
        self.level.as_ref().is_some_and(|level| level.as_str().eq_ignore_ascii_case("Administrator"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_accounts_and_skips_empty_slots() {
        let text = "<UserList xmlns='x'><User><id>1</id><userName>admin</userName><userLevel>Administrator</userLevel></User><User><id>2</id><userName/></User><User><userName>guest</userName></User></UserList>";
        let users = Vec::<User>::parse(text.as_bytes()).unwrap();
        assert_eq!(users.iter().map(|u| u.name.as_str()).collect::<Vec<_>>(), ["admin", "guest"]);
        assert_eq!(users.iter().map(User::is_administrator).collect::<Vec<_>>(), [true, false]);
    }
}

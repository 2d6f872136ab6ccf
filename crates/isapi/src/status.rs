use std::fmt;

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::codes::{self, Meaning};
use crate::xml::{Element, Malformed};

/// `<ResponseStatus>` (reference: ISAPI §7). `statusString` is not kept: on a real camera it
/// contradicted the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseStatus {
    /// `statusCode`.
    pub code: Option<u16>,
    /// `subStatusCode`, which decides.
    pub sub_code: Option<Text>,
    /// What the recorder adds for people.
    pub description: Option<Text>,
}

impl ResponseStatus {
    /// Reads the body of a reply, whatever its HTTP status.
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "ResponseStatus")?;
        let status = Self {
            code: root.number("statusCode")?,
            sub_code: root.shown("subStatusCode"),
            description: ["description", "subStatusString", "errorMsg"]
                .into_iter()
                .find_map(|n| root.shown(n)),
        };
        match (&status.code, &status.sub_code) {
            (None, None) => Err(Malformed::Missing("statusCode")),
            _ => Ok(status),
        }
    }
}

/// A recorder's no, in its own words and in plain ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// HTTP status that came with it; it decides nothing.
    pub http: u16,
    /// `statusCode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// `subStatusCode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_code: Option<Text>,
    /// What the recorder added for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Whether flash may have been written before it said so.
    pub flash_begun: bool,
}

impl Refusal {
    pub(crate) fn new(http: u16, status: ResponseStatus) -> Self {
        let meaning = status.sub_code.as_ref().and_then(|s| codes::find(s.as_str())).map(|c| c.meaning);
        // what is not known may be about flashing, unless statusCode puts it into the groups that check
        // before they write (reference: ISAPI §7.3): 4, 5 and 6
        let flash_begun = match meaning {
            Some(Meaning::Failed) => true,
            Some(Meaning::Ok | Meaning::Busy) | None => !matches!(status.code, Some(4..=6)),
            Some(_) => false,
        };
        let ResponseStatus { code, sub_code, description } = status;
        Self { http, code, sub_code, description, flash_begun }
    }

    /// What to do now.
    pub fn advice(&self) -> &'static str {
        match self.known() {
            Some(code) => code.advice,
            None => "the code is not in the official table: report it with the recorder's model and version",
        }
    }

    fn known(&self) -> Option<&'static codes::Code> {
        codes::find(self.sub_code.as_ref()?.as_str())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.sub_code, self.code) {
            (Some(sub_code), _) => write!(f, "{sub_code}")?,
            (None, Some(code)) => write!(f, "statusCode {code}")?,
            (None, None) => write!(f, "HTTP {}", self.http)?,
        }
        if let Some(code) = self.known() {
            write!(f, ": the recorder says that {}", code.says)?;
        }
        if let Some(description) = &self.description {
            write!(f, " ({description})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(inside: &str) -> Refusal {
        let body = format!(
            "<ResponseStatus xmlns=\"http://www.hikvision.com/ver20/XMLSchema\">{inside}</ResponseStatus>"
        );
        Refusal::new(403, ResponseStatus::read(body.as_bytes()).unwrap())
    }

    /// Reference: ISAPI §7.2, the refusal of a real camera
    #[test]
    fn says_plainly_what_a_real_device_said() {
        let refusal = refusal(
            "<requestURL/><statusCode>4</statusCode><statusString>Invalid XML Content</statusString><subStatusCode>badDevType</subStatusCode>\n<description>UniNetIF_firm_upgrade failed, ret[-32], Upgrade capability mismatch.</description>",
        );
        assert_eq!(
            refusal.to_string(),
            "badDevType: the recorder says that the package is for another type of device (UniNetIF_firm_upgrade failed, ret[-32], Upgrade capability mismatch.)"
        );
        assert!(refusal.advice().contains("not for this recorder"));
        assert!(!refusal.flash_begun);
    }

    #[test]
    fn knows_which_failures_may_have_touched_the_flash() {
        for (inside, begun) in [
            ("<statusCode>3</statusCode><subStatusCode>badFlash</subStatusCode>", true),
            ("<statusCode>3</statusCode><subStatusCode>fileTypeError</subStatusCode>", false),
            ("<statusCode>3</statusCode><subStatusCode>brandNew</subStatusCode>", true),
            ("<statusCode>6</statusCode><subStatusCode>brandNew</subStatusCode>", false),
            ("<statusCode>6</statusCode>", false),
            ("<statusCode>3</statusCode><subStatusCode>ok</subStatusCode>", true),
            ("<statusCode>4</statusCode><subStatusCode>noMemory</subStatusCode>", false),
            ("<subStatusCode>brandNew</subStatusCode>", true),
            ("<statusCode>99</statusCode>", true),
        ] {
            assert_eq!(refusal(inside).flash_begun, begun, "{inside}");
        }
        assert_eq!(refusal("<statusCode>6</statusCode>").to_string(), "statusCode 6");
    }

    #[test]
    fn a_status_without_any_code_is_none() {
        for body in [
            "<ResponseStatus/>",
            "<ResponseStatus><statusCode>x</statusCode></ResponseStatus>",
            "<html/>",
            "",
        ] {
            assert!(ResponseStatus::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}

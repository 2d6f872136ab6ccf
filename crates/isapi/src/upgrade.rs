use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, LARGEST, Malformed};

/// `/ISAPI/System/upgradeStatus` (reference: ISAPI §4), in XML or in the JSON of newer devices. Whether
/// an idle recorder says 0 or 100 percent is not known, so a percentage alone proves nothing at either
/// end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeStatus {
    /// What the recorder says of itself.
    pub upgrading: Option<bool>,
    /// 0 to 100.
    pub percent: Option<u8>,
}

impl Document for UpgradeStatus {
    const PATH: &'static str = "/ISAPI/System/upgradeStatus";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let status = if body.trim_ascii_start().starts_with(b"{") { json(body) } else { xml(body) }?;
        match status.percent {
            Some(101..) => Err(Malformed::value("percent", &"above 100")),
            _ => Ok(status),
        }
    }
}

fn xml(body: &[u8]) -> Result<UpgradeStatus, Malformed> {
    let root = Element::document(body, "upgradeStatus")?;
    Ok(UpgradeStatus { upgrading: root.flag("upgrading")?, percent: root.number("percent")? })
}

/// The JSON form, whose truth values are strings. `idList` (the parts of a cluster) is not read: a
/// recorder is one device, and the total stands beside it.
#[derive(Deserialize)]
struct Json {
    upgrading: Truth,
    percent: Option<u8>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Truth {
    Plain(bool),
    Quoted(String),
}

fn json(body: &[u8]) -> Result<UpgradeStatus, Malformed> {
    if body.len() > LARGEST {
        return Err(Malformed::Excess("is larger than 256 KiB"));
    }
    let Json { upgrading, percent } = serde_json::from_slice(body).map_err(|e| Malformed::json(&e))?;
    let upgrading = match upgrading {
        Truth::Plain(truth) => truth,
        Truth::Quoted(text) if text.eq_ignore_ascii_case("true") => true,
        Truth::Quoted(text) if ["false", "flase"].iter().any(|f| text.eq_ignore_ascii_case(f)) => false,
        Truth::Quoted(_) => {
            return Err(Malformed::value("upgrading", &"neither true nor false"));
        }
    };
    Ok(UpgradeStatus { upgrading: Some(upgrading), percent })
}

impl UpgradeStatus {
    /// Whether an upgrade is under way.
    pub fn in_progress(&self) -> bool {
        self.upgrading.unwrap_or(matches!(self.percent, Some(1..=99)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inside: &str) -> Result<UpgradeStatus, Malformed> {
        let text = format!(
            "<upgradeStatus version=\"2.0\" xmlns=\"http://www.isapi.org/ver20/XMLSchema\">{inside}</upgradeStatus>"
        );
        UpgradeStatus::parse(text.as_bytes())
    }

    #[test]
    fn the_recorder_s_word_wins_over_the_percentage() {
        for (inside, busy) in [
            ("<upgrading>true</upgrading><percent>0</percent>", true),
            ("<upgrading>false</upgrading><percent>50</percent>", false),
            ("<percent>50</percent>", true),
            ("<percent>0</percent>", false),
            ("<percent>100</percent>", false),
            ("", false),
        ] {
            assert_eq!(read(inside).unwrap().in_progress(), busy, "{inside}");
        }
    }

    /// Reference: ISAPI §4
    #[test]
    fn json_says_the_same_with_quoted_truth() {
        for (text, expected) in [
            (
                r#" {"upgrading":"TRUE","percent":22,"idList":[{"id":"1","percent":22,"status":"backingUp"}]}"#,
                (true, Some(22)),
            ),
            (r#"{"upgrading":"FALSE","percent":0}"#, (false, Some(0))),
            (r#"{"upgrading":false}"#, (false, None)),
        ] {
            let status = UpgradeStatus::parse(text.as_bytes()).unwrap();
            assert_eq!((status.upgrading, status.percent), (Some(expected.0), expected.1), "{text}");
        }
        for text in [
            "{",
            "{}",
            r#"{"statusCode":4,"subStatusCode":"notSupport"}"#,
            r#"{"upgrading":"maybe"}"#,
            r#"{"upgrading":true,"percent":101}"#,
            r#"{"upgrading":true,"upgrading":false}"#,
            r#"{"upgrading":true} trailing"#,
            &format!("{{\"upgrading\":{}", "[".repeat(100_000)),
            &format!("{{\"upgrading\":true}}{}", " ".repeat(LARGEST)),
        ] {
            assert!(UpgradeStatus::parse(text.as_bytes()).is_err(), "{text:.60}");
        }
    }

    #[test]
    fn impossible_percentages_are_rejected() {
        for inside in ["<percent>101</percent>", "<percent>-1</percent>", "<percent>half</percent>"] {
            assert!(read(inside).is_err(), "{inside}");
        }
    }
}

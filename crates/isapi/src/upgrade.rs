use serde::{Deserialize, Serialize};

use crate::xml::{Element, Malformed};

/// `/ISAPI/System/upgradeStatus` (reference: ISAPI §4). Whether an idle recorder says 0 or 100 percent
/// is not known, so a percentage alone proves nothing at either end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeStatus {
    /// What the recorder says of itself.
    pub upgrading: Option<bool>,
    /// 0 to 100.
    pub percent: Option<u8>,
}

impl UpgradeStatus {
    pub(crate) const ROOT: &str = "upgradeStatus";

    pub(crate) fn read(root: &Element) -> Result<Self, Malformed> {
        let percent = root.number("percent")?;
        match percent {
            Some(101..) => Err(Malformed::Value { node: "percent", why: "above 100".into() }),
            _ => Ok(Self { upgrading: root.flag("upgrading")?, percent }),
        }
    }

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
        UpgradeStatus::read(&Element::document(text.as_bytes(), UpgradeStatus::ROOT)?)
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

    #[test]
    fn impossible_percentages_are_rejected() {
        for inside in ["<percent>101</percent>", "<percent>-1</percent>", "<percent>half</percent>"] {
            assert!(read(inside).is_err(), "{inside}");
        }
    }
}

use std::fmt::Write;

use quick_xml::escape::escape;

/// A `ResponseStatus` document, named by its `subStatusCode` (reference: ISAPI §7).
pub(crate) struct ResponseStatus<'a> {
    sub: &'a str,
    code: u8,
    string: &'static str,
    description: Option<&'static str>,
}

/// `statusCode` of the codes that an upgrade meets (reference: ISAPI §7.3); all others are 4.
const CODES: [(u8, &[&str]); 5] = [
    (1, &["ok"]),
    (2, &["noMemory", "serviceUnavailable", "upgrading", "deviceBusy", "configOperating", "formatting"]),
    (
        3,
        &[
            "deviceError",
            "badFlash",
            "internalError",
            "diskError",
            "fileSizeExceedLimit",
            "fileTypeError",
            "upgradeError",
            "upgradeErrorAndReboot",
            "upgradeFailed",
        ],
    ),
    (
        6,
        &[
            "badParameters",
            "badXmlContent",
            "badVersion",
            "badLanguage",
            "badUpgradePackage",
            "devicePlatformMismatch",
            "verificationFailed",
            "upgradeParameterWrong",
            "OEMCodeMismatch",
            "versionMismatch",
        ],
    ),
    (7, &["rebootRequired", "autoReboot"]),
];

impl<'a> ResponseStatus<'a> {
    /// The status with this `subStatusCode`.
    pub(crate) fn new(sub: &'a str) -> Self {
        // as a real camera sent it: code, text and sub-status disagree (reference: ISAPI §7.2)
        if sub == "badDevType" {
            let description = "UniNetIF_firm_upgrade failed, ret[-32], Upgrade capability mismatch.";
            return Self { sub, code: 4, string: "Invalid XML Content", description: Some(description) };
        }
        let code = CODES.iter().find(|(_, subs)| subs.contains(&sub)).map_or(4, |(code, _)| *code);
        let string = match code {
            1 => "OK",
            2 => "Device Busy",
            3 => "Device Error",
            6 => "Invalid XML Content",
            7 => "Reboot Required",
            _ => "Invalid Operation",
        };
        Self { sub, code, string, description: None }
    }

    /// The document; `url` is the path that was asked for.
    pub(crate) fn to_xml(&self, url: &str) -> String {
        let Self { code, string, .. } = self;
        let mut xml = format!(
            r#"<?xml version="1.0" encoding="UTF-8" ?>
<ResponseStatus version="1.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
<requestURL>{}</requestURL>
<statusCode>{code}</statusCode>
<statusString>{string}</statusString>
<subStatusCode>{}</subStatusCode>
"#,
            escape(url),
            escape(self.sub)
        );
        if let Some(description) = self.description {
            // writing to a String cannot fail
            let _ = writeln!(xml, "<description>{description}</description>");
        }
        xml + "</ResponseStatus>\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_table() {
        for (sub, code) in [
            ("ok", 1),
            ("upgrading", 2),
            ("upgradeError", 3),
            ("notSupport", 4),
            ("badLanguage", 6),
            ("rebootRequired", 7),
        ] {
            let xml = ResponseStatus::new(sub).to_xml("/ISAPI/x");
            assert!(xml.contains(&format!("<statusCode>{code}</statusCode>")), "{xml}");
            assert!(xml.contains(&format!("<subStatusCode>{sub}</subStatusCode>")), "{xml}");
        }
    }

    #[test]
    fn what_the_client_sent_is_escaped() {
        assert!(
            ResponseStatus::new("ok").to_xml("/<a>&").contains("<requestURL>/&lt;a&gt;&amp;</requestURL>")
        );
    }
}

use std::fmt::Write;

use quick_xml::escape::escape;

/// A `ResponseStatus` document, named by its `subStatusCode` (reference: ISAPI §7).
pub(crate) struct ResponseStatus<'a> {
    sub: &'a str,
    code: u8,
    string: &'a str,
    description: Option<&'static str>,
}

/// `statusCode` of the codes that the applier should recognise (reference: ISAPI §7.3); all others,
/// those of the same table's section 4 included, are 4.
const CODES: [(u8, &[&str]); 6] = [
    (1, &["ok", "riskPassword"]),
    (
        2,
        &[
            "noMemory",
            "serviceUnavailable",
            "upgrading",
            "deviceBusy",
            "reConnectIpc",
            "transferUpgradePackageFailed.",
            "startUpgradeFailed.",
            "getUpgradeProcessfailed.",
            "networkError",
            "configOperating",
            "formatting",
        ],
    ),
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
            "rebootTheCascadingDeviceAfterUpgraded",
            "upgradeObjectNoSupport",
            "upgradeDataErrLength",
            "receiveUpgradePackageError",
            "upgradeFailed",
        ],
    ),
    (5, &["badXmlFormat", "badJsonFormat", "badURLFormat"]),
    (
        6,
        &[
            "badParameters",
            "badXmlContent",
            "badVersion",
            "badLanguage",
            "incorrentUserNameOrPassword",
            "cfgFileSecretKeyError",
            "badUpgradePackage",
            "DifferentialUUIDMismatch",
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
        Self { sub, code, string: string(code), description: None }
    }

    /// The same under another `statusCode`, as devices that disagree with the table send it.
    pub(crate) fn with_code(self, code: Option<u8>) -> Self {
        match code {
            Some(code) => Self { code, string: string(code), ..self },
            None => self,
        }
    }

    /// The same with another `statusString`.
    pub(crate) fn with_text(self, text: Option<&'a str>) -> Self {
        Self { string: text.unwrap_or(self.string), ..self }
    }

    /// The document; `url` is the path that was asked for.
    pub(crate) fn to_xml(&self, url: &str) -> String {
        let (code, string) = (self.code, escape(self.string));
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

/// `statusString` of a `statusCode` (reference: ISAPI §7.1).
fn string(code: u8) -> &'static str {
    match code {
        0 | 1 => "OK",
        2 => "Device Busy",
        3 => "Device Error",
        5 => "Invalid XML Format",
        6 => "Invalid XML Content",
        7 => "Reboot Required",
        _ => "Invalid Operation",
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
            ("badXmlFormat", 5),
            ("transferUpgradePackageFailed.", 2),
            ("badLanguage", 6),
            ("rebootRequired", 7),
        ] {
            let xml = ResponseStatus::new(sub).to_xml("/ISAPI/x");
            assert!(xml.contains(&format!("<statusCode>{code}</statusCode>")), "{xml}");
            assert!(xml.contains(&format!("<subStatusCode>{sub}</subStatusCode>")), "{xml}");
        }
    }

    #[test]
    fn code_and_text_may_disagree_with_the_table() {
        let status = ResponseStatus::new("badLanguage").with_code(Some(4)).with_text(Some("操作错误"));
        let xml = status.to_xml("/ISAPI/x");
        assert!(xml.contains("<statusCode>4</statusCode>\n<statusString>操作错误</statusString>"), "{xml}");
        let xml = ResponseStatus::new("ok").with_code(Some(0)).to_xml("/ISAPI/x");
        assert!(xml.contains("<statusCode>0</statusCode>\n<statusString>OK</statusString>"), "{xml}");
    }

    #[test]
    fn what_the_client_sent_is_escaped() {
        assert!(
            ResponseStatus::new("ok").to_xml("/<a>&").contains("<requestURL>/&lt;a&gt;&amp;</requestURL>")
        );
    }
}

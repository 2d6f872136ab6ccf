//! Findings to one self-contained page, which asks for nothing: no script, no font, no image, and a policy
//! (Content-Security-Policy 3) that would forbid them. Everything that comes from a device is escaped by the
//! template.

use askama::Template;
use base64::prelude::{BASE64_STANDARD, Engine};
use firmware::Sha256Digest;
use receipt::{CheckCounts, CheckResult};

use super::{Finding, Severity, by_severity, counts};
use crate::cameras::Told;

/// What stands above the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heading {
    /// Labels and values.
    pub rows: Vec<(&'static str, String)>,
    /// What a person should know before reading on.
    pub remarks: Vec<String>,
}

/// The one style of the page, with nothing of a device in it.
const STYLE: &str = include_str!("page.css");

#[derive(Template)]
#[template(path = "audit.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    heading: &'a Heading,
    counts: CheckCounts,
    groups: Vec<(Severity, Vec<&'a Finding>)>,
    cameras: &'a Told<'a>,
}

/// The page.
pub fn page(heading: &Heading, findings: &[Finding], cameras: &Told<'_>) -> Result<String, askama::Error> {
    let hash = BASE64_STANDARD.encode(Sha256Digest::of(STYLE.as_bytes()).as_bytes());
    let page = Page {
        policy: format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"),
        style: STYLE,
        heading,
        counts: counts(findings),
        groups: by_severity(findings),
        cameras,
    };
    page.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::CheckId;
    use firmware::Text;

    #[test]
    fn what_a_device_says_is_text_and_nothing_is_asked_for() {
        let hostile = "<img src=x onerror=alert(1)></style></p>\"'&";
        let finding = Finding {
            id: CheckId::Sv06,
            title: hostile.into(),
            severity: Severity::High,
            result: CheckResult::NotOffered,
            read: Some(Text::cleaned(hostile)),
            reason: Some(Text::cleaned(hostile)),
            expected: hostile.into(),
            mend: hostile.into(),
            note: Some(hostile.into()),
            guide: Some(hostile.into()),
        };
        let failed = Finding { result: CheckResult::Fail, ..finding.clone() };
        let heading = Heading { rows: vec![("recorder", hostile.into())], remarks: vec![hostile.into()] };
        let mut inventory = crate::inventory::tests::inventory("DS-7608NI-I2", "V4.30.097 build 200101");
        inventory.cameras =
            serde_json::from_value(serde_json::json!([{"id": "1", "name": hostile}])).unwrap();
        let page = page(&heading, &[finding, failed], &Told::of(&inventory, None)).unwrap();
        assert!(page.contains("<th scope=\"row\">camera</th><td>1 &#60;img src=x"), "{page}");
        assert!(page.contains("&#60;img src=x onerror=alert(1)&#62;&#60;/style&#62;"), "{page}");
        for harmful in ["<img", "<script", "src=\"", "href", "url(", "@import", "http:", "https:"] {
            assert!(!page.contains(harmful), "{harmful}");
        }
        assert_eq!(page.matches("</style>").count(), 1);
        // the policy names the very bytes that stand in the page
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert_eq!(style, STYLE);
        let hash = BASE64_STANDARD.encode(Sha256Digest::of(style.as_bytes()).as_bytes());
        assert!(page.contains(&format!("sha256-{hash}")) || page.contains(&hash.replace('+', "&#43;")));
    }
}

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/Security/webCertificate`: how browsers and this tool may log in. No capture shows a body;
/// the two names are those of its capabilities (reference: ISAPI §9.1, §15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebCertificate {
    /// `digest`, or `digest/basic`, which accepts the password itself.
    pub certificate_type: Text,
    /// `MD5`, `SHA256`, `MD5/SHA256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Text>,
}

impl Document for WebCertificate {
    const PATH: &'static str = "/ISAPI/Security/webCertificate";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::around(body, "CertificateType")?;
        let algorithm = root.find("algorithmType").or_else(|| root.child("SecurityAlgorithm"));
        Ok(Self {
            certificate_type: root.shown("CertificateType").ok_or(Malformed::Missing("CertificateType"))?,
            algorithm: algorithm.and_then(Element::own_text).map(Text::cleaned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_it_nested_or_not() {
        for text in [
            "<WebCertificate><CertificateType>digest</CertificateType><SecurityAlgorithm><algorithmType>SHA256</algorithmType></SecurityAlgorithm></WebCertificate>",
            "<x><CertificateType>digest</CertificateType><SecurityAlgorithm>SHA256</SecurityAlgorithm></x>",
        ] {
            let found = WebCertificate::parse(text.as_bytes()).unwrap();
            assert_eq!(found.certificate_type.as_str(), "digest");
            assert_eq!(found.algorithm.unwrap().as_str(), "SHA256", "{text}");
        }
        assert!(WebCertificate::parse(b"<x><CertificateType/></x>").is_err());
    }
}

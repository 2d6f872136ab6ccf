//! What recorders say that they can do. Few of the flags that the guides name stand in real captures
//! (reference: ISAPI §3.4), and not all captures show where: they are looked for in the whole document,
//! and one that is absent says nothing.

use std::str::FromStr;

use firmware::Text;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::xml::{Element, Malformed};

/// `/ISAPI/System/capabilities`. An absent flag means nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemCapabilities {
    /// `isSupportReboot`.
    pub reboot: Option<bool>,
    /// `isSupportUpdatefirmware` (sic).
    pub update_firmware: Option<bool>,
    /// `isSupportPostUpdateFirmware`. It is never made use of: the way is `PUT`.
    pub post_update_firmware: Option<bool>,
    /// `isSupportConfigurationData`.
    pub configuration_data: Option<bool>,
    /// `isSupportConfigFileExport`.
    pub config_file_export: Option<bool>,
    /// `isSupportConfigFileImport`.
    pub config_file_import: Option<bool>,
    /// `isSupportEZVIZ`.
    pub ezviz: Option<bool>,
    /// `issupIllegalLoginLock` (sic).
    pub illegal_login_lock: Option<bool>,
    /// `isSupportOnlineUpgradeTask`.
    pub online_upgrade_task: Option<bool>,
    /// `isSupportUserNamePasswordCheckUpgrade`, whose meaning is not documented.
    pub user_name_password_check_upgrade: Option<bool>,
}

impl Document for SystemCapabilities {
    const PATH: &'static str = "/ISAPI/System/capabilities";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::capabilities(body)?;
        Ok(Self {
            reboot: root.flag_within("isSupportReboot")?,
            update_firmware: root.flag_within("isSupportUpdatefirmware")?,
            post_update_firmware: root.flag_within("isSupportPostUpdateFirmware")?,
            configuration_data: root.flag_within("isSupportConfigurationData")?,
            config_file_export: root.flag_within("isSupportConfigFileExport")?,
            config_file_import: root.flag_within("isSupportConfigFileImport")?,
            ezviz: root.flag_within("isSupportEZVIZ")?,
            illegal_login_lock: root.flag_within("issupIllegalLoginLock")?,
            online_upgrade_task: root.flag_within("isSupportOnlineUpgradeTask")?,
            user_name_password_check_upgrade: root.flag_within("isSupportUserNamePasswordCheckUpgrade")?,
        })
    }
}

/// The `min` and `max` of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// At least.
    pub min: Option<u32>,
    /// At most.
    pub max: Option<u32>,
}

impl Limits {
    fn within(root: &Element, name: &'static str) -> Result<Option<Self>, Malformed> {
        let Some(found) = root.find(name) else { return Ok(None) };
        let end = |end: &str| {
            let text = found.attribute(end);
            text.map(u32::from_str).transpose().map_err(|e| Malformed::value(name, &e))
        };
        Ok(Some(Self { min: end("min")?, max: end("max")? }))
    }
}

/// `/ISAPI/Security/capabilities`. Salts and challenges of the browser's login stand there, too; they
/// are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityCapabilities {
    /// `cfgFileSecretKeyLenLimit`: characters of the key to a configuration export.
    pub configuration_key: Option<Limits>,
    /// `LoginPasswordLenLimit`: characters of a password.
    pub password: Option<Limits>,
    /// Ways to log in that can be chosen: `digest`, `digest/basic`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificate_types: Vec<Text>,
    /// Digest algorithms that can be chosen: `MD5`, `SHA256`, `MD5/SHA256`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<Text>,
    /// `isSupportAnonymous`.
    pub anonymous: Option<bool>,
    /// `isIrreversible`: passwords are stored hashed.
    pub irreversible: Option<bool>,
    /// `issupIllegalLoginLock` (sic).
    pub illegal_login_lock: Option<bool>,
}

impl Document for SecurityCapabilities {
    const PATH: &'static str = "/ISAPI/Security/capabilities";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::document(body, "SecurityCap")?;
        let choices = |name| root.find(name).map(Element::choices).unwrap_or_default();
        Ok(Self {
            configuration_key: Limits::within(&root, "cfgFileSecretKeyLenLimit")?,
            password: Limits::within(&root, "LoginPasswordLenLimit")?,
            certificate_types: choices("CertificateType"),
            algorithms: choices("algorithmType"),
            anonymous: root.flag_within("isSupportAnonymous")?,
            irreversible: root.flag_within("isIrreversible")?,
            illegal_login_lock: root.flag_within("issupIllegalLoginLock")?,
        })
    }
}

/// `/ISAPI/System/Network/capabilities`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkCapabilities {
    /// `isSupportIPFilter`. Without it the filter answers 403 or 404 (reference: ISAPI §15.2).
    pub ip_filter: Option<bool>,
    /// `isSupportMACFilter`.
    pub mac_filter: Option<bool>,
    /// `SnmpCap/isSupport`.
    pub snmp: Option<bool>,
}

impl Document for NetworkCapabilities {
    const PATH: &'static str = "/ISAPI/System/Network/capabilities";

    fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let root = Element::capabilities(body)?;
        let snmp = root.find("SnmpCap").map_or(Ok(None), |cap| cap.flag("isSupport"))?;
        let ip_filter = root.flag_within("isSupportIPFilter")?;
        Ok(Self { ip_filter, mac_filter: root.flag_within("isSupportMACFilter")?, snmp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_wherever_they_stand_and_absence_says_nothing() {
        let text = r#"<DeviceCap version="2.0"><SysCap><isSupportReboot>true</isSupportReboot><NetworkCap><isSupportEZVIZ>true</isSupportEZVIZ></NetworkCap>
<isSupportConfigFileExport opt="true">true</isSupportConfigFileExport></SysCap><isSupportConfigFileImport>flase</isSupportConfigFileImport></DeviceCap>"#;
        let found = SystemCapabilities::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (found.reboot, found.ezviz, found.config_file_export, found.config_file_import),
            (Some(true), Some(true), Some(true), Some(false))
        );
        assert_eq!((found.update_firmware, found.post_update_firmware), (None, None));
        assert_eq!(SystemCapabilities::parse(b"<SysCap/>"), Ok(SystemCapabilities::default()));
        assert!(SystemCapabilities::parse(b"<DeviceInfo/>").is_err());
    }

    /// Reference: ISAPI §9.1, §11
    #[test]
    fn reads_the_limits_and_choices_of_security() {
        let text = r#"<SecurityCap><cfgFileSecretKeyLenLimit min="1" max="16"/><LoginPasswordLenLimit min="8" max="16"/><isIrreversible>true</isIrreversible><salt>secret</salt>
<WebCertificateCap><CertificateType opt="digest,digest/basic"/><SecurityAlgorithm><algorithmType opt="MD5,SHA256,MD5/SHA256">MD5</algorithmType></SecurityAlgorithm></WebCertificateCap></SecurityCap>"#;
        let found = SecurityCapabilities::parse(text.as_bytes()).unwrap();
        assert_eq!(found.configuration_key, Some(Limits { min: Some(1), max: Some(16) }));
        assert_eq!(found.password.unwrap().min, Some(8));
        let texts = |list: &[Text]| list.iter().map(Text::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&found.certificate_types), ["digest", "digest/basic"]);
        assert_eq!(texts(&found.algorithms), ["MD5", "SHA256", "MD5/SHA256"]);
        assert_eq!((found.irreversible, found.anonymous), (Some(true), None));
        assert!(!format!("{found:?}").contains("secret"));
        assert!(
            SecurityCapabilities::parse(b"<SecurityCap><cfgFileSecretKeyLenLimit min='-1'/></SecurityCap>")
                .is_err()
        );
    }

    #[test]
    fn reads_what_the_network_side_can_do() {
        let text = "<NetworkCap><SnmpCap><isSupport>true</isSupport></SnmpCap><isSupportIPFilter>false</isSupportIPFilter></NetworkCap>";
        let found = NetworkCapabilities::parse(text.as_bytes()).unwrap();
        assert_eq!((found.snmp, found.ip_filter, found.mac_filter), (Some(true), Some(false), None));
    }
}

use std::collections::HashSet;

use super::*;

/// Reference: ISAPI §7.3, by `statusCode` and in its spelling.
const REFERENCE: [(u8, &[&str]); 7] = [
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
    (
        4,
        &[
            "notSupport",
            "lowPrivilege",
            "badAuthorization",
            "methodNotAllowed",
            "invalidOperation",
            "notActivated",
            "loginPasswordError",
            "fileError",
            "upgradePackageMorethan2GB",
            "importError",
            "importing",
            "needReAuthentication",
            "updateTypeUnmatched",
            "updateLangUnmatched",
            "upgradePackageLarge",
            "updatePackageFileNotUploaded",
            "ipcIsLocking",
            "ipcNotActivated",
            "UpdateFileRSAError",
            "UpdateSendInterrupt",
            "userNameLocked",
            "MaxPassword attempts",
            "noFlash",
            "platMismatch",
            "productIdNotMatched",
            "errorUpgradeVersion",
            "updatePackageNameOrSizeNotMatch",
            "upgradeProgramErr",
            "importCfgFilePasswordErr",
            "upgradePackageTransferFailed",
            "noNeedUpgrade",
        ],
    ),
    (5, &["badXmlFormat", "badJsonFormat", "badURLFormat"]),
    (
        6,
        &[
            "badParameters",
            "badXmlContent",
            "badVersion",
            "badDevType",
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

#[test]
fn names_are_found_in_any_case_with_and_without_the_dot() {
    for name in ["startUpgradeFailed.", "STARTUPGRADEFAILED", " startupgradefailed "] {
        assert_eq!(find(name).unwrap().name, "startUpgradeFailed");
    }
    assert!(find("languageMismatch").is_none(), "not a sub-status of updateFirmware");
    assert!(find("").is_none());
}

#[test]
fn the_table_is_whole_and_has_nothing_else() {
    let mut listed = HashSet::new();
    for (status_code, names) in REFERENCE {
        for name in names {
            let code = find(name).unwrap_or_else(|| panic!("{status_code} {name} is missing"));
            listed.insert(code.name);
            assert!(!code.says.is_empty() && !code.advice.is_empty(), "{name}");
            // success and waiting are what the group says they are; a failure may stand anywhere
            let group: &[u8] = match code.meaning {
                Ok => &[1],
                Upgrading | Busy => &[2, 4],
                RebootDue | Reboots => &[3, 7],
                Failed => &[3, 4],
                Refused => &[3, 4, 5, 6],
                NotOffered | NoPermission | Locked => &[4],
                Login => &[4, 6],
            };
            assert!(group.contains(&status_code), "{status_code} {name}: {:?}", code.meaning);
        }
    }
    let all: HashSet<&str> = CODES.iter().map(|code| code.name).collect();
    assert_eq!(all, listed);
    assert_eq!(all.len(), CODES.len(), "every name stands once");
}

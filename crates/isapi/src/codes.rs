//! The `subStatusCode`s that an upgrade can meet (reference: ISAPI §7.3), in plain words with what to do.
//!
//! Found without regard to case and to a trailing dot: the official table itself is inconsistent.

/// What a code means for the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Done, or taken.
    Ok,
    /// Taken, and a restart is due.
    RebootDue,
    /// Taken, and the recorder restarts by itself.
    Reboots,
    /// An upgrade is under way.
    Upgrading,
    /// Busy with something else.
    Busy,
    /// Refused before anything was written.
    Refused,
    /// Failed while or after something was written.
    Failed,
    /// The recorder has no such function.
    NotOffered,
    /// The account lacks the right.
    NoPermission,
    /// The login was refused.
    Login,
    /// The account is locked.
    Locked,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Code {
    name: &'static str,
    pub(crate) meaning: Meaning,
    /// Completes "the recorder says that …".
    pub(crate) says: &'static str,
    pub(crate) advice: &'static str,
}

/// The row of a code.
pub(crate) fn find(sub_status_code: &str) -> Option<&'static Code> {
    let name = sub_status_code.trim().trim_end_matches('.');
    CODES.iter().find(|code| code.name.eq_ignore_ascii_case(name))
}

const WAIT: &str = "wait until the recorder is idle, then plan again";
const PACKAGE: &str = "the package is not for this recorder: check model, region and language of the release; do not try another package by guess";
const DAMAGED: &str = "verify the stick; if it is good, report the release to whoever approved it";
const VERSION: &str = "look at the version the recorder runs and at the steps the release requires";
const LOOK: &str = "do not cut the power; look at the recorder with inspect before anything else";
const SPACE: &str = "restart the recorder, then plan again";
const RIGHT: &str = "use the admin account, or one with the right to upgrade remotely";
const PASSWORD: &str = "check user and password before trying again: few wrong ones lock the account";
const UNLOCK: &str = "wait half an hour, or until the recorder is restarted";
const BUG: &str = "report this with the recorder's model and version";
const NONE: &str = "nothing to do";
const DISK: &str = "look at the recorder's disks first";

const fn row(name: &'static str, meaning: Meaning, says: &'static str, advice: &'static str) -> Code {
    Code { name, meaning, says, advice }
}

use Meaning::{
    Busy, Failed, Locked, Login, NoPermission, NotOffered, Ok, RebootDue, Reboots, Refused, Upgrading,
};

/// In the order of the reference. Where the official table lists one name under several codes
/// (`noMemory`, `diskError`, `riskPassword`, `loginPasswordError`), `statusCode` tells them apart.
static CODES: &[Code] = &[
    row("ok", Ok, "it is done", NONE),
    row("riskPassword", Ok, "it is done, and that the password is weak", "choose a stronger password"),
    row("noMemory", Busy, "it has not enough memory", SPACE),
    row("serviceUnavailable", Busy, "the service is not available now", WAIT),
    row("upgrading", Upgrading, "an upgrade is under way", LOOK),
    row("deviceBusy", Upgrading, "it is busy", WAIT),
    row("reConnectIpc", Busy, "it is connecting its cameras", WAIT),
    row("transferUpgradePackageFailed", Busy, "handing the package on failed", WAIT),
    row("startUpgradeFailed", Busy, "the upgrade could not be started", WAIT),
    row("getUpgradeProcessfailed", Busy, "its own upgrade status cannot be read", WAIT),
    row("networkError", Busy, "it has a network error", WAIT),
    row("configOperating", Busy, "a configuration is being imported or exported", WAIT),
    row("formatting", Busy, "a disk is being formatted", WAIT),
    row("deviceError", Failed, "it has a hardware error", LOOK),
    row("badFlash", Failed, "writing its flash failed", LOOK),
    row("internalError", Failed, "it has an internal error", LOOK),
    row("diskError", Refused, "it has a disk error", DISK),
    row("fileSizeExceedLimit", Refused, "the package is too large", PACKAGE),
    row("fileTypeError", Refused, "this kind of file is not what it takes", DAMAGED),
    row("upgradeError", Failed, "the upgrade failed", LOOK),
    row("upgradeErrorAndReboot", Failed, "the upgrade failed and that it restarts", LOOK),
    row(
        "rebootTheCascadingDeviceAfterUpgraded",
        RebootDue,
        "a cascaded unit must be restarted by hand",
        "restart the cascaded unit",
    ),
    row("upgradeObjectNoSupport", Refused, "this part of it cannot be upgraded", PACKAGE),
    row("upgradeDataErrLength", Refused, "the length of the package is wrong", DAMAGED),
    row("receiveUpgradePackageError", Refused, "receiving the package failed", WAIT),
    row("upgradeFailed", Failed, "the upgrade failed", LOOK),
    row("notSupport", NotOffered, "it has no such function", "upgrade this recorder at its own screen"),
    row("lowPrivilege", NoPermission, "the account lacks the right", RIGHT),
    row("badAuthorization", Login, "the login is not accepted", PASSWORD),
    row(
        "methodNotAllowed",
        NotOffered,
        "it does not take the package this way",
        "upgrade this recorder at its own screen",
    ),
    row(
        "invalidOperation",
        Refused,
        "the request is not valid now (an expired login challenge is said so, too)",
        "plan again",
    ),
    row("notActivated", Refused, "it has no password yet", "activate the recorder first"),
    row("loginPasswordError", Login, "the password is wrong", PASSWORD),
    row("fileError", Refused, "the file is not an upgrade package for it", PACKAGE),
    row("upgradePackageMorethan2GB", Refused, "the package is larger than 2 GB", PACKAGE),
    row("importError", Refused, "importing failed", BUG),
    row("importing", Busy, "an import is under way", WAIT),
    row("needReAuthentication", Login, "it wants a new login after an upgrade", PASSWORD),
    row("updateTypeUnmatched", Refused, "the type of the package does not match", PACKAGE),
    row("updateLangUnmatched", Refused, "the language of the package does not match", PACKAGE),
    row("upgradePackageLarge", Refused, "the package is too large", PACKAGE),
    row("updatePackageFileNotUploaded", Refused, "no package has arrived", WAIT),
    row("ipcIsLocking", Refused, "the camera is locked", UNLOCK),
    row("ipcNotActivated", Refused, "the camera has no password yet", "activate the camera first"),
    row("UpdateFileRSAError", Refused, "the vendor's signature of the package is wrong", DAMAGED),
    row("UpdateSendInterrupt", Refused, "handing the package on was interrupted", WAIT),
    row("userNameLocked", Locked, "the account is locked", UNLOCK),
    row("MaxPassword attempts", Locked, "too many wrong passwords were given", UNLOCK),
    row("noFlash", Refused, "its flash has not enough room", PACKAGE),
    row("platMismatch", Refused, "the package is for another platform", PACKAGE),
    row("productIdNotMatched", Refused, "the package is for another product", PACKAGE),
    row("errorUpgradeVersion", Refused, "the version of the package is too low", VERSION),
    row("updatePackageNameOrSizeNotMatch", Refused, "name or size of the package do not match", DAMAGED),
    row("upgradeProgramErr", Failed, "its upgrade program failed", LOOK),
    row("importCfgFilePasswordErr", Refused, "the password of the configuration file is wrong", BUG),
    row("upgradePackageTransferFailed", Refused, "transferring the package failed", WAIT),
    row("noNeedUpgrade", Refused, "it already runs the newest version", VERSION),
    row("badXmlFormat", Refused, "the request is malformed", BUG),
    row("badJsonFormat", Refused, "the request is malformed", BUG),
    row("badURLFormat", Refused, "the request is malformed", BUG),
    row("badParameters", Refused, "a parameter is wrong", BUG),
    row("badXmlContent", Refused, "the content of the request is wrong", BUG),
    row("badVersion", Refused, "the version of the package does not match", VERSION),
    row("badDevType", Refused, "the package is for another type of device", PACKAGE),
    row("badLanguage", Refused, "the language of the package does not match", PACKAGE),
    row("incorrentUserNameOrPassword", Login, "user or password is wrong", PASSWORD),
    row("cfgFileSecretKeyError", Refused, "the key of the configuration file is wrong", BUG),
    row("badUpgradePackage", Refused, "the package is not valid", DAMAGED),
    row("DifferentialUUIDMismatch", Refused, "the differential package is for another base", VERSION),
    row("devicePlatformMismatch", Refused, "the package is for another platform", PACKAGE),
    row("verificationFailed", Refused, "the vendor's signature of the package is wrong", DAMAGED),
    row("upgradeParameterWrong", Refused, "a parameter of the package is wrong", DAMAGED),
    row("OEMCodeMismatch", Refused, "the package is for another brand", PACKAGE),
    row("versionMismatch", Refused, "the version of the package does not match", VERSION),
    row("rebootRequired", RebootDue, "it has taken the package and must be restarted", NONE),
    row("autoReboot", Reboots, "it has taken the package and restarts by itself", NONE),
];

#[cfg(test)]
mod tests;

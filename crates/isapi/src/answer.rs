//! What an answer means, decided purely (reference: ISAPI §5).
//!
//! The HTTP status alone says nothing: a refused package comes as 403 and as 200, an absent function
//! as 403, and a device error with 401. The body is read whatever the status; `subStatusCode` decides
//! first, `statusCode` second, `statusString` never. `rebootRequired` is success. A no is one only in a
//! `ResponseStatus`: an error page may come from whatever serves the page while the device works on.

use serde::{Deserialize, Serialize};

use crate::codes::{self, Meaning};
use crate::login::UserCheck;
use crate::status::{Refusal, ResponseStatus};

/// What a recorder's answer to a `PUT` means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// It took what was sent. Of an upload this is no proof: only the version read back is.
    Taken {
        /// What comes next.
        reboot: Reboot,
    },
    /// An upgrade is under way: keep polling.
    StillUpgrading,
    /// Busy with something else: come back later.
    RetryLater(Refusal),
    /// It said no.
    Refused(Refusal),
    /// The account lacks the right.
    NoPermission(Refusal),
    /// There is no such function.
    NotOffered(Refusal),
    /// The login was not accepted.
    Authentication(UserCheck),
    /// It cannot be told what this means.
    Unclear {
        /// HTTP status.
        http: u16,
        /// What is wrong with the body.
        why: String,
    },
}

/// What a recorder that took a package said about restarting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reboot {
    /// It waits to be told (`rebootRequired`).
    Due,
    /// It restarts by itself (`autoReboot`).
    ByItself,
    /// It said nothing about it.
    NotSaid,
}

impl Answer {
    /// Reads an answer.
    pub fn of(http: u16, body: &[u8]) -> Self {
        let why = match ResponseStatus::read(body) {
            Ok(status) => return Self::of_status(http, status),
            Err(why) => why,
        };
        match http {
            401 => Self::Authentication(UserCheck::of_401(body)),
            // the web UI takes any HTTP 200 to an upload for success
            200 if body.trim_ascii().is_empty() => Self::Taken { reboot: Reboot::NotSaid },
            _ => Self::Unclear { http, why: why.to_string() },
        }
    }

    /// Whether this answer to an upload proves that the upload is over and that the flash is as it was:
    /// a `ResponseStatus` that refuses it, neither busy (2) nor with a 401, and for a reason that is
    /// found before anything is written. After the last block nothing less does.
    pub fn proves_untouched(&self) -> bool {
        match self {
            Self::Refused(no) | Self::NoPermission(no) | Self::NotOffered(no) => {
                no.http != 401 && no.code != Some(2) && !no.flash_begun
            }
            _ => false,
        }
    }

    fn of_status(http: u16, status: ResponseStatus) -> Self {
        let known = status.sub_code.as_ref().and_then(|s| codes::find(s.as_str()));
        let meaning = match (known.map(|c| c.meaning), status.code) {
            // names that the official table lists under several codes: statusCode tells them apart
            (Some(Meaning::Busy), Some(code)) if code != 2 => Meaning::Refused,
            (Some(Meaning::Ok), Some(3..=6)) => Meaning::Refused,
            (Some(meaning), _) => meaning,
            (None, Some(0 | 1)) => Meaning::Ok,
            (None, Some(7)) => Meaning::RebootDue,
            // the vendor's own client polls on after any 2; a sub-status that says otherwise is heeded
            (None, Some(2)) if status.sub_code.is_none() => Meaning::Upgrading,
            (None, Some(2)) => Meaning::Busy,
            (None, _) => Meaning::Refused,
        };
        match meaning {
            Meaning::Ok => Self::Taken { reboot: Reboot::NotSaid },
            Meaning::RebootDue => Self::Taken { reboot: Reboot::Due },
            Meaning::Reboots => Self::Taken { reboot: Reboot::ByItself },
            Meaning::Upgrading => Self::StillUpgrading,
            Meaning::Busy => Self::RetryLater(Refusal::new(http, status)),
            Meaning::Refused | Meaning::Failed => Self::Refused(Refusal::new(http, status)),
            Meaning::NotOffered => Self::NotOffered(Refusal::new(http, status)),
            Meaning::NoPermission => Self::NoPermission(Refusal::new(http, status)),
            Meaning::Login => Self::Authentication(UserCheck::default()),
            Meaning::Locked => Self::Authentication(UserCheck { locked: Some(true), ..UserCheck::default() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(http: u16, code: &str, sub: &str) -> Answer {
        let body = format!(
            "<ResponseStatus version=\"2.0\"><statusCode>{code}</statusCode><statusString>Invalid XML Content</statusString><subStatusCode>{sub}</subStatusCode></ResponseStatus>"
        );
        Answer::of(http, body.as_bytes())
    }

    #[test]
    fn success_is_0_1_and_7() {
        for (code, sub, reboot) in [
            ("7", "rebootRequired", Reboot::Due),
            ("7", "autoReboot", Reboot::ByItself),
            ("7", "", Reboot::Due),
            ("1", "ok", Reboot::NotSaid),
            ("0", "OK", Reboot::NotSaid),
            ("1", "riskPassword", Reboot::NotSaid),
            ("1", "somethingNew", Reboot::NotSaid),
        ] {
            assert_eq!(of(200, code, sub), Answer::Taken { reboot }, "{code} {sub}");
        }
        assert_eq!(Answer::of(200, b" \r\n"), Answer::Taken { reboot: Reboot::NotSaid });
    }

    #[test]
    fn busy_waits_or_comes_back_later() {
        for (code, sub) in [("2", "upgrading"), ("2", "deviceBusy"), ("2", "")] {
            assert_eq!(of(503, code, sub), Answer::StillUpgrading, "{sub}");
        }
        for sub in ["formatting", "startUpgradeFailed.", "somethingNew", "noMemory"] {
            assert!(matches!(of(200, "2", sub), Answer::RetryLater(_)), "{sub}");
        }
        assert!(matches!(of(200, "4", "noMemory"), Answer::Refused(_)));
    }

    #[test]
    fn a_refusal_is_one_under_any_http_status_and_statuscode() {
        for http in [200, 401, 403, 500] {
            for code in ["4", "6", "1"] {
                assert!(matches!(of(http, code, "badDevType"), Answer::Refused(_)), "{http} {code}");
            }
        }
        assert!(matches!(of(200, "6", "riskPassword"), Answer::Refused(_)));
        assert!(matches!(of(200, "4", "somethingNew"), Answer::Refused(_)));
        assert!(matches!(of(200, "99", ""), Answer::Refused(_)));
    }

    #[test]
    fn a_403_is_no_login_failure_unless_it_says_so() {
        assert!(matches!(of(403, "4", "notSupport"), Answer::NotOffered(_)));
        assert!(matches!(of(403, "4", "lowPrivilege"), Answer::NoPermission(_)));
        assert_eq!(of(403, "4", "loginPasswordError"), Answer::Authentication(UserCheck::default()));
        assert!(
            matches!(of(403, "4", "MaxPassword attempts"), Answer::Authentication(check) if check.is_locked())
        );
    }

    #[test]
    fn only_a_refusal_in_words_that_precedes_writing_proves_anything() {
        for (http, code, sub) in [
            (403, "4", "badDevType"),
            (200, "6", "badLanguage"),
            (403, "4", "lowPrivilege"),
            (200, "4", "notSupport"),
        ] {
            assert!(of(http, code, sub).proves_untouched(), "{http} {code} {sub}");
        }
        for (http, code, sub) in [
            (200, "3", "badFlash"),
            (200, "3", "upgradeErrorAndReboot"),
            (500, "3", "somethingNew"),
            (200, "99", "somethingNew"),
            (200, "2", "badDevType"),
            (200, "2", "upgrading"),
            (401, "4", "badDevType"),
            (401, "4", "notSupport"),
            (403, "4", "loginPasswordError"),
            (200, "1", "ok"),
        ] {
            assert!(!of(http, code, sub).proves_untouched(), "{http} {code} {sub}");
        }
        for http in [200, 401, 403, 404, 500, 503] {
            assert!(!Answer::of(http, b"<html>nothing here</html>").proves_untouched(), "{http}");
        }
    }

    #[test]
    fn a_401_without_device_error_is_a_login_failure() {
        let body = b"<userCheck><statusValue>401</statusValue><retryLoginTime>4</retryLoginTime></userCheck>";
        assert!(
            matches!(Answer::of(401, body), Answer::Authentication(check) if check.attempts_left == Some(4))
        );
        assert_eq!(Answer::of(401, b""), Answer::Authentication(UserCheck::default()));
    }

    #[test]
    fn what_cannot_be_read_is_unclear_and_never_success() {
        for (http, body) in [
            (200, &b"<html/>"[..]),
            (200, b"<ResponseStatus/>"),
            (403, b""),
            (404, b"<html>nothing here</html>"),
            (500, b"oops"),
        ] {
            assert!(matches!(Answer::of(http, body), Answer::Unclear { .. }), "{http}");
        }
    }

    #[test]
    fn keeps_its_form_in_a_journal() {
        for answer in [
            of(200, "7", "rebootRequired"),
            of(403, "4", "badDevType"),
            of(403, "4", "notSupport"),
            of(200, "2", "formatting"),
            Answer::of(500, b"x"),
        ] {
            let json = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), answer, "{json}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(http: u16, body in "(<ResponseStatus><statusCode>)?.{0,40}(</statusCode></ResponseStatus>)?") {
            let _ = Answer::of(http, body.as_bytes());
        }
    }
}

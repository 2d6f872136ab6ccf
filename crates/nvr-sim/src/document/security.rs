use super::{DECLARATION, document, node, node_of};
use crate::gate::Denial;
use crate::posture::Access;
use crate::profile::{HIKVISION, ISAPI};
use crate::recorder::Recorder;

/// `GET /ISAPI/Security/onlineUser`; digest requests open no session and are never listed
/// (reference: ISAPI §9.4, §15).
pub(super) fn online_users(recorder: &Recorder) -> String {
    let state = recorder.state();
    let since = recorder.local_time().strftime("%Y-%m-%d %H:%M:%S").to_string();
    let fault = state.faults.logged_in.map(|name| crate::OnlineUser { name, ..crate::OnlineUser::default() });
    let users = state.content.online_users.into_iter().chain(fault).zip(1..);
    let users = users.map(|(user, id)| {
        let nodes = [
            node("id", id),
            node("name", &user.name),
            node("type", &user.level),
            node("loginTime", &since),
            format!("<clientAddress>{}</clientAddress>", node("ipAddress", &user.address)),
        ];
        format!("<OnlineUser>{}</OnlineUser>\n", nodes.concat())
    });
    document("OnlineUserList", "2.0", ISAPI, &users.collect::<String>())
}

/// `GET /ISAPI/Security/users` (reference: ISAPI §15).
pub(super) fn users(recorder: &Recorder) -> String {
    let users = recorder.state().content.users.into_iter().zip(1..).map(|(user, id)| {
        let nodes = [node("id", id), node("userName", &user.name), node("userLevel", &user.level)];
        format!("<User>{}</User>\n", nodes.concat())
    });
    document("UserList", "1.0", HIKVISION, &users.collect::<String>())
}

/// `GET /ISAPI/Security/userCheck`, admitted (reference: ISAPI §9.3).
pub(super) fn user_check(recorder: &Recorder) -> String {
    let content = recorder.state().content;
    let flags = [
        node("isDefaultPassword", content.default_password),
        node("isRiskPassword", content.risk_password),
        node("isActivated", true),
    ];
    format!(
        "{DECLARATION}\n<userCheck version=\"2.0\" xmlns=\"{ISAPI}\"><statusValue>200</statusValue><statusString>OK</statusString>\n{}</userCheck>\n",
        flags.concat()
    )
}

/// The body of a 401: bare for a request without credentials, as captured from a recorder, with the
/// state of the lock for a wrong password (reference: ISAPI §9.1, §9.3).
pub(crate) fn denied(denial: Denial) -> String {
    let (lock, unlock, tries) = match denial {
        Denial::Wrong { tries_left } => ("unlock", 0, tries_left),
        Denial::Locked { seconds } => ("lock", seconds, 0),
        Denial::Unauthenticated | Denial::Malformed | Denial::Stale | Denial::Spent => {
            return "<userCheck><statusValue>401</statusValue><statusString>Unauthorized</statusString></userCheck>\n".into();
        }
    };
    let state = [node("lockStatus", lock), node("unlockTime", unlock), node("retryLoginTime", tries)];
    format!(
        "{DECLARATION}\n<userCheck version=\"2.0\" xmlns=\"{ISAPI}\"><statusValue>401</statusValue><statusString>Unauthorized</statusString>\n<isActivated>true</isActivated>{}</userCheck>\n",
        state.concat()
    )
}

/// `GET /ISAPI/Security/adminAccesses` (reference: ISAPI §15).
pub(super) fn admin_accesses(recorder: &Recorder) -> String {
    let accesses = recorder.state().content.posture.accesses;
    document("AdminAccessProtocolList", "1.0", HIKVISION, &accesses.iter().map(access).collect::<String>())
}

fn access(access: &Access) -> String {
    let nodes = [
        node("id", access.id),
        node_of("enabled", access.enabled),
        node("protocol", &access.protocol),
        node("portNo", access.port),
        node_of("redirectToHttps", access.redirect_to_https),
        node_of("TLS1_1Enable", access.tls1_1),
        node_of("TLS1_2Enable", access.tls1_2),
    ];
    format!("<AdminAccessProtocol>{}</AdminAccessProtocol>\n", nodes.concat())
}

/// `GET /ISAPI/Security/illegalLoginLock`; the time is in seconds, and in minutes on a camera (reference:
/// ISAPI §9.3).
pub(super) fn login_lock(recorder: &Recorder) -> String {
    let (state, traits) = (recorder.state(), recorder.profile.traits());
    let nodes = [
        node("enabled", state.content.posture.login_lock),
        node("maxIllegalLoginTimes", state.login.tries.unwrap_or(traits.tries)),
        node("maxIllegalLoginLockTime", state.login.lock.as_secs().div_ceil(traits.lock_unit_seconds)),
    ];
    document("IllegalLoginLock", "2.0", ISAPI, &(nodes.concat() + "\n"))
}

/// `GET /ISAPI/Security/capabilities`: what is said of keys and hashes (reference: ISAPI §9.1, §11).
pub(super) fn capabilities(recorder: &Recorder) -> String {
    let kinds = if recorder.state().login.basic { "digest,digest/basic" } else { "digest" };
    let inner = format!(
        "<cfgFileSecretKeyLenLimit min=\"1\" max=\"16\"/>\n<WebCertificateCap><CertificateType opt=\"{kinds}\"/><SecurityAlgorithm><algorithmType opt=\"MD5,SHA256,MD5/SHA256\"/></SecurityAlgorithm></WebCertificateCap>\n"
    );
    document("SecurityCap", "1.0", HIKVISION, &inner)
}

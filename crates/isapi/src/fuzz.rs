//! Entry points for fuzzing: everything that reads foreign bytes, and nothing that a program needs.
//!
//! Hidden, and not a cargo feature: so every build compiles and every lint run reads it, and the seeds in
//! `tests/fuzz/corpus` are replayed by plain `cargo test`. It opens nothing, since nothing comes out of it.

use crate::answer::Answer;
use crate::cameras::{Camera, CameraStatus};
use crate::client::Credentials;
use crate::digest::Challenge;
use crate::document::Document;
use crate::interfaces::NetworkInterface;
use crate::login::{OnlineUser, UserCheck};
use crate::posture::{
    AdminAccess, Ddns, DiscoveryMode, Ehome, Ezviz, IllegalLoginLock, Integration, IpFilter,
    NetworkCapabilities, SecurityCapabilities, Snmp, Ssh, SystemCapabilities, Telnet, Upnp, Uptime, User,
    WebCertificate,
};
use crate::storage::Disk;
use crate::time::{LocalTime, TimeSettings, TimeZone};
use crate::tls::CertificateFacts;
use crate::upgrade::UpgradeStatus;

/// The body of a reply, read as whatever was asked for.
pub fn reply(body: &[u8]) {
    for http in [200, 401, 403] {
        let _ = Answer::of(http, body);
    }
    read::<firmware::Device>(body);
    read::<UserCheck>(body);
    read::<Vec<OnlineUser>>(body);
    read::<Vec<Disk>>(body);
    read::<UpgradeStatus>(body);
    read::<TimeSettings>(body);
    read::<LocalTime>(body);
    read::<TimeZone>(body);
    read::<Vec<Camera>>(body);
    read::<Vec<CameraStatus>>(body);
    read::<Vec<NetworkInterface>>(body);
    read::<Vec<AdminAccess>>(body);
    read::<Vec<User>>(body);
    read::<Vec<Ddns>>(body);
    read::<SystemCapabilities>(body);
    read::<SecurityCapabilities>(body);
    read::<NetworkCapabilities>(body);
    read::<Ezviz>(body);
    read::<Ehome>(body);
    read::<DiscoveryMode>(body);
    read::<Upnp>(body);
    read::<IpFilter>(body);
    read::<IllegalLoginLock>(body);
    read::<Snmp>(body);
    read::<Integration>(body);
    read::<Ssh>(body);
    read::<Telnet>(body);
    read::<Uptime>(body);
    read::<WebCertificate>(body);
}

fn read<D: Document>(body: &[u8]) {
    let _ = D::parse(body);
}

/// The `WWW-Authenticate` headers of a reply, one a line, and the answer to them.
pub fn challenge(headers: &[u8]) {
    let text = String::from_utf8_lossy(headers);
    if let Ok(challenge) = Challenge::choose(text.lines()) {
        let login = Credentials::new("admin", "secret".into());
        let answer = challenge.answer(&login, "GET", "/ISAPI/System/deviceInfo", "0a4f113b");
        let _ = http::HeaderValue::from_bytes(answer.as_bytes());
    }
}

/// A certificate in DER.
pub fn certificate(der: &[u8]) {
    let _ = CertificateFacts::of(der);
}

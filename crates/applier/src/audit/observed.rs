//! Every fact that a check may need. Nothing here is decided on yet.

use firmware::advisory::AdvisoryTable;
use firmware::{Device, Release, Text};
use isapi::{
    AdminAccess, CertificateFacts, Ddns, Ehome, Ezviz, IllegalLoginLock, Integration, IpFilter, Measured,
    NetworkCapabilities, NetworkInterface, NotificationHosts, OnlineUser, SecurityCapabilities, Snmp, Ssh,
    SystemCapabilities, Telnet, TimeServers, TimeSettings, Upnp, User, UserCheck, WebCertificate,
};
use jiff::Timestamp;

use super::password::PasswordFacts;
use crate::backup::Manifest;

/// What is known about a recorder when it is audited.
#[derive(Debug)]
pub struct Observed<'a> {
    /// What it says it is.
    pub device: &'a Device,
    /// How it says it is set up.
    pub readings: Readings,
    /// How it speaks TLS.
    pub tls: Tls,
    /// What is kept of the password that was typed.
    pub password: PasswordFacts,
    /// The newest copy of its configuration that this laptop keeps and can open.
    pub backup: Option<Manifest>,
    /// Every release that is approved; none where no publication is at hand.
    pub releases: Option<Vec<&'a Release>>,
    /// The table of the publication; none where no publication is at hand, or none is signed in it.
    pub advisories: Option<&'a AdvisoryTable>,
    /// This laptop's time.
    pub now: Timestamp,
    /// Whether that can be: a verified publication was signed later than it.
    pub clock_trusted: bool,
}

/// One document of a recorder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reading<T> {
    /// As it was read.
    Read(T),
    /// The recorder has none.
    NotOffered,
    /// Not read, for this reason.
    Unread(Text),
    /// Not asked for.
    #[default]
    NotAsked,
}

/// How it speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// It is talked to in plain text, so nothing of this was measured.
    PlainText,
    /// It is talked to over TLS.
    Spoken {
        /// What its certificate says about itself, where that can be read.
        certificate: Option<Box<CertificateFacts>>,
        /// What becomes of TLS 1.0, and of TLS 1.1.
        old: [Measured; 2],
    },
}

/// The clock of a recorder, and this laptop's when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockReading {
    /// What it says.
    pub settings: TimeSettings,
    /// When it said so, by this laptop's clock.
    pub at: Timestamp,
}

/// Every document that the checks look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its document")]
pub struct Readings {
    pub account: Reading<UserCheck>,
    pub online_users: Reading<Vec<OnlineUser>>,
    pub users: Reading<Vec<User>>,
    pub login_lock: Reading<IllegalLoginLock>,
    pub security: Reading<SecurityCapabilities>,
    pub accesses: Reading<Vec<AdminAccess>>,
    pub web_login: Reading<WebCertificate>,
    pub upnp: Reading<Upnp>,
    pub ddns: Reading<Vec<Ddns>>,
    pub ssh: Reading<Ssh>,
    pub telnet: Reading<Telnet>,
    pub snmp: Reading<Snmp>,
    pub integration: Reading<Integration>,
    pub cloud: Reading<Ezviz>,
    pub platform: Reading<Ehome>,
    pub ip_filter: Reading<IpFilter>,
    pub network: Reading<NetworkCapabilities>,
    pub interfaces: Reading<Vec<NetworkInterface>>,
    pub clock: Reading<ClockReading>,
    pub time_servers: Reading<TimeServers>,
    pub notified: Reading<NotificationHosts>,
    pub system: Reading<SystemCapabilities>,
}

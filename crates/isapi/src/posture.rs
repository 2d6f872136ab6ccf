//! How a recorder is set up: what the audit reads (reference: ISAPI §15), one file per subject.
//!
//! Which of these a recorder has differs by firmware, so each is read by itself. A node that is left
//! out is `None`, never a default: whether its absence is good or bad is the audit's to say.

mod admin_access;
mod capabilities;
mod cloud;
mod ddns;
mod discovery;
mod integration;
mod ip_filter;
mod login_lock;
mod named_hosts;
mod remote_shell;
mod snmp;
mod uptime;
mod users;
mod web_certificate;

pub use admin_access::AdminAccess;
pub use capabilities::{Limits, NetworkCapabilities, SecurityCapabilities, SystemCapabilities};
pub use cloud::{Ehome, Ezviz};
pub use ddns::Ddns;
pub use discovery::{DiscoveryMode, Upnp};
pub use integration::Integration;
pub use ip_filter::{FilteredAddress, IpFilter};
pub use login_lock::IllegalLoginLock;
pub use named_hosts::{NamedHost, NotificationHosts, TimeServers};
pub use remote_shell::{Ssh, Telnet};
pub use snmp::{Snmp, TrapReceiver};
pub use uptime::Uptime;
pub use users::User;
pub use web_certificate::WebCertificate;

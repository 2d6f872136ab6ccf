//! Over what a recorder is talked to: interface, and TLS or not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firmware::Sha256Digest;

use crate::address::{Address, is_interface_name};
use crate::error::Error;
use crate::tls;

/// On one cable an answer to SYN takes a millisecond; a recorder that starts up or filters this laptop
/// drops it silently (reference: ISAPI §15.2), and the vendor's page tries again every 5 s (§6).
pub(crate) const CONNECT: Duration = Duration::from_secs(5);
/// For a handshake of TLS. Recorders have slow processors, and one that makes its keys on its first day was
/// not measured; what takes longer than this is said to be silent.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(15);

/// That there was no answer to SYN, in words.
pub(crate) fn unanswered() -> String {
    format!("no answer within {} s", CONNECT.as_secs())
}

/// Over what to talk to a recorder. By default: in plain text, over whichever interface the routes say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transport {
    /// The interface that sockets are bound to (`SO_BINDTODEVICE`): the cable, and nothing else that
    /// this machine is connected to. An address with a zone names its interface itself.
    pub interface: Option<String>,
    /// With TLS or without.
    pub channel: Channel,
}

/// With TLS or without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Channel {
    /// HTTP. Port 80, if the address names none.
    #[default]
    PlainText,
    /// HTTPS with exactly this certificate. Port 443, if the address names none.
    Tls {
        /// SHA-256 of the certificate in DER, as [`crate::probe`] gives it.
        certificate: Sha256Digest,
    },
}

impl Transport {
    /// The interface to bind to: the one set here, or the zone of the address, which must not differ.
    pub(crate) fn interface(&self, address: &Address) -> Result<Option<String>, Error> {
        let refused = |source: String| Error::Setup { address: address.clone(), source: source.into() };
        match (&self.interface, address.zone()) {
            (Some(name), _) if !is_interface_name(name) => Err(refused(format!("{name:?} is no interface"))),
            (Some(name), Some(zone)) if name != zone => {
                Err(refused(format!("address belongs to {zone}, but sockets were to be bound to {name}")))
            }
            (Some(name), _) => Ok(Some(name.clone())),
            (None, zone) => Ok(zone.map(str::to_owned)),
        }
    }

    /// Where connections go.
    pub(crate) fn socket(&self, address: &Address) -> SocketAddr {
        address.socket(match self.channel {
            Channel::PlainText => 80,
            Channel::Tls { .. } => 443,
        })
    }

    /// Scheme and authority.
    pub(crate) fn origin(&self, address: &Address) -> String {
        let scheme = match self.channel {
            Channel::PlainText => "http",
            Channel::Tls { .. } => "https",
        };
        format!("{scheme}://{}", self.socket(address))
    }

    /// For the connection, the handshake of TLS included, which may take as long as it did when it was
    /// tried.
    fn connect_within(&self) -> Duration {
        match self.channel {
            Channel::PlainText => CONNECT,
            Channel::Tls { .. } => HANDSHAKE,
        }
    }

    pub(crate) fn client(&self, address: &Address) -> Result<reqwest::Client, Error> {
        let setup = |source| Error::Setup { address: address.clone(), source };
        // reqwest panics without a TLS backend, so it gets one in any case; in plain text it is a pin
        // that no certificate fulfils
        let certificate = match self.channel {
            Channel::PlainText => Sha256Digest::of(b""),
            Channel::Tls { certificate } => certificate,
        };
        let verifier = tls::Verifier::pinned(certificate);
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(Arc::new(verifier)).map_err(|e| setup(e.into()))?)
            .https_only(matches!(self.channel, Channel::Tls { .. }))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(self.connect_within())
            // reqwest's defaults (15 s, 30 s) end a connection whose other side takes nothing: a
            // recorder that erases flash during an upload is just that, and must not be cut off
            .tcp_keepalive(None)
            .tcp_user_timeout(None);
        if let Some(interface) = self.interface(address)? {
            http = http.interface(&interface);
        }
        http.build().map_err(|e| setup(e.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_is_one() {
        let zoned: Address = "[fe80::1%eth0]".parse().unwrap();
        let plain: Address = "192.168.1.64".parse().unwrap();
        let on =
            |name: Option<&str>| Transport { interface: name.map(str::to_owned), ..Transport::default() };
        for (address, name, expected) in [
            (&zoned, None, Some("eth0")),
            (&zoned, Some("eth0"), Some("eth0")),
            (&plain, Some("enp0s31f6"), Some("enp0s31f6")),
            (&plain, None, None),
        ] {
            assert_eq!(on(name).interface(address).unwrap().as_deref(), expected);
        }
        for (address, name) in [(&zoned, "eth1"), (&plain, ""), (&plain, "eth0 up"), (&plain, "../x")] {
            assert!(matches!(on(Some(name)).interface(address), Err(Error::Setup { .. })), "{name}");
        }
    }

    #[test]
    fn ports_follow_the_channel_unless_one_is_given() {
        let tls = Transport {
            channel: Channel::Tls { certificate: Sha256Digest::of(b"x") },
            ..Transport::default()
        };
        let origin = |transport: &Transport, address: &str| transport.origin(&address.parse().unwrap());
        assert_eq!(origin(&Transport::default(), "192.168.1.64"), "http://192.168.1.64:80");
        assert_eq!(origin(&tls, "192.168.1.64"), "https://192.168.1.64:443");
        assert_eq!(origin(&tls, "[fe80::1%eth0]:8443"), "https://[fe80::1]:8443");
    }
}

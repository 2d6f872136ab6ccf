//! Whether this laptop may talk to this address.
//!
//! A recorder that must never be online must not be reached by a laptop that is. Looking at interfaces,
//! routes and carriers comes with the cable; until then, and until TLS keeps others on the link out,
//! the loopback address is the only one that is certain, and there is no override.

use firmware::Text;
use isapi::Address;
use receipt::Link;

/// A link that was checked. There is no other way to get one than [`link_guard`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedLink(Link);

/// This laptop is not known to be isolated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("recorder {address}: refused, this version can prove isolation for loopback addresses only")]
pub struct NotIsolated {
    /// The address that was asked for.
    pub address: Address,
}

/// The link to this address, if it is one that no other device shares.
pub fn link_guard(address: &Address) -> Result<CheckedLink, NotIsolated> {
    if address.ip().is_loopback() {
        let (kind, address) = (Text::cleaned("loopback"), Text::cleaned(&address.to_string()));
        return Ok(CheckedLink(Link { kind, address }));
    }
    Err(NotIsolated { address: address.clone() })
}

impl CheckedLink {
    /// As it stands in statements.
    pub fn facts(&self) -> &Link {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_passes_and_is_called_so() {
        for text in ["127.0.0.1:8080", "127.9.9.9", "[::1]:80", "[::ffff:127.0.0.1]"] {
            assert_eq!(
                link_guard(&text.parse().unwrap()).unwrap().facts().kind.as_str(),
                "loopback",
                "{text}"
            );
        }
        for text in ["192.168.1.64", "10.0.0.1:80", "8.8.8.8", "[fe80::1%eth0]", "[2001:db8::1]", "128.0.0.1"]
        {
            assert!(link_guard(&text.parse().unwrap()).is_err(), "{text}");
        }
    }
}

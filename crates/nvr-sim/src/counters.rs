use std::collections::BTreeMap;

use serde::Serialize;

/// What the recorder has seen since it was started; a reboot does not reset it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Requests without credentials, answered with a challenge.
    pub unauthenticated: u64,
    /// Requests whose credentials were right.
    pub logins: u64,
    /// Requests whose password was looked at and wrong.
    pub wrong_logins: u64,
    /// Requests with credentials that were denied before the password was looked at: malformed,
    /// stale or spent nonce, locked.
    pub other_denials: u64,
    /// Admitted `PUT updateFirmware` requests that carried a body.
    pub pushes: u64,
    /// Bodies of those that arrived whole.
    pub bodies: u64,
    /// Bytes of those bodies, whole or not.
    pub bytes: u64,
    /// Reboots.
    pub reboots: u64,
    /// Admitted `PUT reboot` requests.
    pub reboot_requests: u64,
    /// TLS handshakes that came to their end.
    pub handshakes: u64,
    /// Requests that sent a password in the clear: Basic, whether it was on offer or not.
    pub basic: u64,
    /// Exports of the configuration.
    pub backups: u64,
    /// Configurations that were put back whole.
    pub restores: u64,
    /// SADP inquiries heard.
    pub sadp_inquiries: u64,
    /// SADP inquiries answered.
    pub sadp_answers: u64,
    /// SADP messages that are no inquiry. The others change devices, and nobody should send them.
    pub sadp_others: u64,
    /// Requests by method and path, denied ones included.
    pub requests: BTreeMap<String, u64>,
}

/// Paths counted one by one; a scanner's go under [`OTHER`].
const MOST_PATHS: usize = 200;
const OTHER: &str = "other";

impl Counters {
    /// Counts a request.
    pub(crate) fn request(&mut self, method: &str, path: &str) {
        let name = format!("{method} {path}");
        let known = self.requests.len() < MOST_PATHS || self.requests.contains_key(&name);
        *self.requests.entry(if known { name } else { OTHER.into() }).or_default() += 1;
    }

    /// How often something was asked for, such as `GET /ISAPI/System/deviceInfo`.
    pub fn requests_of(&self, request: &str) -> u64 {
        self.requests.get(request).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_paths_is_counted_as_one() {
        let mut counters = Counters::default();
        for n in 0..1000 {
            counters.request("GET", &format!("/{n}"));
        }
        counters.request("GET", "/7");
        assert_eq!((counters.requests_of("GET /7"), counters.requests_of(OTHER)), (2, 800));
    }
}

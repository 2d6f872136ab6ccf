//! Who is let in: challenge, nonce, password, lock, in that order.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use firmware::Serial;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::Login;
use crate::digest::{Authorization, Challenge};
use crate::lock::Lock;
use crate::nonce::{Nonces, Terms, Unusable};

/// The account, the lock, and what this boot has handed out.
pub(crate) struct Gate {
    pub(crate) login: Login,
    /// Wrong passwords before it locks, where `login` does not say.
    pub(crate) tries: u32,
    pub(crate) realm: String,
    pub(crate) nonces: Nonces,
    pub(crate) lock: Lock,
}

/// Why a request is answered with 401 (reference: ISAPI §9.2, §9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// It carries no credentials; never counts.
    Unauthenticated,
    /// Its credentials are not a digest answer for this request and this algorithm; never counts.
    Malformed,
    /// Its nonce is unknown or expired; the password was not looked at.
    Stale,
    /// Its nonce was used too often; the answer carries no challenge.
    Spent,
    /// Wrong user or password.
    Wrong {
        /// Tries left before the lock.
        tries_left: u32,
    },
    /// Locked; the password was not looked at.
    Locked {
        /// Until it opens.
        seconds: u64,
    },
}

/// A realm of the form that recorders use, `DS-6E392E44`, made from the serial.
pub(crate) fn realm(serial: &Serial) -> String {
    let hash = Sha256::digest(serial.normalised());
    format!("DS-{}", hex::encode_upper(&hash[..4]))
}

impl Gate {
    /// Judges one request. `target` is the request target with its query, as on the request line.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        method: &str,
        target: &str,
        authorization: Option<&str>,
    ) -> Result<(), Denial> {
        let header = authorization.ok_or(Denial::Unauthenticated)?;
        if let Some(remaining) = self.lock.remaining(now) {
            return Err(Denial::Locked { seconds: remaining.as_secs() });
        }
        let login = &self.login;
        let right = match header.split_once(' ') {
            Some((scheme, secret)) if login.basic && scheme.eq_ignore_ascii_case("Basic") => {
                STANDARD.encode(format!("{}:{}", login.user, login.password)) == secret.trim()
            }
            _ => {
                let (answer, algorithm) = Authorization::parse(header)
                    .filter(|answer| login.digest && answer.uri == target)
                    .and_then(|answer| {
                        let algorithm = login.algorithms.iter().find(|offered| answer.is_for(**offered))?;
                        Some((answer, *algorithm))
                    })
                    .ok_or(Denial::Malformed)?;
                let terms = Terms { uses: login.max_nonce_uses, url_bound: login.url_bound_nonces };
                let spent = self.nonces.spend(&answer.nonce, answer.nonce_count(), target, &terms);
                spent.map_err(|unusable| match unusable {
                    Unusable::Unknown => Denial::Stale,
                    Unusable::Spent => Denial::Spent,
                })?;
                answer.proves(method, &self.realm, &login.user, &login.password, algorithm)
            }
        };
        if !right {
            let tries = login.tries.unwrap_or(self.tries);
            return Err(match self.lock.wrong(now, tries, login.lock) {
                0 => Denial::Locked { seconds: self.lock.remaining(now).unwrap_or_default().as_secs() },
                tries_left => Denial::Wrong { tries_left },
            });
        }
        self.lock.open();
        Ok(())
    }

    /// The `WWW-Authenticate` headers to send with this denial of a request.
    pub(crate) fn challenges(&mut self, denial: Denial, target: &str) -> Vec<String> {
        if denial == Denial::Spent {
            return Vec::new();
        }
        let nonce = self.nonces.issue(target);
        let challenge = |algorithm| Challenge {
            realm: &self.realm,
            nonce: &nonce,
            algorithm,
            stale: denial == Denial::Stale,
            qop: self.login.qop,
            short: self.login.short_challenge,
        };
        let offered = if self.login.digest { self.login.algorithms.as_slice() } else { &[] };
        let digests = offered.iter().map(|algorithm| challenge(*algorithm).text());
        let basic = self.login.basic.then(|| r#"Basic realm="/""#.to_owned());
        let challenges: Vec<String> = digests.chain(basic).collect();
        if self.login.one_header { vec![challenges.join(", ")] } else { challenges }
    }

    /// A new boot knows no nonce of the last one. After an upgrade the realm is spelt in lower case,
    /// as seen on a real unit (reference: ISAPI §9.1).
    pub(crate) fn reboot(&mut self, upgraded: bool) {
        self.nonces.forget();
        if upgraded {
            self.realm = self.realm.to_ascii_lowercase();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn gate() -> Gate {
        Gate {
            login: Login {
                password: "right".into(),
                tries: Some(2),
                lock: Duration::from_secs(60),
                ..Login::default()
            },
            tries: 5,
            realm: realm(&"DS-7608NI-I20120200101CCRRE00000001WCVU".parse().unwrap()),
            nonces: Nonces::new(),
            lock: Lock::default(),
        }
    }

    /// An answer in the RFC 2069 form, which the gate must accept as well.
    fn answer(nonce: &str, realm: &str, password: &str) -> String {
        let hash = |text: String| hex::encode(md5::Md5::digest(text));
        let (who, what) = (hash(format!("admin:{realm}:{password}")), hash("GET:/x".into()));
        let response = hash(format!("{who}:{nonce}:{what}"));
        format!(r#"Digest username="admin", nonce="{nonce}", uri="/x", response="{response}""#)
    }

    fn ask(gate: &mut Gate, nonce: &str, password: &str) -> Result<(), Denial> {
        let header = answer(nonce, &gate.realm.clone(), password);
        gate.admit(Instant::now(), "GET", "/x", Some(&header))
    }

    #[test]
    fn only_wrong_passwords_count_and_a_lock_refuses_the_right_one() {
        let mut gate = gate();
        assert_eq!(gate.admit(Instant::now(), "GET", "/x", None), Err(Denial::Unauthenticated));
        assert_eq!(gate.admit(Instant::now(), "GET", "/x", Some("Basic eA==")), Err(Denial::Malformed));
        assert_eq!(ask(&mut gate, "unknown", "wrong"), Err(Denial::Stale));
        let nonce = gate.nonces.issue("/x");
        assert_eq!(ask(&mut gate, &nonce, "wrong"), Err(Denial::Wrong { tries_left: 1 }));
        assert!(matches!(ask(&mut gate, &nonce, "wrong"), Err(Denial::Locked { .. })));
        let nonce = gate.nonces.issue("/x");
        assert!(matches!(ask(&mut gate, &nonce, "right"), Err(Denial::Locked { .. })));
    }

    #[test]
    fn an_answer_for_another_target_is_not_taken() {
        let mut gate = gate();
        let nonce = gate.nonces.issue("/x");
        let header = answer(&nonce, &gate.realm.clone(), "right");
        assert_eq!(gate.admit(Instant::now(), "GET", "/x?y", Some(&header)), Err(Denial::Malformed));
        assert_eq!(gate.admit(Instant::now(), "GET", "/x", Some(&header)), Ok(()));
        assert_eq!(gate.admit(Instant::now(), "GET", "/x", Some(&header)), Ok(()));
        assert_eq!(gate.admit(Instant::now(), "GET", "/x", Some(&header)), Err(Denial::Spent));
        assert!(gate.challenges(Denial::Spent, "/x").is_empty());
    }

    #[test]
    fn a_realm_kept_across_an_upgrade_is_wrong() {
        let mut gate = gate();
        let (old_realm, old_nonce) = (gate.realm.clone(), gate.nonces.issue("/x"));
        gate.reboot(true);
        assert_eq!(ask(&mut gate, &old_nonce, "right"), Err(Denial::Stale));
        let nonce = gate.nonces.issue("/x");
        let kept = answer(&nonce, &old_realm, "right");
        assert_eq!(
            gate.admit(Instant::now(), "GET", "/x", Some(&kept)),
            Err(Denial::Wrong { tries_left: 1 })
        );
        assert_eq!(ask(&mut gate, &nonce, "right"), Ok(()));
    }
}

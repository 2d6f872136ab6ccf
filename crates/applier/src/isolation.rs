//! Whether this laptop may talk to this address (`docs/safety.md`, rule 1).
//!
//! A recorder that must never be online must not be reached by a laptop that is. What is so is found out
//! by [`link`], every reason at once; here stands what follows from it: a push is refused unless a person
//! lifts that with a reason, reading is warned about, and both stand in the statement. The loopback address
//! is no link at all and is called so.

use ::link::{Host, Isolation, Link as Way, MOST_HEARD, Snapshot, Target, judge};
use firmware::{Sha256Digest, Text};
use isapi::Address;
use receipt::Link;

/// A link that was checked. There is no other way to get one than [`permit`] and [`tolerate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedLink {
    address: Address,
    isolation: Isolation,
    facts: Link,
}

/// This laptop is not alone with the recorder.
#[derive(Debug, thiserror::Error)]
#[error("recorder {address}: refused, this laptop is not alone with it: {}", reasons(.isolation))]
pub struct NotIsolated {
    /// The address that was asked for.
    pub address: Address,
    /// Why.
    pub isolation: Isolation,
}

/// Looks at this laptop's network, as far as it matters for an address.
pub fn look(address: &Address) -> Result<Isolation, ::link::Error> {
    let target = target(address);
    // nothing of it matters where nothing leaves this machine
    let snapshot = if target.ip().is_loopback() { Snapshot::default() } else { Snapshot::read()? };
    Ok(judge(&snapshot, &target))
}

/// For a push: an isolated laptop, loopback, or a person's reason.
pub fn permit(
    address: &Address,
    isolation: Isolation,
    lifted: bool,
) -> Result<CheckedLink, Box<NotIsolated>> {
    if isolation.is_permitted() || lifted {
        return Ok(tolerate(address, isolation));
    }
    Err(Box::new(NotIsolated { address: address.clone(), isolation }))
}

/// For reading: whatever was found goes into the record.
pub fn tolerate(address: &Address, isolation: Isolation) -> CheckedLink {
    let text = |words: &dyn ToString| Text::cleaned(&words.to_string());
    let mut facts = Link {
        interface: interface(&isolation).map(|name| text(&name)),
        reasons: isolation.reasons.iter().map(|reason| text(reason)).collect(),
        ..Link::new(text(&isolation.word()), text(address))
    };
    add_heard(&mut facts, &isolation.heard);
    CheckedLink { address: address.clone(), isolation, facts }
}

fn interface(isolation: &Isolation) -> Option<&str> {
    match &isolation.link {
        Way::Direct(way) => Some(&way.interface),
        Way::Loopback | Way::None => None,
    }
}

/// Adds hosts that were heard on the link to what a statement says of it; it stays small.
pub fn add_heard(facts: &mut Link, hosts: &[Host]) {
    for host in hosts {
        let said = Text::cleaned(&format!("{} {}", host.ip, host.mac));
        if facts.heard.len() < MOST_HEARD && !facts.heard.contains(&said) {
            facts.heard.push(said);
        }
    }
}

fn target(address: &Address) -> Target {
    Target::new(address.ip(), address.zone())
}

fn reasons(isolation: &Isolation) -> String {
    isolation.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl NotIsolated {
    /// What helps against each reason.
    pub fn hints(&self) -> String {
        let mut hints: Vec<String> = self.isolation.reasons.iter().map(::link::Reason::hint).collect();
        hints.dedup();
        hints.push(
            "nothing was sent; if it has to be, and you have a reason: --allow-networked-laptop REASON"
                .into(),
        );
        hints.join("\n")
    }
}

impl CheckedLink {
    /// As it stands in statements.
    pub fn facts(&self) -> &Link {
        &self.facts
    }

    /// Whether this laptop is not alone with the recorder.
    pub fn is_networked(&self) -> bool {
        self.facts.kind.as_str() == "networked"
    }

    /// The interface that sockets are bound to.
    pub fn interface(&self) -> Option<&str> {
        interface(&self.isolation)
    }

    /// The same, talked over with TLS and this certificate, or without.
    #[must_use]
    pub fn over(mut self, certificate: Option<Sha256Digest>) -> Self {
        self.facts.certificate = certificate;
        self
    }

    /// The same, with hosts that were heard on it since.
    pub fn add_heard(&mut self, hosts: &[Host]) {
        add_heard(&mut self.facts, hosts);
    }

    /// What is judged, and judged again while a run goes on.
    pub fn target(&self) -> &Target {
        &self.isolation.target
    }

    /// What was found, for comparing with what is found while a run goes on.
    pub fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    /// A person took time to type a password and to agree: this laptop, as it is `now`, may be no longer
    /// alone with the recorder. That nobody has agreed to, whatever reason was given before.
    pub fn still(&self, now: Isolation) -> Result<(), Box<NotIsolated>> {
        if now.is_permitted() || self.is_networked() {
            return Ok(());
        }
        Err(Box::new(NotIsolated { address: self.address.clone(), isolation: now }))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The link to a simulated recorder.
    pub(crate) fn loopback(address: &Address) -> CheckedLink {
        permit(address, look(address).unwrap(), false).unwrap()
    }

    fn looked(text: &str) -> (Address, Isolation) {
        let address: Address = text.parse().unwrap();
        let isolation = look(&address).unwrap();
        (address, isolation)
    }

    #[test]
    fn loopback_passes_and_is_called_so() {
        for text in ["127.0.0.1:8080", "127.9.9.9", "[::1]:80", "[::ffff:127.0.0.1]"] {
            let (address, isolation) = looked(text);
            let link = permit(&address, isolation, false).unwrap();
            assert_eq!((link.facts().kind.as_str(), link.interface()), ("loopback", None), "{text}");
        }
    }

    #[test]
    fn an_address_beyond_this_laptop_is_refused_with_reasons_or_lifted_with_them() {
        // documentation addresses (RFC 5737, RFC 3849): on no link, and not private
        for text in ["192.0.2.1", "[2001:db8::1]"] {
            let (address, isolation) = looked(text);
            let refused = permit(&address, isolation.clone(), false).unwrap_err();
            assert!(refused.to_string().contains("neither private nor link-local"), "{refused}");
            assert!(refused.hints().contains("--allow-networked-laptop"));
            let lifted = permit(&address, isolation, true).unwrap();
            assert_eq!(lifted.facts().kind.as_str(), "networked");
            assert!(!lifted.facts().reasons.is_empty());
            assert!(lifted.still(looked(text).1).is_ok(), "that was lifted");
            let alone = CheckedLink { address: address.clone(), ..loopback(&"127.0.0.1".parse().unwrap()) };
            assert!(alone.still(looked(text).1).unwrap_err().to_string().contains(text));
        }
    }
}

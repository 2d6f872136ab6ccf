use std::fmt;

use serde::Serialize;

use crate::judge::{Isolation, Link, Reason};
use crate::snapshot::Host;

/// What became different on the way from one judgement to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", content = "what", rename_all = "kebab-case")]
pub enum Change {
    /// The laptop is less isolated than before.
    Appeared(Reason),
    /// A reason is gone.
    Gone(Reason),
    /// The cable was pulled out of this interface, or the other end was switched off.
    CarrierLost(String),
    /// Somebody is at the other end again.
    CarrierBack(String),
    /// Another host was heard on the link.
    Heard(Host),
}

/// Every change, what got worse first.
pub(crate) fn difference(before: &Isolation, now: &Isolation) -> Vec<Change> {
    let new = now.reasons.iter().filter(|reason| !before.reasons.contains(reason));
    let old = before.reasons.iter().filter(|reason| !now.reasons.contains(reason));
    let mut changes: Vec<_> = new.cloned().map(Change::Appeared).collect();
    if let (Link::Direct(before), Link::Direct(now)) = (&before.link, &now.link)
        && before.interface == now.interface
    {
        match (before.carrier, now.carrier) {
            (true, false) => changes.push(Change::CarrierLost(now.interface.clone())),
            (false, true) => changes.push(Change::CarrierBack(now.interface.clone())),
            _ => {}
        }
    }
    changes.extend(old.cloned().map(Change::Gone));
    let heard = now.heard.iter().filter(|host| !before.heard.contains(host));
    changes.extend(heard.cloned().map(Change::Heard));
    changes
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Appeared(reason) => write!(f, "{reason} (new)"),
            Self::Gone(reason) => write!(f, "{reason} (no longer)"),
            Self::CarrierLost(interface) => write!(f, "cable: no carrier on {interface}"),
            Self::CarrierBack(interface) => write!(f, "cable: carrier on {interface} is back"),
            Self::Heard(host) => write!(f, "host {} ({}) is on the link", host.ip, host.mac),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::judge;
    use crate::judge::tests::{cabled, interface, route};
    use crate::target::Target;

    #[test]
    fn what_appeared_what_went_and_the_cable() {
        let target = Target::new("192.168.1.64".parse().unwrap(), None);
        let before = judge(&cabled(), &target);
        let mut snapshot = cabled();
        snapshot.interfaces[1].carrier = false;
        snapshot.routes.push(route("0.0.0.0/0", 3, Some("10.0.0.1")));
        snapshot.interfaces.push(interface(3, "eth1", &[]));
        let now = judge(&snapshot, &target);
        let shown = |changes: Vec<Change>| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown(difference(&before, &now)),
            ["IPv4 default route via 10.0.0.1 on eth1 (new)", "cable: no carrier on eth0"]
        );
        assert_eq!(
            shown(difference(&now, &before)),
            ["cable: carrier on eth0 is back", "IPv4 default route via 10.0.0.1 on eth1 (no longer)"]
        );
        assert_eq!(difference(&now, &now), []);
    }
}

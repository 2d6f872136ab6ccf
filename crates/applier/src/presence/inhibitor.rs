//! A lock of logind's that keeps this laptop awake.

use std::os::fd::OwnedFd;
use std::time::Duration;

use firmware::Text;
use zbus::{Connection, Error, fdo};

/// A lock of logind's: while it is held the laptop neither sleeps nor shuts down, by itself or because
/// somebody chose it, and closing its lid does nothing. It is held by a descriptor, so it goes with the
/// process, whatever ends that.
#[derive(Debug)]
pub struct Inhibitor {
    _lock: OwnedFd,
}

/// Nothing keeps this laptop awake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHeld {
    /// No logind runs, or no message bus that leads to one.
    #[error("no logind")]
    NoLogind,
    /// It does not allow it: its policy is that of the machine.
    #[error("logind refuses: {0}")]
    Refused(Text),
    /// It says nothing.
    #[error("logind does not answer")]
    Silent,
}

/// What is held up (systemd-inhibit(1)).
const WHAT: &str = "sleep:shutdown:idle:handle-lid-switch";

/// Enough for a bus that has to start logind first; a person waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

impl Inhibitor {
    /// Asks logind over the system bus, which is where `DBUS_SYSTEM_BUS_ADDRESS` says, or else where it always
    /// is. Whoever looks at `systemd-inhibit` reads why.
    pub async fn take(why: &str) -> Result<Self, NotHeld> {
        match tokio::time::timeout(PATIENCE, ask(why)).await {
            Ok(lock) => lock.map(|lock| Self { _lock: lock }).map_err(|error| not_held(&error)),
            Err(_) => Err(NotHeld::Silent),
        }
    }
}

async fn ask(why: &str) -> Result<OwnedFd, Error> {
    let bus = Connection::system().await?;
    let (name, manager) = ("org.freedesktop.login1", "org.freedesktop.login1.Manager");
    let words = (WHAT, "applier", why, "block");
    let reply =
        bus.call_method(Some(name), "/org/freedesktop/login1", Some(manager), "Inhibit", &words).await?;
    let lock: zbus::OwnedFd = reply.body().deserialize()?;
    Ok(lock.into())
}

fn not_held(error: &Error) -> NotHeld {
    let refused = |why: &dyn ToString| NotHeld::Refused(Text::cleaned(&why.to_string()));
    match error {
        Error::FDO(error) => match &**error {
            fdo::Error::AccessDenied(_)
            | fdo::Error::AuthFailed(_)
            | fdo::Error::InteractiveAuthorizationRequired(_) => refused(error),
            _ => NotHeld::NoLogind,
        },
        Error::MethodError(name, words, _) => {
            refused(words.as_ref().map_or(name as &dyn ToString, |words| words))
        }
        // no socket, nobody behind it, or no bus
        _ => NotHeld::NoLogind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_a_logind_that_is_not_there() {
        let fdo = |error: fdo::Error| not_held(&Error::FDO(Box::new(error)));
        assert_eq!(fdo(fdo::Error::ServiceUnknown("x".into())), NotHeld::NoLogind);
        let refused = fdo(fdo::Error::AccessDenied("not you\u{1b}[2J".into())).to_string();
        assert!(refused.starts_with("logind refuses: ") && refused.contains("not you?[2J"), "{refused}");
        let absent = std::io::Error::from(std::io::ErrorKind::NotFound);
        assert_eq!(not_held(&absent.into()), NotHeld::NoLogind);
    }
}

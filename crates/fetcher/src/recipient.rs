//! Whether this home opens what laptops encrypt to the recipient of a policy.

use firmware::policy::Recipient;
use keys::AgeIdentity;
use serde::Serialize;

/// How a home stands to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is the home's own.
    Own,
    /// It was the home's own before; what is encrypted to it opens.
    Earlier,
    /// Nothing that is encrypted to it opens here.
    Foreign,
}

/// What to do where statements do not open.
pub const WAY_OUT: &str = "\
bring keys/depot-identity.txt back from the backup, below the lines of a newer one; where there is none, name what \
fetcher keys recipient shows in policy.toml, then fetcher approve --policy, load sticks anew, and on each laptop \
applier receipts --copy-to PATH --all";

impl Standing {
    /// That of the home with this identity.
    pub fn of(recipient: &Recipient, identity: Option<&AgeIdentity>) -> Self {
        let is = |own: &dyn ToString| own.to_string() == recipient.as_str();
        match identity {
            Some(identity) if is(&identity.recipient()) => Self::Own,
            Some(identity) if identity.earlier_recipients().any(|earlier| is(&earlier)) => Self::Earlier,
            _ => Self::Foreign,
        }
    }
}

/// The warning about a signed recipient that is foreign.
pub fn lost(recipient: &Recipient) -> String {
    format!(
        "policy: no identity of this home opens what laptops encrypt to its depot_recipient {recipient}\nhint: {WAY_OUT}"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keys::durable;

    use super::*;

    fn made(path: &Path) -> (Recipient, String) {
        let recipient = AgeIdentity::open_or_make(path, "a test").unwrap().recipient().to_string();
        (recipient.parse().unwrap(), std::fs::read_to_string(path).unwrap())
    }

    #[test]
    fn an_earlier_identity_is_not_a_foreign_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let ((new, first), (old, further), (other, _)) =
            (made(&path("new")), made(&path("old")), made(&path("other")));
        durable::write_atomic(&path("both"), (first + &further).as_bytes(), 0o600).unwrap();
        let identity = AgeIdentity::open(&path("both")).unwrap();
        let standing = |recipient| Standing::of(recipient, Some(&identity));
        assert_eq!([&new, &old, &other].map(standing), [Standing::Own, Standing::Earlier, Standing::Foreign]);
        assert_eq!(Standing::of(&new, None), Standing::Foreign);
    }

    #[test]
    fn the_way_out_names_the_file() {
        assert!(WAY_OUT.contains(&format!("keys/{}", crate::home::Home::IDENTITY)));
    }
}

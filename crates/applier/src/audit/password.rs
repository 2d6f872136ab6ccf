//! The password that was typed, judged here and forgotten. Recorders tell none, and guessing would lock the
//! account.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// What is kept of a password: nothing from which it could be guessed leaves this type but words about the
/// rule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PasswordFacts {
    length: usize,
    kinds: usize,
    names_user: bool,
}

/// The vendor's rule (manuals): at least this many characters,
const SHORTEST: usize = 8;
/// of at least so many of the four kinds. Recorders themselves take two.
const KINDS: usize = 3;
/// A shorter name is in many passwords by chance.
const SHORTEST_NAME: usize = 3;

impl PasswordFacts {
    /// Looks at a password and lets go of it.
    pub fn of(password: &SecretString, user: &str) -> Self {
        let text = password.expose_secret();
        let kinds: [fn(char) -> bool; 4] =
            [|c| c.is_uppercase(), |c| c.is_lowercase(), |c| c.is_numeric(), |c| !c.is_alphanumeric()];
        let user = user.to_lowercase();
        Self {
            length: text.chars().count(),
            kinds: kinds.iter().filter(|is| text.chars().any(**is)).count(),
            names_user: user.chars().count() >= SHORTEST_NAME && text.to_lowercase().contains(&user),
        }
    }

    /// Which parts of the rule it breaks, in words that tell nothing else about it.
    pub fn breaks(&self) -> Vec<&'static str> {
        let broken = [
            (self.length < SHORTEST, "it has fewer than 8 characters"),
            (self.kinds < KINDS, "it has fewer than 3 kinds of characters"),
            (self.names_user, "it contains the user name"),
        ];
        broken.into_iter().filter_map(|(is, words)| is.then_some(words)).collect()
    }
}

impl fmt::Debug for PasswordFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordFacts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_rule_is_told_and_nothing_else() {
        let breaks = |password: &str| PasswordFacts::of(&password.into(), "admin").breaks();
        let (short, kinds, user) = (
            "it has fewer than 8 characters",
            "it has fewer than 3 kinds of characters",
            "it contains the user name",
        );
        assert_eq!(breaks("Recorder123"), [""; 0]);
        assert_eq!(breaks("Rec-123"), [short]);
        assert_eq!(breaks("recorder123"), [kinds]);
        assert_eq!(breaks("MyADMIN-2026"), [user]);
        assert_eq!(breaks("admin"), [short, kinds, user]);
        assert_eq!(breaks("Gehäuse-7"), [""; 0]);
        assert_eq!(format!("{:?}", PasswordFacts::of(&"Recorder123".into(), "admin")), "PasswordFacts");
        assert!(PasswordFacts::of(&"Circle-of-9".into(), "Ci").breaks().is_empty(), "chance");
    }
}

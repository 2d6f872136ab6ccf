use std::collections::VecDeque;

/// Nonces remembered at once; the oldest is forgotten first, so a flood of unauthenticated requests
/// costs its sender challenges that go stale, and the recorder nothing.
const REMEMBERED: usize = 256;

/// The nonces that this boot has handed out.
pub(crate) struct Nonces {
    issued: VecDeque<Nonce>,
    serial: u64,
}

struct Nonce {
    text: String,
    target: String,
    uses: u32,
    last_count: u32,
}

/// What nonces are good for (reference: ISAPI §9.2).
pub(crate) struct Terms {
    /// Requests that one is good for.
    pub(crate) uses: u32,
    /// Only for the target that it was given out for.
    pub(crate) url_bound: bool,
}

/// Why a nonce is not good.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Never issued since the last boot, forgotten, for another URL, or its count was seen before.
    Unknown,
    /// Used as often as the recorder allows.
    Spent,
}

impl Nonces {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { issued: VecDeque::new(), serial: 0 }
    }

    /// A new nonce for a request target, in the form of a captured one: hexadecimal, colon, digits.
    pub(crate) fn issue(&mut self, target: &str) -> String {
        self.serial += 1;
        let text = format!("{}:{:012}", hex::encode(rand::random::<[u8; 16]>()), self.serial);
        if self.issued.len() == REMEMBERED {
            self.issued.pop_front();
        }
        self.issued.push_back(Nonce {
            text: text.clone(),
            target: target.to_owned(),
            uses: 0,
            last_count: 0,
        });
        text
    }

    /// Uses a nonce once. `count` is the client's `nc`, which must rise (RFC 7616 §3.4).
    pub(crate) fn spend(
        &mut self,
        text: &str,
        count: Option<u32>,
        target: &str,
        terms: &Terms,
    ) -> Result<(), Unusable> {
        let nonce = self.issued.iter_mut().find(|nonce| nonce.text == text).ok_or(Unusable::Unknown)?;
        if terms.url_bound && nonce.target != target {
            return Err(Unusable::Unknown);
        }
        if nonce.uses >= terms.uses {
            return Err(Unusable::Spent);
        }
        if let Some(count) = count {
            if count <= nonce.last_count {
                return Err(Unusable::Unknown);
            }
            nonce.last_count = count;
        }
        nonce.uses += 1;
        Ok(())
    }

    /// Forgets all of them, as a reboot does.
    pub(crate) fn forget(&mut self) {
        self.issued.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { uses: 2, url_bound: false };

    #[test]
    fn lives_for_as_many_uses_as_allowed() {
        let mut nonces = Nonces::new();
        let nonce = nonces.issue("/x");
        let mut spend = |text: &str, count| nonces.spend(text, Some(count), "/y", &TERMS);
        assert_eq!(spend(&nonce, 1), Ok(()));
        assert_eq!(spend(&nonce, 1), Err(Unusable::Unknown), "a replayed count");
        assert_eq!(spend(&nonce, 2), Ok(()));
        assert_eq!(spend(&nonce, 3), Err(Unusable::Spent));
        assert_eq!(spend("made up", 1), Err(Unusable::Unknown));
    }

    #[test]
    fn may_be_bound_to_its_url() {
        let mut nonces = Nonces::new();
        let nonce = nonces.issue("/x?a");
        let bound = Terms { url_bound: true, ..TERMS };
        assert_eq!(nonces.spend(&nonce, Some(1), "/x", &bound), Err(Unusable::Unknown));
        assert_eq!(nonces.spend(&nonce, Some(1), "/x?a", &bound), Ok(()));
    }

    #[test]
    fn is_forgotten_by_a_reboot_and_by_a_flood() {
        let mut nonces = Nonces::new();
        let first = nonces.issue("/x");
        let second = nonces.issue("/x");
        (1..REMEMBERED).for_each(|_| drop(nonces.issue("/x")));
        assert_eq!(nonces.spend(&first, None, "/x", &TERMS), Err(Unusable::Unknown));
        assert_eq!(nonces.spend(&second, None, "/x", &TERMS), Ok(()));
        nonces.forget();
        assert_eq!(nonces.spend(&second, None, "/x", &TERMS), Err(Unusable::Unknown));
    }
}

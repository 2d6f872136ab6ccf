use std::collections::VecDeque;

/// Nonces remembered at once; the oldest is forgotten first, so a flood of unauthenticated requests
/// costs its sender challenges that go stale, and the recorder nothing.
const REMEMBERED: usize = 256;

/// The nonces that this boot has handed out.
pub(crate) struct Nonces {
    issued: VecDeque<Nonce>,
    serial: u64,
    most_uses: u32,
}

struct Nonce {
    text: String,
    uses: u32,
    last_count: u32,
}

/// Why a nonce is not good.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Never issued since the last boot, forgotten, or its count was seen before.
    Unknown,
    /// Used as often as the recorder allows.
    Spent,
}

impl Nonces {
    /// Each nonce will be good for `most_uses` requests (reference: ISAPI §9.2).
    pub(crate) fn new(most_uses: u32) -> Self {
        Self { issued: VecDeque::new(), serial: 0, most_uses }
    }

    /// A new nonce, in the form of a captured one: hexadecimal, colon, digits.
    pub(crate) fn issue(&mut self) -> String {
        self.serial += 1;
        let text = format!("{}:{:012}", hex::encode(rand::random::<[u8; 16]>()), self.serial);
        if self.issued.len() == REMEMBERED {
            self.issued.pop_front();
        }
        self.issued.push_back(Nonce { text: text.clone(), uses: 0, last_count: 0 });
        text
    }

    /// Uses a nonce once. `count` is the client's `nc`, which must rise (RFC 7616 §3.4).
    pub(crate) fn spend(&mut self, text: &str, count: Option<u32>) -> Result<(), Unusable> {
        let nonce = self.issued.iter_mut().find(|nonce| nonce.text == text).ok_or(Unusable::Unknown)?;
        if nonce.uses >= self.most_uses {
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

    #[test]
    fn lives_for_as_many_uses_as_allowed() {
        let mut nonces = Nonces::new(2);
        let nonce = nonces.issue();
        assert_eq!(nonces.spend(&nonce, Some(1)), Ok(()));
        assert_eq!(nonces.spend(&nonce, Some(1)), Err(Unusable::Unknown), "a replayed count");
        assert_eq!(nonces.spend(&nonce, Some(2)), Ok(()));
        assert_eq!(nonces.spend(&nonce, Some(3)), Err(Unusable::Spent));
        assert_eq!(nonces.spend("made up", Some(1)), Err(Unusable::Unknown));
    }

    #[test]
    fn is_forgotten_by_a_reboot_and_by_a_flood() {
        let mut nonces = Nonces::new(9);
        let first = nonces.issue();
        let second = nonces.issue();
        (1..REMEMBERED).for_each(|_| drop(nonces.issue()));
        assert_eq!(nonces.spend(&first, None), Err(Unusable::Unknown));
        assert_eq!(nonces.spend(&second, None), Ok(()));
        nonces.forget();
        assert_eq!(nonces.spend(&second, None), Err(Unusable::Unknown));
    }
}

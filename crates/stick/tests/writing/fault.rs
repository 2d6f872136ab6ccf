//! What can go wrong with the n-th change to a medium since it was plugged in.
//!
//! To say "the k-th since the last sync" for every k and every sync is to say "the n-th" for every n.

use crate::disk::{Change, Image, Pulled};

/// One kind of fault.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    /// Pulled out right after the n-th change. What the stick may hold then, of what it did not have for certain.
    Pull(fn(&[Change]) -> Vec<Vec<Change>>),
    /// It goes on, and is pulled out at the end.
    Flaw(fn(usize) -> Flaw),
}

/// What a medium does to its n-th change, or from its n-th sync on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Says that it failed, and takes the next.
    Fails(usize),
    /// Says that it took it, and did not.
    Forgets(usize),
    /// Says that it took it, and took the first half.
    Halves(usize),
    /// Takes it before the one that came before it.
    Swaps(usize),
    /// Says that everything is on it, and nothing is.
    LiesFromSync(usize),
}

pub(crate) const ALL: [Fault; 10] = [
    Fault {
        name: "pulled, all there",
        words: "pulled out after the n-th change, which had arrived",
        kind: Kind::Pull(|waiting| vec![waiting.to_vec()]),
    },
    Fault {
        name: "pulled, none there",
        words: "pulled out after the n-th change; nothing since the last sync had arrived",
        kind: Kind::Pull(|_| vec![Vec::new()]),
    },
    Fault {
        name: "pulled, torn",
        words: "pulled out in the middle of the n-th change: half of its bytes had arrived, and all before it",
        kind: Kind::Pull(|waiting| {
            let Some((last, before)) = waiting.split_last() else { return vec![Vec::new()] };
            vec![before.iter().cloned().chain(last.torn()).collect()]
        }),
    },
    Fault {
        name: "pulled, late ones first",
        words: "pulled out after the n-th change; of those since the last sync only the last i had arrived, for every i",
        kind: Kind::Pull(|waiting| (1..waiting.len()).map(|i| waiting[i..].to_vec()).collect()),
    },
    Fault {
        name: "pulled, one missing",
        words: "pulled out after the n-th change; of those since the last sync one had not arrived, for each of them",
        kind: Kind::Pull(|waiting| {
            let without = |i| waiting.iter().enumerate().filter(move |(at, _)| *at != i);
            (0..waiting.len()).map(|i| without(i).map(|(_, change)| change.clone()).collect()).collect()
        }),
    },
    Fault { name: "fails", words: "the n-th change fails, the next do not", kind: Kind::Flaw(Flaw::Fails) },
    Fault {
        name: "forgotten",
        words: "the n-th change is said to have arrived, and has not",
        kind: Kind::Flaw(Flaw::Forgets),
    },
    Fault {
        name: "cut short",
        words: "the n-th change is said to have arrived, and half of its bytes have",
        kind: Kind::Flaw(Flaw::Halves),
    },
    Fault {
        name: "out of order",
        words: "the n-th change arrives before the one that was made before it",
        kind: Kind::Flaw(Flaw::Swaps),
    },
    Fault {
        name: "lying sync",
        words: "from the n-th sync on everything is said to have arrived, and nothing has",
        kind: Kind::Flaw(Flaw::LiesFromSync),
    },
];

impl Fault {
    /// What may lie on the medium afterwards.
    pub(crate) fn images(&self, pulled: &Pulled) -> Vec<Image> {
        let arrived = match self.kind {
            Kind::Pull(arrived) => arrived(&pulled.waiting),
            Kind::Flaw(_) => vec![Vec::new(), pulled.waiting.clone()],
        };
        let with = |changes: Vec<Change>| {
            let mut image = pulled.kept.clone();
            for change in &changes {
                image.apply(change);
            }
            image
        };
        arrived.into_iter().map(with).collect()
    }
}

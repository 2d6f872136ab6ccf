use std::collections::BTreeMap;

use receipt::LaptopId;
use stick::statements::Name;

/// Files of a stick, as runs of numbers: a usual stick has one for each laptop, however many statements it brings.
#[derive(Debug, Default)]
pub struct Taken(BTreeMap<(LaptopId, bool), BTreeMap<u64, u64>>);

impl Taken {
    /// Adds one.
    pub(super) fn insert(&mut self, name: &Name) {
        let runs = self.0.entry((name.laptop.clone(), name.is_sealed)).or_default();
        let (mut first, mut last) = (name.counter, name.counter);
        if let Some((&before, &end)) = runs.range(..=first).next_back() {
            if end >= first {
                return;
            }
            if end + 1 == first {
                first = before;
            }
        }
        if let Some(end) = last.checked_add(1).and_then(|next| runs.remove(&next)) {
            last = end;
        }
        runs.insert(first, last);
    }

    /// All of them, laptop by laptop in the order of their numbers.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        self.0.iter().flat_map(|((laptop, is_sealed), runs)| {
            let counters = runs.iter().flat_map(|(first, last)| *first..=*last);
            counters.map(|counter| Name { laptop: laptop.clone(), counter, is_sealed: *is_sealed })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(laptop: bool, counter: u64, is_sealed: bool) -> Name {
        let laptop = if laptop { "0123456789abcdef" } else { "fedcba9876543210" };
        Name { laptop: laptop.parse().unwrap(), counter, is_sealed }
    }

    #[test]
    fn a_whole_chain_is_one_run_in_whatever_order_it_came() {
        let mut taken = Taken::default();
        for counter in (1..=999).step_by(2).chain((2..=1000).step_by(2)) {
            taken.insert(&name(true, counter, false));
        }
        assert_eq!(taken.0.values().map(BTreeMap::len).collect::<Vec<_>>(), [1]);
        assert_eq!(taken.names().count(), 1000);
    }

    proptest! {
        #[test]
        fn it_holds_what_it_was_given_and_nothing_else(
            given in prop::collection::vec((any::<bool>(), prop_oneof![0..40u64, u64::MAX - 3..=u64::MAX], any::<bool>()), 0..100),
        ) {
            let mut given: Vec<Name> = given.into_iter().map(|(laptop, counter, sealed)| name(laptop, counter, sealed)).collect();
            let mut taken = Taken::default();
            for one in &given {
                taken.insert(one);
            }
            given.sort();
            given.dedup();
            let mut names: Vec<Name> = taken.names().collect();
            names.sort();
            prop_assert_eq!(names, given);
        }
    }
}

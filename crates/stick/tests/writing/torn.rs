//! Whatever becomes of any change, the stick is the previous publication, the new one, or rejected; and
//! whatever an applier reads from it is whole or refused. The next load mends it.

use std::thread;

use stick::{StickState, UnverifiedPublication, WriteError};
use tuf_client::MemoryStore;

use crate::depot::{Depot, Found, clock, whole};
use crate::disk::{Disk, Image};
use crate::fault::{ALL, Fault, Flaw, Kind};
use crate::table::{self, Row};

/// What a stick is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Previous,
    New,
    Rejected,
    /// The new one, and a target is not there.
    NotCarried,
}

struct World {
    depot: Depot,
    before: Image,
    /// A laptop that has seen the first publication.
    seen: MemoryStore,
}

impl World {
    fn new() -> Self {
        let depot = Depot::new();
        let (_dir, stick) = depot.stick_with_the_first();
        let mut seen = MemoryStore::trusting(&depot.root);
        UnverifiedPublication::on(&stick).verify(&mut seen, clock()).map(drop).unwrap();
        Self { before: Image::of(&stick, "COURIER"), depot, seen }
    }

    /// Loads the second publication onto a medium with this fault at its n-th change, and looks at what may lie on
    /// it. `None`: it has no n-th change.
    fn at(&self, fault: &Fault, n: usize, row: &mut Row) -> Option<()> {
        let disk = match fault.kind {
            Kind::Pull(_) => Disk::new(self.before.clone(), Some(n), None),
            Kind::Flaw(flaw) => Disk::new(self.before.clone(), None, Some(flaw(n))),
        };
        let result = self.depot.load(&disk, 1);
        let pulled = disk.pull();
        let counted = if matches!(fault.kind, Kind::Flaw(flaw) if matches!(flaw(n), Flaw::LiesFromSync(_))) {
            pulled.syncs
        } else {
            pulled.changes
        };
        if counted < n {
            return None;
        }
        row.places += 1;
        let mut named = matches!(result, Err(WriteError::ReadBack { .. }));
        for image in fault.images(&pulled) {
            let (outcome, again) = self.outcome(&image, &format!("{} {n}", fault.name));
            match outcome {
                Outcome::Previous => row.previous += 1,
                Outcome::New => row.new += 1,
                Outcome::Rejected => row.rejected += 1,
                Outcome::NotCarried => row.not_carried += 1,
            }
            match &result {
                Ok(_) => {
                    named |= matches!(again, Err(WriteError::Forgotten { .. }));
                    row.unnoticed += usize::from(outcome != Outcome::New && again.is_ok());
                }
                Err(error) if error.state() == StickState::AsBefore => {
                    assert_eq!(outcome, Outcome::Previous, "{} {n}: {error:?}", fault.name);
                }
                _ => {}
            }
        }
        row.named += usize::from(named);
        Some(())
    }

    /// By the applier's own code, on a real file system, for a laptop that has seen nothing and for one that has seen
    /// the first publication; and what whoever loaded it finds once it is mounted anew.
    fn outcome(&self, image: &Image, what: &str) -> (Outcome, Result<(), WriteError>) {
        // in memory: some hundred sticks are laid and loaded
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let stick = image.lay(dir.path());
        let found = self.depot.look(&stick);
        assert_eq!(self.depot.look_with(&stick, &mut self.seen.clone()), found, "{what}");
        let outcome = judge(&found, what);
        let again = self.depot.look_again(&stick, 1);
        self.depot.load(&stick, 1).unwrap_or_else(|error| panic!("mending after {what}: {error}"));
        assert_eq!(judge(&self.depot.look(&stick), what), Outcome::New, "mended after {what}");
        self.depot.look_again(&stick, 1).unwrap_or_else(|error| panic!("mended after {what}: {error}"));
        (outcome, again)
    }
}

fn judge(found: &Found, what: &str) -> Outcome {
    match found {
        None => Outcome::Rejected,
        Some((1, releases)) => {
            assert_eq!(releases, &whole(["one", "two"]), "{what}");
            Outcome::Previous
        }
        Some((_, releases)) if *releases == whole(["three", "two"]) => Outcome::New,
        Some((_, releases)) => {
            assert!(releases["two"], "{what}: what was there before");
            Outcome::NotCarried
        }
    }
}

#[test]
fn at_every_change_and_every_fault_the_stick_is_the_previous_one_the_new_one_or_rejected() {
    let world = World::new();
    let all = |fault: &'static Fault| {
        let mut row = Row::of(fault);
        let _ = (1..).map_while(|n| world.at(fault, n, &mut row)).count();
        row
    };
    let rows: Vec<Row> = thread::scope(|scope| {
        let (first, second) = ALL.split_at(ALL.len() / 2);
        let other = scope.spawn(|| second.iter().map(all).collect::<Vec<_>>());
        let rows: Vec<Row> = first.iter().map(all).collect();
        rows.into_iter().chain(other.join().unwrap()).collect()
    });
    for (row, fault) in rows.iter().zip(&ALL) {
        assert!(row.places > 5, "{row:?}");
        assert_eq!(row.unnoticed, 0, "{row:?}");
        // a name that is lost, which the system remembers until the stick is mounted anew
        let may_lose_names =
            matches!(fault.kind, Kind::Flaw(flaw) if matches!(flaw(1), Flaw::Forgets(_) | Flaw::Halves(_)));
        assert!(may_lose_names || row.not_carried == 0, "{row:?}");
    }
    table::hold(&rows);
}

#[test]
fn a_stick_whose_syncs_do_nothing_is_named_before_it_leaves() {
    let world = World::new();
    let disk = Disk::new(world.before.clone(), None, Some(Flaw::LiesFromSync(1)));
    let error = world.depot.load(&disk, 1).unwrap_err();
    assert!(matches!(error, WriteError::ReadBack { .. }), "{error:?}");
    assert!(error.to_string().ends_with("the stick is failing or counterfeit"), "{error}");
}

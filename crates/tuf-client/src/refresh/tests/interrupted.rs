//! The run is cut before every write in turn, and the next run must end where an uncut one does.

use super::*;

/// Fails from the `left`-th change on, as a power cut does.
struct Cut<'a> {
    inner: &'a mut MemoryStore,
    left: usize,
}

impl Cut<'_> {
    fn spend(&mut self) -> Result<(), StoreError> {
        let cut =
            || StoreError { path: "store".into(), action: "write", source: std::io::Error::other("cut") };
        self.left = self.left.checked_sub(1).ok_or_else(cut)?;
        Ok(())
    }
}

impl TrustStore for Cut<'_> {
    fn load(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.load(name, cap)
    }

    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.spend()?;
        self.inner.save(name, bytes)
    }

    fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        self.spend()?;
        self.inner.remove(name)
    }
}

type Act = fn(&mut dyn TrustStore, &mut Files, Clock) -> Result<(), Error>;

/// Cuts at every write of a run; says how many there were.
fn cut_everywhere(prepared: fn() -> World) -> usize {
    cut_all_of(prepared, |store, repository, clock| refresh(store, repository, clock).map(drop))
}

/// Cuts at every write of what is done, and does it again; says how many there were.
fn cut_all_of(prepared: fn() -> World, act: Act) -> usize {
    for left in 0.. {
        let mut world = prepared();
        let mut uncut = world.store.clone();
        act(&mut uncut, &mut world.repository, world.clock).unwrap();
        let mut cut = Cut { inner: &mut world.store, left };
        let result = act(&mut cut, &mut world.repository, world.clock);
        if result.is_ok() {
            return left;
        }
        assert!(matches!(result, Err(Error::Store(_))));
        act(&mut world.store, &mut world.repository, world.clock)
            .unwrap_or_else(|error| panic!("after a cut before write {left}: {}", said(&error)));
        for file in FILES.iter().chain(&[OnlineKeys::FILE]) {
            assert_eq!(
                stored(&world.store, file),
                stored(&uncut, file),
                "{file} after a cut before write {left}"
            );
        }
    }
    unreachable!("the range has no end")
}

#[test]
fn a_first_run() {
    // the record of keys, the floor in it, timestamp, snapshot, targets
    assert_eq!(cut_everywhere(World::new), 5);
}

#[test]
fn a_new_publication() {
    let prepared = || {
        let mut world = refreshed();
        world.next_root(|_| {});
        world.publish_next();
        world
    };
    assert_eq!(cut_everywhere(prepared), 4);
}

/// Forwarded by a stolen timestamp key, then published again under keys that `change` has changed.
fn fast_forwarded(change: fn(&mut World)) -> World {
    let mut world = refreshed();
    for (version, signed_at) in [(1_000_000, 25), (2, 0)] {
        world.timestamp["version"] = version.into();
        world.timestamp["custom"]["signed_at"] = day(signed_at).to_string().into();
        world.publish();
        if version > 2 {
            world.refresh().unwrap();
            change(&mut world);
        }
    }
    world
}

#[test]
fn a_recovery_from_fast_forward_by_key_rotation() {
    let prepared = || {
        fast_forwarded(|world| {
            world.keys.get_mut(&Role::Timestamp).unwrap().push(SigningKey::generate());
            world.next_root(|_| {});
        })
    };
    // root, two deletions, the record, the floor in it, timestamp, snapshot
    assert_eq!(cut_everywhere(prepared), 7);
}

#[test]
fn keys_that_were_changed_and_changed_back() {
    let prepared = || fast_forwarded(|world| world.rotate_and_back(Role::Timestamp));
    // twice a root, two deletions and the record, then the floor in it, timestamp, snapshot
    assert_eq!(cut_everywhere(prepared), 11);
}

#[test]
fn a_reset_of_the_clock_and_the_run_after_it() {
    let prepared = || {
        let mut world = refreshed();
        world.clock.system = day(-5);
        world
    };
    // the record without the floor, the floor in it again
    let act: Act = |store, repository, clock| {
        reset_clock(store)?;
        refresh(store, repository, clock).map(drop)
    };
    assert_eq!(cut_all_of(prepared, act), 2);
    let damaged = || {
        let mut world = refreshed();
        world.store.save(OnlineKeys::FILE, b"2099").unwrap();
        world
    };
    // the record is taken away, made anew, the floor in it
    assert_eq!(cut_all_of(damaged, act), 3);
}

//! The start time, the floor, and what key rotation does to both.

use super::*;

fn floor(world: &World) -> Option<jiff::Timestamp> {
    OnlineKeys::load(&world.store).unwrap().unwrap().floor
}

/// The next timestamp, signed at and expiring on these days.
fn sign_timestamp(world: &mut World, signed_at: i64, expires: i64) {
    world.version_up(|world| &mut world.timestamp);
    world.timestamp["custom"]["signed_at"] = day(signed_at).to_string().into();
    world.timestamp["expires"] = day(expires).to_string().into();
    world.publish_timestamp();
}

#[test]
fn a_clock_that_is_behind_is_corrected_by_what_was_signed() {
    let mut world = World::new();
    world.clock.system = day(-5);
    let trusted = world.refresh().unwrap();
    let start = trusted.start();
    assert_eq!(
        (start.now(), start.source(), start.system_behind().as_hours()),
        (day(0), StartSource::Floor, 120)
    );
    let once_more = ["2.root.json", "timestamp.json", "2.root.json", "timestamp.json", "1.snapshot.json"];
    assert_eq!(world.repository.requests[..5], once_more, "the workflow starts again, once");
    world.refresh().unwrap();
    assert_eq!(world.repository.requests.len(), 2, "the floor is known now");
}

#[test]
fn a_clock_set_back_does_not_make_old_metadata_good() {
    let mut world = World::new();
    sign_timestamp(&mut world, 20, 50);
    world.clock.system = day(21);
    world.refresh().unwrap();
    world.snapshot["expires"] = day(15).to_string().into();
    world.version_up(|world| &mut world.snapshot);
    world.version_up(|world| &mut world.timestamp);
    world.publish();
    world.clock.system = day(1);
    let error = world.refresh().unwrap_err();
    assert!(matches!(error, Error::Expired { now, .. } if now == day(20)), "{error}");
}

#[test]
fn the_restart_judges_the_root_as_well() {
    let mut world = refreshed();
    world.next_root(|root| root["expires"] = day(10).to_string().into());
    sign_timestamp(&mut world, 20, 50);
    let error = world.refresh().unwrap_err();
    assert!(said(&error).starts_with("root.json expired on"), "{error}");
}

#[test]
fn only_what_was_signed_or_built_becomes_the_floor() {
    let mut world = World::new();
    world.clock.system = day(29);
    world.refresh().unwrap();
    assert_eq!(floor(&world), Some(day(0)), "the system clock does not");
    world.clock.build = day(2);
    world.refresh().unwrap();
    assert_eq!(floor(&world), Some(day(2)));
    world.clock.build = day(-10);
    world.refresh().unwrap();
    assert_eq!(floor(&world), Some(day(2)), "an older program does not lower it");
    sign_timestamp(&mut world, 1, 50);
    world.refresh().unwrap();
    assert_eq!(floor(&world), Some(day(2)), "an earlier signed_at does not lower it");
}

#[test]
fn a_timestamp_that_is_refused_does_not_raise_the_floor() {
    let mut world = refreshed();
    let own = world.keys.insert(Role::Timestamp, vec![SigningKey::generate()]);
    sign_timestamp(&mut world, 20, 50);
    world.keys.insert(Role::Timestamp, own.unwrap());
    world.refresh().unwrap_err();
    assert_eq!(floor(&world), Some(day(0)));
}

#[test]
fn a_time_from_a_stolen_key_is_recovered_from_by_rotation() {
    let mut world = refreshed();
    sign_timestamp(&mut world, 30_000, 30_001);
    let error = world.refresh().unwrap_err();
    assert!(said(&error).starts_with("root.json expired on"), "{error}");
    assert_eq!(floor(&world), Some(day(30_000)));
    world.rotate(Role::Timestamp);
    sign_timestamp(&mut world, 2, 30);
    let trusted = world.refresh().unwrap();
    assert_eq!(trusted.start().now(), day(2));
    assert_eq!(floor(&world), Some(day(2)));
}

#[test]
fn keys_changed_and_changed_back_were_changed() {
    let mut world = refreshed();
    sign_timestamp(&mut world, 300, 301);
    world.timestamp["version"] = 1_000_000.into();
    world.publish_timestamp();
    let error = world.refresh().unwrap_err();
    assert!(said(&error).starts_with("snapshot.json expired on"), "{error}");
    assert_eq!(floor(&world), Some(day(300)));
    world.rotate_and_back(Role::Timestamp);
    sign_timestamp(&mut world, 2, 30);
    world.timestamp["version"] = 2.into();
    world.publish_timestamp();
    let trusted = world.refresh().unwrap();
    assert_eq!((trusted.timestamp().version(), trusted.start().now()), (2, day(2)));
    assert_eq!(floor(&world), Some(day(2)));
}

#[test]
fn the_reading_says_what_counts_and_whose_word_it_is() {
    let mut world = World::new();
    let read = |world: &World| read_clock(&world.store, world.clock).unwrap();
    assert_eq!(read(&world).floor, None);
    world.refresh().unwrap();
    let floor = |world: &World| read(world).floor.map(|floor| (floor.time, floor.source));
    assert_eq!(floor(&world), Some((day(0), FloorSource::Timestamp { version: 1 })));
    assert_eq!(read(&world).start.source(), StartSource::System);
    world.clock.system = day(-7);
    assert_eq!((read(&world).start.source(), read(&world).start.now()), (StartSource::Floor, day(0)));
    sign_timestamp(&mut world, -1, 50);
    world.refresh().unwrap();
    assert_eq!(floor(&world), Some((day(0), FloorSource::Earlier)), "this one says an earlier time");
    world.clock.build = day(3);
    world.refresh().unwrap();
    assert_eq!(floor(&world), Some((day(3), FloorSource::Build)));
    reset_clock(&mut world.store).unwrap();
    assert_eq!((floor(&world), read(&world).start.source()), (None, StartSource::Build));
    world.store.save(OnlineKeys::FILE, b"2099").unwrap();
    assert!(matches!(read_clock(&world.store, world.clock), Err(Error::Rejected { .. })));
}

#[test]
fn the_floor_survives_the_rotation_of_other_keys() {
    let mut world = World::new();
    sign_timestamp(&mut world, 5, 30);
    world.refresh().unwrap();
    for role in [Role::Root, Role::Snapshot, Role::Targets] {
        world.rotate(role);
        world.timestamp["custom"]["signed_at"] = day(2).to_string().into();
        world.publish_next();
        assert_eq!(world.refresh().unwrap().start().now(), day(5), "{role}");
    }
}

#[test]
fn a_fast_forward_is_recovered_from_by_rotation() {
    for role in [Role::Timestamp, Role::Snapshot] {
        let mut world = refreshed();
        for part in [&mut world.timestamp, &mut world.snapshot] {
            part["version"] = 1_000_000.into();
        }
        world.publish();
        world.refresh().unwrap();
        for part in [&mut world.timestamp, &mut world.snapshot] {
            part["version"] = 2.into();
        }
        world.publish();
        assert!(matches!(world.refresh().unwrap_err(), Error::Rollback { .. }), "{role}");
        world.rotate(role);
        world.publish();
        let trusted = world.refresh().unwrap();
        assert_eq!((trusted.timestamp().version(), trusted.snapshot().version()), (2, 2), "{role}");
    }
}

#[test]
fn a_key_that_is_taken_away_counts_as_rotated() {
    let mut world = World::new();
    world.keys.get_mut(&Role::Timestamp).unwrap().push(SigningKey::generate());
    world.next_root(|_| {});
    world.timestamp["version"] = 1_000_000.into();
    world.publish();
    world.refresh().unwrap();
    // the stored timestamp still verifies by the key that stays, and must go all the same
    world.keys.get_mut(&Role::Timestamp).unwrap().pop();
    world.next_root(|_| {});
    world.timestamp["version"] = 2.into();
    world.publish();
    assert_eq!(world.refresh().unwrap().timestamp().version(), 2);
}

#[test]
fn a_damaged_record_is_rejected() {
    let mut world = refreshed();
    world.store.save(OnlineKeys::FILE, b"2099").unwrap();
    assert!(said(&world.refresh().unwrap_err()).starts_with("clock-floor is rejected"));
}

#[test]
fn metadata_is_good_until_its_expiry_and_not_at_it() {
    let mut world = World::new();
    world.clock.system = day(30) - jiff::SignedDuration::from_secs(1);
    assert!(world.refresh().is_ok());
    world.clock.system = day(30);
    assert!(matches!(world.refresh().unwrap_err(), Error::Expired { .. }));
}

#[test]
fn a_repository_without_signed_at_is_judged_by_the_system_clock() {
    let mut world = World::new();
    world.timestamp.as_object_mut().unwrap().remove("custom");
    world.publish_timestamp();
    world.clock.system = day(-5);
    let trusted = world.refresh().unwrap();
    assert_eq!(trusted.start().now(), day(-5));
    assert_eq!(trusted.timestamp().custom(), None::<&Value>);
}

/// The files forgiven on a day, or the one refused.
fn accepting_expired(world: &mut World, today: i64) -> Result<Vec<String>, String> {
    world.clock.system = day(today);
    let World { store, repository, clock, .. } = world;
    match refresh_with(store, repository, *clock, ExpiryPolicy::AcceptExpired) {
        Ok(trusted) => Ok(trusted.forgiven().iter().map(|forgiven| forgiven.file.clone()).collect()),
        Err(Error::Expired { file, .. }) => Err(file),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn expired_metadata_can_be_accepted_for_a_while_and_each_file_is_listed() {
    // timestamp and snapshot expire on day 30, targets on day 180
    let mut world = World::new();
    assert_eq!(accepting_expired(&mut world, 29), Ok(vec![]));
    assert_eq!(accepting_expired(&mut world, 30).unwrap(), ["timestamp.json", "snapshot.json"]);
    assert_eq!(
        accepting_expired(&mut world, 210).unwrap(),
        ["timestamp.json", "snapshot.json", "targets.json"]
    );
    assert_eq!(accepting_expired(&mut world, 211), Err("timestamp.json".into()));
    assert!(matches!(world.refresh().unwrap_err(), Error::Expired { .. }), "only where it was asked for");
}

#[test]
fn an_expired_root_is_never_accepted() {
    let mut world = World::new();
    world.next_root(|root| root["expires"] = day(10).to_string().into());
    assert_eq!(accepting_expired(&mut world, 9), Ok(vec![]));
    assert_eq!(accepting_expired(&mut world, 10), Err("root.json".into()));
}

#[test]
fn accepting_expiry_accepts_nothing_else() {
    let mut world = refreshed();
    world.timestamp["version"] = 5.into();
    world.publish();
    assert_eq!(accepting_expired(&mut world, 40).unwrap().len(), 2);
    world.timestamp["version"] = 4.into();
    world.publish();
    let World { store, repository, clock, .. } = &mut world;
    let error = refresh_with(store, repository, *clock, ExpiryPolicy::AcceptExpired).unwrap_err();
    assert!(matches!(error, Error::Rollback { .. }), "{error}");
}

#[test]
fn a_reset_forgets_the_floor_and_not_the_keys() {
    let mut world = refreshed();
    assert_eq!(reset_clock(&mut world.store).unwrap(), Some(day(0)));
    assert_eq!(floor(&world), None);
    assert_eq!(reset_clock(&mut world.store).unwrap(), None);
    // the record still knows under which keys the stored files were accepted
    world.timestamp["version"] = 1_000_000.into();
    world.publish();
    world.refresh().unwrap();
    reset_clock(&mut world.store).unwrap();
    world.rotate(Role::Timestamp);
    world.timestamp["version"] = 2.into();
    world.publish();
    assert_eq!(world.refresh().unwrap().timestamp().version(), 2);
}

#[test]
fn a_reset_is_the_way_out_of_a_damaged_record() {
    let mut world = refreshed();
    world.store.save(OnlineKeys::FILE, b"2099").unwrap();
    assert_eq!(reset_clock(&mut world.store).unwrap(), None);
    world.refresh().unwrap();
    assert_eq!(reset_clock(&mut MemoryStore::default()).unwrap(), None);
}

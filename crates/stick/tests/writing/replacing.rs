//! A publication of another depot, or one that is not older: told, left as it is, and replaced where that was
//! agreed to.

use stick::media::{self, Kind, Tree};
use stick::{Agreed, Directory, Media, Obstacle, WriteError, layout};

use crate::depot::{Depot, whole};

const OTHER_DEPOT: Agreed = Agreed { other_depot: true, newer: false };
const NEWER: Agreed = Agreed { other_depot: false, newer: true };

fn load(depot: &Depot, stick: &dyn Media, publication: usize, agreed: Agreed) -> Result<(), Vec<Obstacle>> {
    match depot.load_telling(stick, publication, agreed, &mut |_| {}) {
        Ok(_) => Ok(()),
        Err(WriteError::Obstacles(obstacles)) => Err(obstacles),
        Err(error) => panic!("{error}"),
    }
}

fn files(stick: &Directory) -> Vec<(String, Vec<u8>)> {
    let mut folders = vec![layout::FOLDER.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in stick.list(&folder).unwrap() {
            let path = format!("{folder}/{}", entry.name);
            match entry.kind {
                Kind::Folder => folders.push(path),
                _ => files.push((path.clone(), media::read(stick, &path, 1 << 20).unwrap().unwrap())),
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_publication_of_another_depot_is_replaced_only_by_consent() {
    let (ours, theirs) = (Depot::new(), Depot::new());
    let (_dir, stick) = theirs.stick_with_the_first();
    media::write(&stick, "COURIER/receipts/x/1.json", b"theirs").unwrap();
    let before = files(&stick);
    for agreed in [Agreed::default(), NEWER] {
        let obstacles = load(&ours, &stick, 0, agreed).unwrap_err();
        assert!(matches!(obstacles.as_slice(), [Obstacle::OtherDepot(_)]), "{obstacles:?}");
        assert_eq!(files(&stick), before);
    }
    load(&ours, &stick, 0, OTHER_DEPOT).unwrap();
    assert_eq!(ours.look(&stick), Some((1, whole(["one", "two"]))));
    assert_eq!(theirs.look(&stick), None);
    assert!(stick.open("COURIER/receipts/x/1.json").unwrap().is_some(), "statements stay");
}

#[test]
fn roots_of_another_depot_that_would_be_followed_go_with_it() {
    let (ours, theirs) = (Depot::new(), Depot::new());
    let (_dir, stick) = theirs.stick_with_the_first();
    media::write(&stick, &layout::metadata("2.root.json"), &theirs.next_root()).unwrap();
    let obstacles = load(&ours, &stick, 0, Agreed::default()).unwrap_err();
    assert!(obstacles.iter().all(|obstacle| matches!(obstacle, Obstacle::OtherDepot(_))), "{obstacles:?}");
    load(&ours, &stick, 0, OTHER_DEPOT).unwrap();
    assert_eq!(ours.look(&stick), Some((1, whole(["one", "two"]))));
    assert!(stick.open(&layout::metadata("2.root.json")).unwrap().is_none());
}

#[test]
fn a_newer_publication_is_replaced_only_by_consent() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    depot.load(&stick, 1).unwrap();
    let before = files(&stick);
    for agreed in [Agreed::default(), OTHER_DEPOT] {
        let obstacles = load(&depot, &stick, 0, agreed).unwrap_err();
        let signed = Some("2026-11-22T10:00:00Z".parse().unwrap());
        assert_eq!(obstacles, [Obstacle::Newer { there: 2, signed_at: signed, ours: 1 }]);
        assert_eq!(files(&stick), before);
    }
    load(&depot, &stick, 0, NEWER).unwrap();
    assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
}

#[test]
fn a_later_root_of_this_depot_is_removed_only_by_consent() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    let path = layout::metadata("2.root.json");
    media::write(&stick, &path, &depot.next_root()).unwrap();
    let obstacles = load(&depot, &stick, 0, OTHER_DEPOT).unwrap_err();
    assert_eq!(obstacles, [Obstacle::NewerRoot(path.clone())]);
    load(&depot, &stick, 0, NEWER).unwrap();
    assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
    // one that is rotten stops clients as well, and nobody misses it
    media::write(&stick, &path, b"rotten").unwrap();
    assert_eq!(depot.look(&stick), None);
    load(&depot, &stick, 0, Agreed::default()).unwrap();
    assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
}

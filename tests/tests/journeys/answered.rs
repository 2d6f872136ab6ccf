//! Questions that a person answers at a terminal: which of several sticks is meant, and whether one that somebody else
//! mounted is to be ejected.

use std::fs::read_to_string;

use journeys::ran::Ran;

use crate::drives::{among_sticks, plug_mounted};
use crate::world::World;

/// Runs a program at a terminal among these sticks, and types this line; where sticks are mounted then is in `left`,
/// with whether they carry anything.
async fn typed(world: &World, before: &[&str], line: &str, name: &str, args: &str) -> Ran {
    let left = "{ for folder in mnt/*/COURIER; do echo \"$folder\"; done; grep -o 'mnt/[^ ]*' /proc/self/mountinfo; }";
    let script = format!(
        "echo '{line}' | script --quiet --return --command \"$0 $*\" /dev/null; code=$?; {left} >left; exit $code"
    );
    let under = among_sticks(before, &script);
    world.run(&under.iter().map(String::as_str).collect::<Vec<_>>(), name, args).await
}

fn left(world: &World) -> Vec<String> {
    read_to_string(world.path("left")).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_sticks_the_one_that_is_typed_is_taken() {
    let world = World::loaded().await;
    let (a, b) = (plug_mounted(&world, "sdy", "A1"), plug_mounted(&world, "sdz", "B2"));
    let both = [a.as_str(), b.as_str()];
    let load = typed(&world, &both, "2", "fetcher", "load --all --no-eject").await.ends(0);
    let load = load.says(&["1  SanDisk Cruzer Blade, serial A1", "2  SanDisk Cruzer Blade, serial B2"]);
    load.says(&["Which stick? Its number: ", "read back and verified"]);
    let carrying: Vec<String> = left(&world).into_iter().filter(|path| path.ends_with("/COURIER")).collect();
    assert_eq!(carrying, ["mnt/B2/COURIER"]);

    let copies = "cp -r stick/COURIER mnt/A1 && cp -r stick/COURIER mnt/B2";
    let carrying = [a.as_str(), b.as_str(), copies];
    for (line, serial) in [("1", "A1"), ("2", "B2")] {
        let verified = typed(&world, &carrying, line, "applier", "--verbose verify").await.ends(0);
        let taken = verified.out.split("Which stick? Its number: ").nth(1).unwrap();
        assert!(verified.out.contains("says it was signed at 20"), "{}", verified.out);
        assert!(taken.contains(&format!("serial {serial}")), "{line}: {taken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_none_has_does_nothing() {
    let world = World::loaded().await;
    let (a, b) = (plug_mounted(&world, "sdy", "A1"), plug_mounted(&world, "sdz", "B2"));
    for line in ["3", "0", "B2", ""] {
        let load = typed(&world, &[&a, &b], line, "fetcher", "load --all").await.ends(2);
        load.says(&["is not a number from 1 to 2", "nothing was done; give --stick A1 or --stick B2"]);
        let words: Vec<String> = left(&world).into_iter().filter(|path| path.ends_with("/COURIER")).collect();
        assert_eq!(words, ["mnt/*/COURIER"], "a pattern that nothing matches");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_that_somebody_mounted_is_ejected_if_a_person_says_so() {
    let world = World::loaded().await;
    let mount = plug_mounted(&world, "sdy", "A1");
    for (line, words, mounted) in [
        ("yes", "switched off, safe to remove; good until", false),
        ("no", "still mounted at mnt/A1: unmount it before you pull it out", true),
    ] {
        let load = typed(&world, &[&mount], line, "fetcher", "load --all").await.ends(0);
        let load = load.says(&["was mounted by somebody else. Eject it? Type yes to go on", words]);
        assert_eq!(left(&world).iter().any(|path| path == "mnt/A1"), mounted, "{line}: {}", load.out);
    }
}

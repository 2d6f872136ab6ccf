use super::*;
use crate::media::{Capacity, ReadOnly};

/// Nobody agreed to anything.
const NOTHING: Agreed = Agreed { other_depot: false, newer: false };

fn name(id: &str, body: &[u8]) -> (String, Sealed) {
    let sealed = Sealed { length: body.len() as u64, sha256: Sha256Digest::of(body) };
    (format!("{id}/{}.digicap.dav", sealed.sha256), sealed)
}

fn contents() -> Contents {
    let listed: BTreeMap<_, _> = [name("one", b"first"), name("two", b"second")].into();
    Contents {
        metadata: [("1.root.json".into(), b"root".to_vec()), ("2.targets.json".into(), b"targets".to_vec())]
            .into(),
        timestamp: b"timestamp".to_vec(),
        carried: listed.keys().filter(|n| n.starts_with("one/")).cloned().collect(),
        listed,
        acknowledged: None,
        readme: "readme".into(),
    }
}

#[test]
fn an_empty_stick_gets_what_was_asked_for() {
    let contents = contents();
    let plan = WritePlan::new(&contents, &Survey::default(), NOTHING).unwrap();
    assert_eq!(plan.targets, contents.carried);
    assert_eq!(plan.checks, contents.carried);
    assert_eq!(
        plan.small.iter().map(|(p, _)| p.as_str()).collect::<Vec<_>>(),
        ["COURIER/metadata/1.root.json", "COURIER/metadata/2.targets.json", layout::README]
    );
    assert_eq!(plan.bytes, (5 + 4 + 7 + 6 + 9) as u64);
}

#[test]
fn listed_firmware_stays_and_is_read_back_the_rest_of_ours_goes() {
    let contents = contents();
    let two = contents.listed.keys().find(|n| n.starts_with("two/")).unwrap();
    let (gone, _) = name("old", b"old");
    let policy = format!("{}.policy.json", "0".repeat(64));
    let files = [
        layout::target(two),
        layout::target(&gone),
        layout::target(&policy),
        // ours lie beside the folders of firmware, never in them
        layout::target(format!("old/{policy}")),
        layout::target("policy.json"),
        "COURIER/targets/old/holiday.jpg".into(),
        layout::metadata("1.targets.json"),
        layout::metadata("1.root.json"),
        layout::metadata("notes.txt"),
    ];
    let survey = Survey { files: files.map(|f| (f, 6)).into(), ..Survey::default() };
    let plan = WritePlan::new(&contents, &survey, NOTHING).unwrap();
    assert!(plan.checks.contains(two) && !plan.targets.contains(two));
    let removals = [layout::metadata("1.targets.json"), layout::target(&policy), layout::target(&gone)];
    assert_eq!(plan.removals, removals);
}

#[test]
fn a_file_of_another_size_is_written_again() {
    let contents = contents();
    let survey = Survey { files: [(layout::target(&contents.carried[0]), 4)].into(), ..Survey::default() };
    assert_eq!(WritePlan::new(&contents, &survey, NOTHING).unwrap().targets, contents.carried);
}

#[test]
fn every_obstacle_is_named_at_once() {
    let mut contents = contents();
    let huge = contents.carried[0].clone();
    contents.listed.get_mut(&huge).unwrap().length = layout::LARGEST_FILE + 1;
    // on a FAT the folder would be read back as ONE, and what lies in it taken for superseded
    contents.listed.extend([name("ONE", b"other")]);
    let capacity = Capacity {
        free: Some(10),
        block: 4096,
        largest_file: Some(layout::LARGEST_FILE),
        read_only: Some(ReadOnly::Mounted),
    };
    let survey = Survey {
        capacity,
        publications: vec![Obstacle::OtherDepot("COURIER/metadata/1.root.json".into())],
        strange: vec!["COURIER/x".into()],
        files: [("COURIER/targets/two".to_owned(), 1)].into(),
        folders: [layout::README.to_owned()].into(),
        ..Survey::default()
    };
    let obstacles = WritePlan::new(&contents, &survey, NOTHING).unwrap_err();
    assert!(
        matches!(
            obstacles.as_slice(),
            [
                Obstacle::ReadOnly(ReadOnly::Mounted),
                Obstacle::Full { free: 10, .. },
                Obstacle::TooLarge { .. },
                Obstacle::OtherDepot(_),
                Obstacle::InTheWay { .. },
                Obstacle::InTheWay { .. },
                Obstacle::InTheWay { .. },
                Obstacle::Twins(..),
            ]
        ),
        "{obstacles:?}"
    );
    let agreed = Agreed { other_depot: true, newer: true };
    let left = WritePlan::new(&contents, &survey, agreed).unwrap_err();
    assert_eq!(left.len(), obstacles.len() - 1, "{left:?}");
}

#[test]
fn a_file_of_4_gib_fits_where_the_file_system_takes_it() {
    let mut contents = contents();
    let huge = contents.carried[0].clone();
    for (length, largest_file, fits) in [
        ((4 << 30) - 1, Some(layout::LARGEST_FILE), true),
        (4 << 30, Some(layout::LARGEST_FILE), false),
        (4 << 30, None, true),
    ] {
        contents.listed.get_mut(&huge).unwrap().length = length;
        let capacity = Capacity { largest_file, ..Capacity::default() };
        let survey = Survey { capacity, ..Survey::default() };
        assert_eq!(WritePlan::new(&contents, &survey, NOTHING).is_ok(), fits, "{length} {largest_file:?}");
    }
}

#[test]
fn room_is_counted_in_blocks_of_the_medium() {
    let contents = contents();
    // firmware and its folder, two of metadata, the text, the timestamp
    for (block, needed) in [(0, 5 + 4 + 7 + 6 + 9), (4096, 6 * 4096)] {
        for (free, fits) in [(needed, true), (needed - 1, false)] {
            let capacity = Capacity { free: Some(free), block, ..Capacity::default() };
            let survey = Survey { capacity, ..Survey::default() };
            assert_eq!(WritePlan::new(&contents, &survey, NOTHING).is_ok(), fits, "{block} {free}");
        }
    }
}

#[test]
fn what_a_fat_would_take_for_one_of_ours_is_told() {
    let contents = contents();
    for there in ["COURIER/targets/ONE", "COURIER/METADATA", "COURIER/readme.TXT"] {
        let survey = Survey { folders: [there.to_owned()].into(), ..Survey::default() };
        let obstacles = WritePlan::new(&contents, &survey, NOTHING).unwrap_err();
        assert!(
            matches!(obstacles.as_slice(), [Obstacle::Twins(_, found)] if found == there),
            "{obstacles:?}"
        );
    }
}

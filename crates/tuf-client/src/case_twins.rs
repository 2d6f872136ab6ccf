//! Paths that FAT takes for one. A repository is made on a file system that tells `A/x` from `a/x` and
//! carried on one that does not: there one of them takes the other's place, and names that are read
//! back are not the names that were written. So such names are refused where metadata is made and
//! where a stick is written. A client needs no rule of its own: it asks for one name, and takes no
//! file but the one with that name's hash.

use std::collections::BTreeMap;

/// Two of these relative paths that FAT would lay in one place, or below folders that it would take
/// for one: they differ in nothing but case, or dots and spaces at the end of a component.
pub fn case_twins<'a>(paths: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    // the beginning of a path, up to a component's end, by what FAT makes of it
    let mut taken: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for path in paths {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for beginning in ends.map(|end| &path[..end]) {
            match taken.get(&folded(beginning)) {
                Some((same, _)) if *same == beginning => {}
                Some((_, other)) => return Some((other, path)),
                None => drop(taken.insert(folded(beginning), (beginning, path))),
            }
        }
    }
    None
}

/// Both ways, since some letters have two of the other case; too much is folded rather than too little.
fn folded(path: &str) -> String {
    let kept: Vec<_> = path.split('/').map(|component| component.trim_end_matches(['.', ' '])).collect();
    kept.join("/").to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_fat_takes_for_one() {
        for paths in [
            ["a/x", "A/x"],
            ["a/x", "A/y"],
            ["a", "A/y"],
            ["a/x.", "a/x"],
            ["a /x", "a/x"],
            ["\u{e9}", "\u{c9}"],
            ["\u{17f}", "s"],
            ["\u{212a}", "k"],
        ] {
            assert_eq!(case_twins(paths), Some((paths[0], paths[1])), "{paths:?}");
        }
        for paths in [["a/x", "a/x"], ["a/x", "a/y"], ["a/x", "b/X"], ["a", "a/x"], ["a.b", "a b"]] {
            assert_eq!(case_twins(paths), None, "{paths:?}");
        }
    }
}

use std::path::{Component, Path};

use tuf_client::{TargetName, case_twins};

/// Names, a line each: what is taken stays below the directory, is one component for each of its own, and
/// lies beside the others where FAT sees no twins.
pub fn target_names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let names: Vec<&str> = text.split('\n').collect();
    let taken: Vec<&str> = names.into_iter().filter(|name| is_taken(name)).collect();
    let twins = case_twins(taken.iter().copied());
    if let Some((first, second)) = twins {
        assert!(first != second && taken.contains(&first) && taken.contains(&second));
    }
    // the definition, by pairs; every path is its own beginning
    if taken.len() <= 16 {
        let any = taken.iter().any(|one| taken.iter().any(|other| are_twins(one, other)));
        assert_eq!(twins.is_some(), any, "{taken:?}");
    }
}

fn is_taken(name: &str) -> bool {
    let Ok(parsed) = name.parse::<TargetName>() else { return false };
    assert_eq!((parsed.as_str(), parsed.to_string().as_str()), (name, name));
    let components: Vec<_> = Path::new(name).components().collect();
    assert!(components.iter().all(|component| matches!(component, Component::Normal(_))), "{name:?}");
    assert_eq!(components.len(), name.split('/').count(), "{name:?}");
    assert!(name.len() <= 1024 && !name.contains(['\0', '\\']) && !name.contains(char::is_control));
    true
}

fn are_twins(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    while let (Some(one), Some(other)) = (one.next(), other.next()) {
        if on_fat(one) != on_fat(other) {
            return false;
        }
        if one != other {
            return true;
        }
    }
    false
}

fn on_fat(component: &str) -> String {
    component.trim_end_matches(['.', ' ']).to_uppercase().to_lowercase()
}

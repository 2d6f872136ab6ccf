use std::fs::{read_dir, read_link, read_to_string};
use std::path::{Path, PathBuf};

use firmware::Text;

/// Programs that have a file or folder below `folder` open, or work in one; only those of this user, unless it
/// is root.
pub(crate) fn users(folder: &Path) -> Vec<Text> {
    let Ok(processes) = read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<u32> = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process| places(*process).any(|place| place.starts_with(folder)))
        .collect();
    found.sort_unstable();
    found.into_iter().map(named).collect()
}

fn places(process: u32) -> impl Iterator<Item = PathBuf> {
    let at = PathBuf::from(format!("/proc/{process}"));
    let open = read_dir(at.join("fd")).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let own = ["cwd", "root", "exe"].map(|name| at.join(name));
    own.into_iter().chain(open).filter_map(|link| read_link(link).ok())
}

fn named(process: u32) -> Text {
    let name = read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    Text::cleaned(&format!("{} (process {process})", name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_names_its_program() {
        let temp = tempfile::tempdir().unwrap();
        assert!(users(temp.path()).is_empty());
        let _open = std::fs::File::create(temp.path().join("x")).unwrap();
        let found = users(&temp.path().canonicalize().unwrap());
        let own = format!("(process {})", std::process::id());
        assert!(found.iter().any(|user| user.as_str().ends_with(&own)), "{found:?}");
    }
}

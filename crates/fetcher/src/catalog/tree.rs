use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use firmware::Family;
use keys::durable;

use super::CatalogError;
use super::fault::{Fault, What};

/// The longest manifest that is read, bytes.
const LARGEST_FILE: u64 = 4 << 20;
/// The most manifests that are read.
const MOST_FILES: usize = 1000;
/// The files beside the family folders: what is no fact, what is published about weak firmware, and
/// what this depot allows.
pub(super) const QUARANTINE: &str = "quarantine.toml";
pub(super) const ADVISORIES: &str = "advisories.toml";
pub(super) const POLICY: &str = "policy.toml";

/// The manifests below `dir`, sorted by path, and what does not belong there.
///
/// The tree is two levels deep: family folders of TOML files, and three files beside them. Files of
/// other kinds, such as the README, are left alone; links are not followed, since the tree is copied
/// and packed as it stands.
pub(super) fn read(dir: &Path) -> Result<Tree, CatalogError> {
    let mut tree = Tree::default();
    for (path, kind) in entries(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if kind.is_dir() {
            if name.parse::<Family>().is_ok() {
                tree.read_family(&path)?;
            } else if !name.starts_with('.') {
                tree.misplaced(path, "a folder nvr, dvr or ipc", "another folder");
            }
        } else if [QUARANTINE, ADVISORIES, POLICY].contains(&name.as_str()) {
            tree.read_file(path, kind)?;
        } else if is_toml(&path) {
            tree.misplaced(
                path,
                "quarantine.toml, advisories.toml, policy.toml or a family folder",
                "another manifest",
            );
        }
    }
    let count = tree.texts.len();
    if count > MOST_FILES {
        let (size, limit) = (count as u64, MOST_FILES as u64);
        tree.fault(dir.to_owned(), What::TooLarge { what: "number of manifests", size, limit });
    }
    Ok(tree)
}

/// The manifests with their text, and the faults of the tree itself.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) texts: Vec<(PathBuf, String)>,
    pub(super) faults: Vec<Fault>,
}

impl Tree {
    fn read_family(&mut self, dir: &Path) -> Result<(), CatalogError> {
        for (path, kind) in entries(dir)? {
            if kind.is_dir() {
                self.misplaced(path, "a manifest", "a folder");
            } else if is_toml(&path) && self.texts.len() <= MOST_FILES {
                self.read_file(path, kind)?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: PathBuf, kind: fs::FileType) -> Result<(), CatalogError> {
        if !kind.is_file() {
            let found = if kind.is_symlink() { "a symbolic link" } else { "a special file" };
            self.misplaced(path, "a regular file", found);
            return Ok(());
        }
        let bytes = match durable::read(&path, LARGEST_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let size = fs::metadata(&path).map_or(0, |data| data.len());
                self.fault(path, What::TooLarge { what: "size in bytes", size, limit: LARGEST_FILE });
                return Ok(());
            }
            Err(source) => return Err(CatalogError::Read { path, source }),
        };
        match String::from_utf8(bytes) {
            Ok(text) => self.texts.push((path, text)),
            Err(error) => {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = Some(valid.split(|byte| *byte == b'\n').count());
                let what = What::Syntax("text is not UTF-8".to_owned());
                self.faults.push(Fault { file: path, line, what });
            }
        }
        Ok(())
    }

    fn misplaced(&mut self, path: PathBuf, expected: &'static str, found: &'static str) {
        self.fault(path, What::Entry { expected, found });
    }

    fn fault(&mut self, file: PathBuf, what: What) {
        self.faults.push(Fault { file, line: None, what });
    }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// The entries of a folder in order of name, links not followed.
fn entries(dir: &Path) -> Result<Vec<(PathBuf, fs::FileType)>, CatalogError> {
    let read = || -> io::Result<Vec<_>> {
        fs::read_dir(dir)?.map(|entry| entry.and_then(|e| Ok((e.path(), e.file_type()?)))).collect()
    };
    let mut found = read().map_err(|source| CatalogError::Read { path: dir.to_owned(), source })?;
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use keys::durable::write_atomic;

    use super::*;

    fn faults(dir: &Path) -> Vec<String> {
        read(dir)
            .unwrap()
            .faults
            .iter()
            .map(|f| f.to_string().replace(&format!("{}/", dir.display()), ""))
            .collect()
    }

    #[test]
    fn only_manifests_are_read_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "nvr/b.toml",
            "nvr/a.toml",
            "dvr/a.toml",
            "quarantine.toml",
            "policy.toml",
            "advisories.toml",
            "README.md",
            "nvr/notes.txt",
        ] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            write_atomic(&path, name.as_bytes(), 0o644).unwrap();
        }
        let Tree { texts, faults } = read(dir.path()).unwrap();
        let names: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            names,
            ["advisories.toml", "dvr/a.toml", "nvr/a.toml", "nvr/b.toml", "policy.toml", "quarantine.toml"]
        );
        assert_eq!(faults, []);
    }

    #[test]
    fn everything_that_does_not_belong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("nvr/deep")).unwrap();
        fs::create_dir_all(root.join("cameras")).unwrap();
        write_atomic(&root.join("policies.toml"), b"", 0o644).unwrap();
        write_atomic(&root.join("nvr/latin1.toml"), b"\n\xe9", 0o644).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("nvr/link.toml")).unwrap();
        let large = fs::File::create(root.join("nvr/large.toml")).unwrap();
        large.set_len(LARGEST_FILE + 1).unwrap();
        assert_eq!(
            faults(root),
            [
                "cameras: entry is another folder, expected a folder nvr, dvr or ipc",
                "nvr/deep: entry is a folder, expected a manifest",
                "nvr/large.toml: size in bytes is 4194305, the limit is 4194304",
                "nvr/latin1.toml:2: syntax: text is not UTF-8",
                "nvr/link.toml: entry is a symbolic link, expected a regular file",
                "policies.toml: entry is another manifest, expected quarantine.toml, advisories.toml, policy.toml or a family folder",
            ]
        );
    }

    #[test]
    fn a_flood_of_files_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("nvr")).unwrap();
        for number in 0..MOST_FILES + 5 {
            fs::File::create(dir.path().join(format!("nvr/{number}.toml"))).unwrap();
        }
        let Tree { texts, faults } = read(dir.path()).unwrap();
        assert_eq!(texts.len(), MOST_FILES + 1);
        assert!(matches!(faults[0].what, What::TooLarge { what: "number of manifests", .. }));
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        assert!(matches!(read(Path::new("/nonexistent")), Err(CatalogError::Read { .. })));
    }
}

use std::fs::{File, create_dir_all, read, read_to_string};
use std::path::{Path, PathBuf};
use std::process::Command;

use journeys::programs::{as_from_a_shell, program};
use rustix::process::geteuid;
use tempfile::TempDir;

use crate::{files, said};

/// Both packages, of the programs that the other tests run.
fn packages() -> (TempDir, [PathBuf; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let mut script = Command::new("scripts/package");
    as_from_a_shell(&mut script);
    // how small they are is of no interest here
    script.env("DPKG_DEB_COMPRESSOR_LEVEL", "0");
    script.arg("--programs").arg(program("fetcher").parent().unwrap()).arg("--out").arg(dir.path());
    let (made, _) = said(&mut script);
    let made: Vec<PathBuf> = made.lines().map(PathBuf::from).collect();
    (dir, made.try_into().unwrap())
}

#[test]
fn the_same_sources_give_the_same_packages() {
    let ((_one, first), (_other, second)) = (packages(), packages());
    for (first, second) in first.iter().zip(&second) {
        assert!(first.file_name() == second.file_name() && first != second, "{first:?} {second:?}");
        assert!(read(first).unwrap() == read(second).unwrap(), "{first:?} {second:?}");
    }
}

/// A root that knows no package, for dpkg.
struct Root(TempDir);

impl Root {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["info", "updates", "triggers"] {
            create_dir_all(dir.path().join("var/lib/dpkg").join(folder)).unwrap();
        }
        File::create(dir.path().join("var/lib/dpkg/status")).unwrap();
        Self(dir)
    }

    /// Runs dpkg on it; what the packages depend on is on this machine, not there.
    fn dpkg(&self, words: &[&Path]) {
        let root = format!("--root={}", self.0.path().display());
        let mut dpkg = if geteuid().is_root() {
            Command::new("dpkg")
        } else {
            let mut unshare = Command::new("unshare");
            unshare.args(["--map-root-user", "dpkg"]);
            unshare
        };
        said(dpkg.args([&*root, "--force-depends", "--log=/dev/null"]).args(words));
    }

    /// What is there beside dpkg's own notes.
    fn installed(&self) -> Vec<PathBuf> {
        let of_dpkg = self.0.path().join("var/lib/dpkg");
        files(self.0.path()).into_iter().filter(|file| !file.starts_with(&of_dpkg)).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Every relative link of every document leads to a file that is installed, through links of the file system as well.
fn links_lead_somewhere(root: &Root) {
    let mut find = Command::new("find");
    let (documents, _) = said(find.args(["-L", "usr", "-name", "*.md"]).current_dir(root.0.path()));
    for guide in ["courier-depot/docs/guide-depot.md", "courier-applier/docs/guide-technician.md"] {
        assert!(documents.contains(guide), "{documents}");
    }
    for document in documents.lines().map(|document| root.path(document)) {
        let text = read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.contains("://")) {
            let file = document.parent().unwrap().join(link);
            assert!(link.is_empty() || file.is_file(), "{}: {link}", document.display());
        }
    }
}

/// What `Installed-Size` promises holds by the files alone, on whatever file system they are.
fn has_its_size(package: &Path, root: &Root) {
    let field = |name: &str| said(Command::new("dpkg-deb").arg("--field").arg(package).arg(name)).0;
    let list = format!("var/lib/dpkg/info/{}.list", field("Package").trim());
    let listed = read_to_string(root.path(&list)).unwrap();
    let sizes = listed.lines().map(|path| {
        let data = root.path(path.trim_start_matches('/')).symlink_metadata().unwrap();
        if data.is_file() { data.len().div_ceil(1024) } else { 1 }
    });
    assert_eq!(field("Installed-Size").trim(), sizes.sum::<u64>().to_string());
}

#[test]
fn they_are_in_order_are_installed_and_leave_nothing_when_they_are_removed() {
    let (_dir, packages) = packages();
    said(Command::new("lintian").args(["--fail-on=error", "--allow-root"]).args(&packages));
    for package in &packages {
        let (depends, _) = said(Command::new("dpkg-deb").arg("--field").arg(package).arg("Depends"));
        for library in ["libc6 (>= ", "libudev1 (>= "] {
            assert!(depends.contains(library), "{}: {depends}", package.display());
        }
    }
    let root = Root::new();
    root.dpkg(&[Path::new("--install"), &packages[0], &packages[1]]);
    for package in &packages {
        has_its_size(package, &root);
    }
    for name in ["fetcher", "applier"] {
        let (version, _) = said(Command::new(root.path("usr/bin").join(name)).arg("--version"));
        assert_eq!(version, format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
        let mut man = Command::new("man");
        man.arg("--manpath").arg(root.path("usr/share/man"));
        let (page, _) = said(man.args(["--where", name]));
        let expected = root.path("usr/share/man/man1").join(format!("{name}.1.gz"));
        assert_eq!(page.trim(), expected.display().to_string());
        for completion in [
            format!("usr/share/bash-completion/completions/{name}"),
            format!("usr/share/zsh/vendor-completions/_{name}"),
            format!("usr/share/fish/vendor_completions.d/{name}.fish"),
        ] {
            assert!(root.path(&completion).is_file(), "{completion}");
        }
    }
    links_lead_somewhere(&root);
    // installed and not enabled: nothing of a package is below /etc
    for unit in ["courier-station.service", "courier-sync.service", "courier-sync.timer"] {
        assert!(root.path("lib/systemd/system").join(unit).is_file(), "{unit}");
    }
    assert!(!root.path("etc").exists());
    // the catalogue that is shipped is one
    let mut check = Command::new(root.path("usr/bin/fetcher"));
    check.arg("--manifests").arg(root.path("usr/share/courier/firmware-manifests"));
    said(check.args(["releases", "--check"]));

    root.dpkg(&["--remove", "courier-applier", "courier-depot"].map(Path::new));
    assert_eq!(root.installed(), Vec::<PathBuf>::new());
}

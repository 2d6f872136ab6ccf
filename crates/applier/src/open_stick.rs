//! The stick: a folder or tar file that a person named, or a removable drive, which is mounted for reading except
//! while statements are laid on it.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use drive::{Access, Drive, Medium, MountError};
use firmware::Text;
use keys::SigningKey;
use receipt::{Chain, LaptopId};
use stick::statements::{DeliverError, Outstanding};
use stick::{Directory, NamedError, Stick, TarError, Tree, layout, media, statements};
use terminal::{Count, Exit, Failure, Output};

/// The stick, to be read. Nothing on it is verified yet.
#[derive(Debug)]
pub struct OpenStick(Place);

#[derive(Debug)]
enum Place {
    Named(Stick),
    Plugged(Box<Medium>),
}

/// Which of a laptop's statements a stick is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that are not known to have arrived at the depot.
    NotArrived,
    /// Every one.
    All,
}

impl Which {
    fn after(self, chain: &Chain) -> Result<u64, DeliverError> {
        Ok(if self == Self::All { 0 } else { chain.delivery()?.arrived })
    }
}

/// How it is named where several are plugged in.
const FLAG: &str = "--stick";
/// Where the kernel tells of drives, unless nobody has mounted it.
const KERNEL: [&str; 2] = ["/proc/self/mountinfo", "/sys/kernel"];

impl OpenStick {
    /// What is at this path; where nothing is, the removable drive with this serial number or node.
    pub fn named(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            match Medium::mounted_at(path) {
                Ok(Some(medium)) => return Ok(Self(Place::Plugged(Box::new(medium)))),
                Ok(None) => {}
                // nobody knows of drives: it is used as any other folder, and never ejected
                Err(MountError::List(_)) if !KERNEL.iter().all(|path| Path::new(path).exists()) => {}
                Err(error) => return Err(error.failure()),
            }
        }
        // a node is no tar file
        if !path.exists() || path.starts_with("/dev") {
            let drives = drive::list().map_err(|error| MountError::from(error).failure())?;
            if let Some((drive, volume)) = drive::named(&path.to_string_lossy(), &drives, FLAG)? {
                let medium = Medium::open(&drive, &volume, Access::Read).map_err(MountError::failure)?;
                return Ok(Self(Place::Plugged(Box::new(medium))));
            }
        }
        Stick::open(path).map(|stick| Self(Place::Named(stick))).map_err(|error| {
            let (exit, hint) = match &error {
                NamedError::Io(_) => (
                    Exit::Stick,
                    "plug it in and name its serial number, the folder where it is mounted, or an exported file; applier sticks lists what is plugged in",
                ),
                NamedError::Tar(TarError::Io(_)) => (Exit::Stick, "copy the file again"),
                NamedError::Tar(TarError::Rejected { .. }) => (
                    Exit::Rejected,
                    "copy the file again, or write it again at the depot: fetcher export FILE.tar",
                ),
            };
            Failure::of(exit, error).context(format!("stick {}", path.display())).hint(hint)
        })
    }

    /// The one that is plugged in and carries a publication; of several, a person chooses.
    pub fn plugged(output: Output) -> Result<Self, Failure> {
        let drives = drive::list().map_err(|error| MountError::from(error).failure())?;
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        for (drive, volume) in drives.iter().flat_map(|drive| drive.volumes.iter().map(move |v| (drive, v))) {
            if !volume.holds_files() {
                continue;
            }
            match Medium::open(drive, volume, Access::Read) {
                Ok(medium) => found.extend(signed_at(&medium.folder()).map(|signed_at| (medium, signed_at))),
                Err(error) => failed.push(error),
            }
        }
        if found.is_empty() {
            return Err(failed.pop().map_or_else(|| none(&drives), MountError::failure));
        }
        for error in failed {
            output.warn(format_args!("{error}; it was not looked at"));
        }
        let chosen = if found.len() == 1 { 0 } else { ask(&found, &drives)? };
        Ok(Self(Place::Plugged(Box::new(found.swap_remove(chosen).0))))
    }

    /// To be read.
    pub fn tree(&self) -> &dyn Tree {
        match &self.0 {
            Place::Named(stick) => stick.tree(),
            Place::Plugged(_) => self,
        }
    }

    /// Whether it can take statements at all: a tar file cannot.
    pub fn takes_statements(&self) -> bool {
        !matches!(self.0, Place::Named(Stick::Tar(_)))
    }

    /// What it needs to hold these statements of this laptop.
    pub fn outstanding(&self, chain: &Chain, key: &SigningKey, which: Which) -> anyhow::Result<Outstanding> {
        let after = which.after(chain)?;
        Ok(statements::outstanding(self.tree(), chain, &LaptopId::of(&key.public()), after)?)
    }

    /// Lays these statements on it where it lacks them, and gives how many those were.
    pub fn deliver(&self, chain: &Chain, key: &SigningKey, which: Which) -> anyhow::Result<usize> {
        let after = which.after(chain)?;
        let on = |directory: &Directory| {
            statements::deliver(directory, chain, &LaptopId::of(&key.public()), after)
        };
        match &self.0 {
            // it is not made writable for nothing
            _ if self.outstanding(chain, key, which)?.is_empty() => Ok(0),
            Place::Named(Stick::Directory(directory)) => Ok(on(directory)?),
            Place::Named(Stick::Tar(_)) => Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem).into()),
            Place::Plugged(medium) => Ok(medium.writable(|folder| on(&Directory::open(folder)?))??),
        }
    }

    /// The removable drive that it is, if it is one.
    pub fn into_medium(self) -> Option<Medium> {
        match self.0 {
            Place::Named(_) => None,
            Place::Plugged(medium) => Some(*medium),
        }
    }
}

impl fmt::Display for OpenStick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Named(Stick::Directory(directory)) => write!(f, "{}", directory.path().display()),
            Place::Named(Stick::Tar(_)) => write!(f, "tar file"),
            Place::Plugged(medium) => write!(f, "{}", medium.drive()),
        }
    }
}

/// A drive is opened anew for each file: nothing holds it while it is mounted anew.
impl Tree for OpenStick {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        match &self.0 {
            Place::Named(stick) => stick.tree().open(path),
            Place::Plugged(medium) => {
                let file = Directory::open(&medium.folder())?.file(path)?;
                Ok(file.map(|file| Box::new(file) as Box<dyn Read + Send>))
            }
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<media::Entry>> {
        match &self.0 {
            Place::Named(stick) => stick.tree().list(folder),
            Place::Plugged(medium) => Directory::open(&medium.folder())?.list(folder),
        }
    }
}

/// Which of these a person means, by when they say that they were signed.
fn ask(found: &[(Medium, Text)], drives: &[Drive]) -> Result<usize, Failure> {
    let listed = found.iter().map(|(medium, signed_at)| {
        let (drive, volume) = (medium.drive(), medium.volume().node.display());
        format!("{drive}, {volume}, says it was signed at {signed_at}")
    });
    let names = found.iter().map(|(medium, _)| {
        let on_it = found.iter().filter(|(other, _)| other.drive().node == medium.drive().node);
        if on_it.count() > 1 {
            medium.volume().node.display().to_string()
        } else {
            medium.drive().handle(drives)
        }
    });
    drive::ask(&listed.collect::<Vec<_>>(), &names.collect::<Vec<_>>(), FLAG)
}

/// When the publication in this folder says that it was signed; `None` where there is none.
fn signed_at(folder: &Path) -> Option<Text> {
    let directory = Directory::open(folder).ok()?;
    let bytes = media::read(&directory, layout::TIMESTAMP, tuf_client::Role::Timestamp.cap()).ok()??;
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let claimed = json["signed"]["custom"]["signed_at"].as_str().unwrap_or("an unknown time");
    Some(Text::cleaned(claimed))
}

/// Why there is none, by what is plugged in.
fn none(drives: &[Drive]) -> Failure {
    let (message, hint) = if drives.is_empty() {
        (
            "stick: none is plugged in".to_owned(),
            "plug it in; if it is a folder or a file that fetcher export wrote: --stick PATH",
        )
    } else {
        (
            format!("stick: {} plugged in, none carries a publication", Count(drives.len(), "drive")),
            "load one at the depot; applier sticks lists what is plugged in",
        )
    };
    Failure::new(Exit::Stick, message).hint(hint)
}

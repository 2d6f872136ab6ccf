//! Where a stick's files are: a folder that a person names, or a stick that is plugged in.

use std::path::{Path, PathBuf};

use drive::{Access, Drive, EjectArgs, Medium, MountError};
use stick::Directory;
use terminal::{Exit, Failure, Output};

/// Said before it: it may take minutes in which nothing else is said.
const CHECKING: &str =
    "the stick was pulled out before it was unmounted; its file system is checked: do not pull it out";

/// Where a stick's files are.
pub(super) enum Place {
    /// A folder, which nobody need unmount as far as this program knows.
    Folder(PathBuf),
    /// A removable drive.
    Plugged(Box<Medium>),
}

impl Place {
    /// The folder, or else the stick of this serial number or node, or else the one that is plugged in.
    pub(super) fn find(
        folder: Option<&Path>,
        stick: Option<&str>,
        access: Access,
        output: Output,
    ) -> Result<Self, Failure> {
        if let Some(folder) = folder {
            let mounted = Medium::mounted_at(folder).map_err(MountError::failure)?;
            return Ok(
                mounted.map_or_else(|| Self::Folder(folder.into()), |medium| Self::Plugged(Box::new(medium)))
            );
        }
        let (drive, volume) = drive::choose(stick, "--stick")?;
        if access == Access::Write && drive.read_only {
            let message = format!("stick: {drive} is write-protected");
            let hint = "move the switch on its side; a stick without one has given up: use another";
            return Err(Failure::new(Exit::Stick, message).hint(hint));
        }
        if access == Access::Write
            && let Some(check) = volume.check(|| output.note(CHECKING))
        {
            output.warn(format_args!("stick {drive}: {check}"));
        }
        let medium = Medium::open(&drive, &volume, access).map_err(MountError::failure)?;
        Ok(Self::Plugged(Box::new(medium)))
    }

    /// The drive, where it is known to be one.
    pub(super) fn drive(&self) -> Option<&Drive> {
        match self {
            Self::Folder(_) => None,
            Self::Plugged(medium) => Some(medium.drive()),
        }
    }

    /// What of it can be mounted anew.
    pub(super) fn medium(&self) -> Option<&Medium> {
        match self {
            Self::Folder(_) => None,
            Self::Plugged(medium) => Some(medium),
        }
    }

    /// For people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Plugged(medium) => medium.drive().to_string(),
        }
    }

    /// Opens it.
    pub(super) fn open(&self) -> Result<Directory, Failure> {
        let folder = match self {
            Self::Folder(folder) => folder.clone(),
            Self::Plugged(medium) => medium.folder(),
        };
        Directory::open(&folder).map_err(|error| {
            Failure::of(Exit::Stick, error)
                .context(format!("stick {}", self.name()))
                .hint("plug it in and name the folder where it is mounted")
        })
    }

    /// Ejects it, and says with `besides` that it may be pulled out, or why not.
    pub(super) fn part(self, eject: EjectArgs, besides: &str, output: Output) {
        match self {
            Self::Folder(_) => output.data(format_args!("unmount it before you pull it out{besides}")),
            Self::Plugged(medium) => eject.part(*medium, true, besides, output),
        }
    }
}

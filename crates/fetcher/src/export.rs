//! Publication to a tar file: written beside its name, read back, and only then given the name.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use keys::durable;
use rustix::fs::{Advice, fadvise};
use stick::{Contents, Event, ExportError, Source, Tar, layout, media};
use tempfile::NamedTempFile;
use tuf_client::{Clock, Role, Root, Verified};

/// What has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Nothing.
    Nothing,
    /// An export of this depot: its first root is in it.
    Ours,
    /// Anything else, a damaged export among it.
    Foreign,
}

/// Looks at what has the name; `first_root` is this depot's `1.root.json`.
pub fn existing(path: &Path, first_root: &[u8]) -> io::Result<Existing> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Existing::Nothing),
        Err(error) => return Err(error),
        // not what a link leads to: the link itself would be replaced
        Ok(metadata) if !metadata.is_file() => return Ok(Existing::Foreign),
        Ok(_) => {}
    }
    let Ok(tar) = Tar::open(path) else { return Ok(Existing::Foreign) };
    let name = layout::metadata(Role::Root.versioned_file(1, true));
    let root = media::read(&tar, &name, Role::Root.cap());
    Ok(if root.is_ok_and(|root| root.as_deref() == Some(first_root)) {
        Existing::Ours
    } else {
        Existing::Foreign
    })
}

/// Writes the file. It has its name only once all of it was read back and verified as the applier does;
/// one that has the name already is replaced only with `replace`.
pub fn write(
    path: &Path,
    contents: &Contents,
    source: &Source<'_>,
    root: &Verified<Root>,
    clock: Clock,
    replace: bool,
    events: &mut dyn FnMut(Event),
) -> Result<(), ExportError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let file = NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(ExportError::Write)?;
    let mut buffered = BufWriter::new(file.as_file());
    stick::export(contents, source, &mut buffered, events)?;
    buffered.flush().map_err(ExportError::Write)?;
    drop(buffered);
    events(Event::Syncing);
    file.as_file().sync_all().map_err(ExportError::Write)?;
    // what is read back is to come from the disk; nothing is dropped that was not synced
    fadvise(file.as_file(), 0, None, Advice::DontNeed).map_err(|e| ExportError::Write(e.into()))?;
    stick::read_back(file.path(), contents, root, clock, events)?;
    durable::name(file, path, 0o644, replace).map_err(ExportError::Write)
}

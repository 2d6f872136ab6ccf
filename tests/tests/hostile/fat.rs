use std::io::{self, Read};

use stick::media::{Capacity, Entry, Sink, Tree};
use stick::{Directory, Media, layout};

/// A folder that takes files as large as FAT32 does, and no larger.
#[derive(Debug)]
pub(crate) struct Fat(pub(crate) Directory);

impl Tree for Fat {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        self.0.open(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        self.0.list(folder)
    }
}

impl Media for Fat {
    fn create(&self, path: &str) -> io::Result<Box<dyn Sink + '_>> {
        self.0.create(path)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.0.remove(path)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.sync_names()
    }

    fn forget(&self, path: &str) -> io::Result<()> {
        self.0.forget(path)
    }

    fn capacity(&self) -> io::Result<Capacity> {
        Ok(Capacity { largest_file: Some(layout::LARGEST_FILE), ..Capacity::default() })
    }
}

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::media::Sink;

/// Bytes that are brought to the medium together, while the next are written to memory. So at most twice as
/// many are not on the medium yet: without a bound the system takes as much as it has memory, and whoever
/// watches is told that a stick is nearly full when it has barely begun.
const PORTION: u64 = 4 << 20;

/// A file of a mounted stick that is being written.
pub(crate) struct FileSink {
    file: Arc<File>,
    length: u64,
    /// Bytes since a portion was last on its way.
    waiting: u64,
    /// The portion that is on its way.
    under_way: Option<JoinHandle<io::Result<()>>>,
}

impl FileSink {
    pub(crate) fn new(file: File) -> Self {
        Self { file: Arc::new(file), length: 0, waiting: 0, under_way: None }
    }

    /// Waits until the portion that is on its way has arrived.
    fn arrive(&mut self) -> io::Result<()> {
        match self.under_way.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(arrived) => arrived.unwrap_or_else(|_| Err(io::Error::other("syncing it ended early"))),
        }
    }
}

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = (&*self.file).write(bytes)?;
        self.length += count as u64;
        self.waiting += count as u64;
        if self.waiting >= PORTION {
            self.arrive()?;
            let file = Arc::clone(&self.file);
            self.under_way = Some(thread::spawn(move || file.sync_data()));
            self.waiting = 0;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.file).flush()
    }
}

impl Sink for FileSink {
    fn sync(mut self: Box<Self>) -> io::Result<()> {
        self.arrive()?;
        self.file.set_len(self.length)?;
        self.file.sync_all()
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        // a file that is held open keeps the stick from being unmounted; whoever dropped it has its error
        let _ = self.arrive();
    }
}

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use rustix::io::Errno;

/// What every device can be read in: the page of the machine and a multiple of any sector.
const ALIGNMENT: usize = 4096;
/// Bytes asked for at a time. A stick wants large requests; hashing goes on in smaller ones.
const REQUEST: usize = 512 * 1024;
/// Requests that are answered before they are needed.
const AHEAD: usize = 2;

/// Reads a file that was opened with `O_DIRECT`: every byte comes from the medium, none from memory
/// (open(2)). The next part is read while the last one is used, which the system does by itself for files
/// that it keeps in memory.
#[derive(Debug)]
pub(crate) struct DirectReader {
    part: Part,
    /// What of it was taken already.
    taken: usize,
    ahead: Option<Ahead>,
}

/// What is read meanwhile.
#[derive(Debug)]
struct Ahead {
    parts: Receiver<io::Result<Part>>,
    /// Where parts go that were taken, to be filled again.
    used: Sender<Part>,
    thread: JoinHandle<()>,
}

/// An answer to a request. Offset, length and address of each request have to be aligned.
#[derive(Debug)]
struct Part {
    buffer: Vec<u8>,
    /// Where the aligned part of the buffer begins.
    start: usize,
    length: usize,
}

impl Part {
    fn new() -> Self {
        let buffer = vec![0; REQUEST + ALIGNMENT];
        let start = buffer.as_ptr().align_offset(ALIGNMENT);
        Self { buffer, start, length: 0 }
    }

    /// Asks for the next part of a file, of which so many bytes are left.
    fn fill(mut self, mut file: &File, left: u64) -> io::Result<Self> {
        let into = &mut self.buffer[self.start..self.start + REQUEST];
        let length = if left == 0 { 0 } else { file.read(into)? };
        // a request that is not at the end of the file is answered whole; one that is not aligned any more
        // would be refused with a less helpful word
        if length < REQUEST && (length as u64) < left {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "medium gave less than was asked for"));
        }
        Ok(Self { length, ..self })
    }
}

impl DirectReader {
    /// Reads the beginning; `None` where the file system opens files so, and then does not read them.
    pub(crate) fn new(file: File) -> io::Result<Option<Self>> {
        let length = file.metadata()?.len();
        let part = match Part::new().fill(&file, length) {
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => return Ok(None),
            part => part?,
        };
        let left = length.saturating_sub(part.length as u64);
        let ahead = (left > 0).then(|| {
            let ((sender, parts), (used, empty)) = (sync_channel(AHEAD), channel());
            let thread = thread::spawn(move || read_ahead(&file, left, &sender, &empty));
            Ahead { parts, used, thread }
        });
        Ok(Some(Self { part, taken: 0, ahead }))
    }

    fn next(&mut self) -> io::Result<()> {
        let Some(ahead) = &self.ahead else { return Ok(()) };
        // an end of the thread is the end of the file: an error comes as a part
        if let Ok(part) = ahead.parts.recv() {
            let used = std::mem::replace(&mut self.part, part?);
            self.taken = 0;
            let _ = ahead.used.send(used);
        }
        Ok(())
    }
}

/// Reads part after part until the end, or until nobody wants more.
fn read_ahead(file: &File, mut left: u64, parts: &SyncSender<io::Result<Part>>, empty: &Receiver<Part>) {
    while left > 0 {
        let part = empty.try_recv().unwrap_or_else(|_| Part::new()).fill(file, left);
        left = part.as_ref().map_or(0, |part| left.saturating_sub(part.length as u64));
        if parts.send(part).is_err() {
            return;
        }
    }
}

impl Read for DirectReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.part.length {
            self.next()?;
        }
        let Part { buffer, start, length } = &self.part;
        let count = into.len().min(length - self.taken);
        let from = start + self.taken;
        into[..count].copy_from_slice(&buffer[from..from + count]);
        self.taken += count;
        Ok(count)
    }
}

impl Drop for DirectReader {
    fn drop(&mut self) {
        // a file that is held open keeps the stick from being unmounted
        if let Some(Ahead { parts, thread, .. }) = self.ahead.take() {
            drop(parts);
            let _ = thread.join();
        }
    }
}

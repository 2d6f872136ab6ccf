use std::fs::File;
use std::io::{self, Read};

/// What every device can be read in: the page of the machine and a multiple of any sector.
const ALIGNMENT: usize = 4096;
/// Bytes asked for at a time. A stick wants large requests; hashing goes on in smaller ones.
const REQUEST: usize = 256 * 1024;

/// Reads a file that was opened with `O_DIRECT`: every byte comes from the medium, none from memory
/// (open(2)). Offset, length and address of each request have to be aligned.
#[derive(Debug)]
pub(crate) struct DirectReader {
    file: File,
    /// Bytes of the file that were not asked for yet.
    left: u64,
    buffer: Vec<u8>,
    /// Where the aligned part of the buffer begins.
    start: usize,
    /// What of it was read and not taken yet.
    at: usize,
    end: usize,
}

impl DirectReader {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let left = file.metadata()?.len();
        let buffer = vec![0; REQUEST + ALIGNMENT];
        let start = buffer.as_ptr().align_offset(ALIGNMENT);
        Ok(Self { file, left, buffer, start, at: start, end: start })
    }

    /// Asks for the next part; at the end there is none.
    fn refill(&mut self) -> io::Result<()> {
        let part = &mut self.buffer[self.start..self.start + REQUEST];
        let count = if self.left == 0 { 0 } else { self.file.read(part)? };
        // a request that is not at the end of the file is answered whole; one that is not aligned any more
        // would be refused with a less helpful word
        if count < REQUEST && (count as u64) < self.left {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "medium gave less than was asked for"));
        }
        self.left = self.left.saturating_sub(count as u64);
        (self.at, self.end) = (self.start, self.start + count);
        Ok(())
    }
}

impl Read for DirectReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end {
            self.refill()?;
        }
        let count = into.len().min(self.end - self.at);
        into[..count].copy_from_slice(&self.buffer[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

//! A medium that does what it should not, over a real directory, and that counts what is read of it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use stick::media::Entry;
use stick::{Directory, Tree};

use crate::case::Oddity;

pub(crate) struct Odd<'a> {
    inner: &'a Directory,
    does: &'a [Oddity],
    opened: Mutex<BTreeMap<String, u32>>,
    read: Arc<AtomicU64>,
}

impl<'a> Odd<'a> {
    pub(crate) fn new(inner: &'a Directory, does: &'a [Oddity]) -> Self {
        Self { inner, does, opened: Mutex::default(), read: Arc::default() }
    }

    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The path as it is written on the medium, where case makes no difference.
    fn as_written(&self, path: &str) -> io::Result<String> {
        let mut written = String::new();
        for component in path.split('/') {
            let folder = if written.is_empty() { "." } else { &written };
            let entries = self.inner.list(folder)?;
            let entry =
                entries.into_iter().find(|entry| entry.name.to_lowercase() == component.to_lowercase());
            let name = entry.map_or_else(|| component.to_owned(), |entry| entry.name);
            written = if written.is_empty() { name } else { format!("{written}/{name}") };
        }
        Ok(written)
    }
}

impl Tree for Odd<'_> {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        let opened = {
            let mut opened = self.opened.lock().unwrap();
            let count = opened.entry(path.to_owned()).or_default();
            *count += 1;
            *count
        };
        let path_there =
            if self.does.contains(&Oddity::FoldsCase) { self.as_written(path)? } else { path.to_owned() };
        let mut reader = self.inner.open(&path_there)?;
        let about = |file: &String| path == format!("COURIER/{file}");
        for oddity in self.does {
            let inner = reader.take();
            reader = match oddity {
                Oddity::Endless(file) if about(file) => Some(Box::new(io::repeat(b' '))),
                Oddity::ChangesAfter(file, reads) if about(file) && opened > *reads => {
                    inner.map(|inner| Box::new(Changed { inner, at: 0 }) as Box<dyn Read + Send>)
                }
                Oddity::Fails(file) if about(file) => {
                    inner.map(|inner| Box::new(inner.take(100).chain(Fails)) as Box<dyn Read + Send>)
                }
                Oddity::Drips => inner.map(|inner| Box::new(Drips { inner }) as Box<dyn Read + Send>),
                _ => inner,
            };
        }
        let read = Arc::clone(&self.read);
        Ok(reader.map(|inner| Box::new(Counted { inner, read }) as Box<dyn Read + Send>))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        self.inner.list(folder)
    }
}

struct Counted<'a> {
    inner: Box<dyn Read + Send + 'a>,
    read: Arc<AtomicU64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

struct Drips<'a> {
    inner: Box<dyn Read + Send + 'a>,
}

impl Read for Drips<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(1);
        self.inner.read(&mut buffer[..most])
    }
}

/// One bit of the byte at 100.
struct Changed<'a> {
    inner: Box<dyn Read + Send + 'a>,
    at: usize,
}

impl Read for Changed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(byte) = 100usize.checked_sub(self.at).and_then(|at| buffer[..count].get_mut(at)) {
            *byte ^= 1;
        }
        self.at += count;
        Ok(count)
    }
}

struct Fails;

impl Read for Fails {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(5))
    }
}

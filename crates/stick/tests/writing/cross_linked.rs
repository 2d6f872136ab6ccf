//! A file system that was never closed: the clusters of a file that is there are taken for free ones, so that what is
//! written next is laid over it.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use stick::media::{Capacity, Entry, Sink, Tree};
use stick::{Agreed, Directory, Event, Media, WriteError, layout, media};

use crate::depot::{Depot, whole};

/// The first so many writes of one file of a pair are laid over the other one, too.
struct CrossLinked<'a> {
    stick: &'a Directory,
    over: Vec<(String, String)>,
    times: AtomicUsize,
}

impl Tree for CrossLinked<'_> {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        self.stick.open(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        self.stick.list(folder)
    }
}

impl Media for CrossLinked<'_> {
    fn create(&self, path: &str) -> io::Result<Box<dyn Sink + '_>> {
        let sink = self.stick.create(path)?;
        Ok(Box::new(Body { sink, medium: self, path: path.to_owned() }))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.stick.remove(path)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.stick.sync_names()
    }

    fn forget(&self, path: &str) -> io::Result<()> {
        self.stick.forget(path)
    }

    fn capacity(&self) -> io::Result<Capacity> {
        self.stick.capacity()
    }
}

struct Body<'a> {
    sink: Box<dyn Sink + 'a>,
    medium: &'a CrossLinked<'a>,
    path: String,
}

impl Write for Body<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Sink for Body<'_> {
    fn sync(self: Box<Self>) -> io::Result<()> {
        self.sink.sync()?;
        let CrossLinked { stick, over, times } = self.medium;
        let is_left =
            || times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if let Some((_, other)) = over.iter().find(|(written, _)| *written == self.path)
            && is_left()
        {
            let length = media::read(*stick, other, 1 << 20)?.unwrap_or_default().len();
            media::write(*stick, other, &vec![0xE5; length])?;
        }
        Ok(())
    }
}

#[test]
fn what_was_there_and_was_written_over_is_mended() {
    let depot = Depot::new();
    let snapshot = |version: u64| layout::metadata(format!("{version}.snapshot.json"));
    let targets = layout::metadata("2.targets.json");
    for under_it in [snapshot(2), layout::metadata("1.root.json"), layout::README.to_owned()] {
        let (_dir, stick) = depot.stick_with_the_first();
        // as a load that was cut off left it: most of the second publication is there
        depot.load(&stick, 1).unwrap();
        stick.remove(&targets).unwrap();
        let over = vec![(targets.clone(), under_it.clone())];
        let medium = CrossLinked { stick: &stick, over, times: 1.into() };
        let mut mended = Vec::new();
        let events = &mut |event| {
            if let Event::Mending { path, .. } = event {
                mended.push(path);
            }
        };
        depot.load_telling(&medium, 1, Agreed::default(), events).unwrap();
        assert_eq!(mended, [under_it]);
        assert_eq!(depot.look(&stick), Some((2, whole(["three", "two"]))));
    }
}

#[test]
fn two_files_in_one_place_are_not_called_whole() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    depot.load(&stick, 1).unwrap();
    let (root, targets) = (layout::metadata("1.root.json"), layout::metadata("2.targets.json"));
    stick.remove(&targets).unwrap();
    let over = vec![(targets.clone(), root.clone()), (root, targets.clone())];
    let medium = CrossLinked { stick: &stick, over, times: usize::MAX.into() };
    let error = depot.load(&medium, 1).unwrap_err();
    assert!(matches!(&error, WriteError::ReadBack { path, .. } if *path == targets), "{error:?}");
}

//! Statements on a stick to the ledger.
//!
//! They are read and their signatures checked by as many threads as there are processors; what was checked goes into
//! the ledger some at a time, each time all of it or nothing. What was cut off is taken by the next collection, which
//! knows what has arrived. Nothing grows with the number of statements but one list of their
//! names at a time, which is capped.

mod checker;
mod taken;

use std::io;
use std::num::NonZero;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;
use keys::AgeIdentity;
use receipt::LaptopId;
use serde::Serialize;
use stick::media::Tree;
use stick::statements::{self, Name};
use terminal::Count;

pub use checker::{Checker, Read};
pub use taken::Taken;

use crate::ledger::{Ledger, LedgerError, Received};
use crate::recipient::WAY_OUT;

/// What a stick brought. Of many statements of a kind the first thousand are listed, and all are counted.
#[derive(Debug, Default, Serialize)]
pub struct Collected {
    /// New statements, each in words.
    pub new: Vec<Arrival>,
    /// How many are new.
    pub new_count: usize,
    /// Statements that had arrived before.
    pub known: u64,
    /// Laptops that are not enrolled and brought statements.
    pub held: Vec<LaptopId>,
    /// Laptops that brought new statements beyond the one up to which they are believed.
    pub revoked: Vec<LaptopId>,
    /// Files whose statement had arrived before, in another place or in other bytes.
    pub replayed: Vec<Reject>,
    /// How many of these there are.
    pub replayed_count: usize,
    /// Files that are no statements of an enrolled laptop.
    pub rejected: Vec<Reject>,
    /// How many of these there are.
    pub rejected_count: usize,
    /// How many of these are encrypted to a recipient for which this home has no identity.
    pub unopened_count: usize,
    /// Files whose statement is in the ledger now, in its place.
    #[serde(skip)]
    pub taken: Taken,
}

impl Collected {
    /// What it brought, in lines for people.
    pub fn news(&self) -> impl Iterator<Item = String> {
        let new = self
            .new
            .iter()
            .map(|arrival| format!("{}/{}  {}", arrival.laptop, arrival.counter, arrival.says));
        let more = more(self.new_count, self.new.len()).map(|more| format!("{more} more are new"));
        let count = format!("{}, {} known", Count(self.new_count as u64, "new statement"), self.known);
        new.chain(more).chain([count])
    }

    /// What somebody should look at.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let held = self.held.iter();
        let held = held
            .map(|laptop| format!("laptop {laptop} is not enrolled: its statements are held until it is"));
        let revoked = self.revoked.iter();
        let revoked = revoked
            .map(|laptop| format!("laptop {laptop} is revoked: its later statements are not believed"));
        let replayed = told(&self.replayed, self.replayed_count, "arrived before", "replayed");
        let rejected = told(&self.rejected, self.rejected_count, "rejected", "rejected");
        let unopened = (self.unopened_count > 0).then(|| {
            let statements = Count(self.unopened_count as u64, "statement");
            format!(
                "{statements} encrypted to a recipient for which this home has no identity\nhint: {WAY_OUT}"
            )
        });
        held.chain(revoked).chain(replayed).chain(rejected).chain(unopened)
    }
}

/// Files, the first of them one by one.
fn told<'a>(
    files: &'a [Reject],
    count: usize,
    what: &'static str,
    together: &'static str,
) -> impl Iterator<Item = String> + 'a {
    let first = &files[..files.len().min(MOST_TOLD)];
    let more = more(count, first.len()).map(|more| format!("{more} more were {together}"));
    first.iter().map(move |file| format!("{} {what}: {}", file.path, file.reason)).chain(more)
}

fn more(all: usize, told: usize) -> Option<usize> {
    Some(all.saturating_sub(told)).filter(|more| *more > 0)
}

/// A statement that is new to the ledger.
#[derive(Debug, Serialize)]
pub struct Arrival {
    /// Who says it.
    pub laptop: LaptopId,
    /// Its number.
    pub counter: u64,
    /// What it says, in a line.
    pub says: String,
}

/// A file that is not as a laptop wrote it.
#[derive(Debug, Serialize)]
pub struct Reject {
    /// Where it lies on the stick.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Why not all statements of a stick could be taken. Those that were are kept; the others are still on it.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The stick cannot be read.
    #[error("stick: statements cannot be listed")]
    Stick(#[source] io::Error),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Files that are named one by one to people.
const MOST_TOLD: usize = 20;
/// Of each kind, what is kept to be told of.
const MOST_LISTED: usize = 1_000;
/// Statements that go into the ledger at once: enough that waiting for the disk at the end of each change costs little, and
/// no more than the ledger's cache holds the pages of.
const BATCH: usize = 512;
/// So many bytes are enough for a batch, of which several are under way: a statement may have 256 KiB, a usual one has two or three.
const BATCH_BYTES: usize = 1 << 20;

/// Takes every statement of a stick. Nothing on the stick is changed.
pub fn collect(
    medium: &dyn Tree,
    ledger: &Ledger,
    identity: Option<AgeIdentity>,
    now: Timestamp,
) -> Result<Collected, CollectError> {
    let (found, checker) = (find(medium)?, Checker { keys: ledger.keys()?, identity });
    let mut collected = Collected::default();
    read(medium, found, &checker, |batch| collected.take_all(batch, ledger, now))?;
    Ok(collected)
}

/// The statements on a stick, to be given to [`read`].
pub fn find(medium: &dyn Tree) -> Result<Vec<Name>, CollectError> {
    statements::find(medium).map_err(CollectError::Stick)
}

/// Reads statements from a stick and checks them, and gives them to `take`, some at a time, until it fails.
pub fn read<E>(
    medium: &dyn Tree,
    found: Vec<Name>,
    checker: &Checker,
    take: impl FnMut(Vec<Read>) -> Result<(), E>,
) -> Result<(), E> {
    let found = Mutex::new(found.into_iter());
    let (batches, arriving) = sync_channel(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let (found, batches) = (&found, batches.clone());
            scope.spawn(move || {
                loop {
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    let next: Vec<_> = found.by_ref().take(BATCH).collect();
                    drop(found);
                    // nobody takes them any more once the ledger has failed
                    if next.is_empty() || !check_all(medium, next, checker, &batches) {
                        return;
                    }
                }
            });
        }
        drop(batches);
        arriving.into_iter().try_for_each(take)
    })
}

/// Reads and checks these; whether somebody still took them.
fn check_all(medium: &dyn Tree, next: Vec<Name>, checker: &Checker, batches: &SyncSender<Vec<Read>>) -> bool {
    let (mut batch, mut size) = (Vec::new(), 0);
    for name in next {
        let found = statements::take(medium, name);
        size += found.bytes.as_ref().map_or(0, Vec::len);
        batch.push(checker.check(found));
        if size >= BATCH_BYTES {
            size = 0;
            if batches.send(std::mem::take(&mut batch)).is_err() {
                return false;
            }
        }
    }
    batch.is_empty() || batches.send(batch).is_ok()
}

impl Collected {
    /// Takes what was read, all of it or nothing.
    pub fn take_all(&mut self, read: Vec<Read>, ledger: &Ledger, now: Timestamp) -> Result<(), LedgerError> {
        let change = ledger.begin()?;
        for statement in read {
            self.take(statement, ledger, now)?;
        }
        // batches come in the order in which they were ready
        self.new.sort_by(|a, b| (&a.laptop, a.counter).cmp(&(&b.laptop, b.counter)));
        change.commit()
    }

    fn take(&mut self, read: Read, ledger: &Ledger, now: Timestamp) -> Result<(), LedgerError> {
        let Read { name, statement } = read;
        let (path, Name { laptop, counter, .. }) = (name.path(), name.clone());
        let (bytes, checked) = match statement {
            Ok(statement) => statement,
            Err(e) => {
                self.unopened_count += usize::from(e.is_for_another());
                self.reject(path, chain(&e));
                return Ok(());
            }
        };
        match ledger.take(&laptop, counter, &bytes, checked, now)? {
            Received::New(statement) => {
                self.new_count += 1;
                if self.new.len() < MOST_LISTED {
                    let (head, says) = (&statement.statement().head, statement.statement().to_string());
                    self.new.push(Arrival { laptop: head.laptop.clone(), counter: head.counter, says });
                }
                // one of another laptop, or number, is not named by what it is called here
                if (&laptop, counter)
                    == (&statement.statement().head.laptop, statement.statement().head.counter)
                {
                    self.taken.insert(&name);
                }
            }
            Received::Known => {
                self.known += 1;
                self.taken.insert(&name);
            }
            Received::Replayed(statement) => {
                let head = &statement.statement().head;
                let reason = format!("it is statement {} of laptop {}", head.counter, head.laptop);
                self.replayed_count += 1;
                keep(&mut self.replayed, Reject { path, reason });
            }
            Received::Held if self.held.contains(&laptop) => {}
            Received::Held => self.held.push(laptop),
            Received::Revoked(laptop) if self.revoked.contains(&laptop) => {}
            Received::Revoked(laptop) => self.revoked.push(laptop),
            Received::Full => self.reject(
                path,
                "its laptop is not enrolled, or revoked, and too many such are held already".into(),
            ),
            Received::Rejected(e) => self.reject(path, chain(&e)),
        }
        Ok(())
    }

    fn reject(&mut self, path: String, reason: String) {
        self.rejected_count += 1;
        keep(&mut self.rejected, Reject { path, reason });
    }
}

fn keep<T>(list: &mut Vec<T>, one: T) {
    if list.len() < MOST_LISTED {
        list.push(one);
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

//! What is done with one stick.

use std::fs::read_dir;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use drive::{Access, Drive, Medium, MountError, NotSafe};
use jiff::Timestamp;
use stick::{Agreed, Directory, layout};
use terminal::{Exit, Fail, Failure};

use super::tell::{Loaded, Said};
use crate::collect::{self, Checker, Collected, Taken};
use crate::commands::outgoing::{Asked, Outgoing};
use crate::commands::{collect as collect_command, ledger_failure, load, publication_failure};
use crate::context::{Context, home_failure};
use crate::home::Home;
use crate::ledger::Ledger;
use crate::load::good_until;
use crate::publication::Publication;

/// What every stick is served by.
pub(super) struct Station {
    asked: Asked,
    takes_any_stick: bool,
    ejects: bool,
    context: Context,
    dir: PathBuf,
    /// Locked only while something is taken from it or written to it: no stick keeps it.
    home: Mutex<Weak<Home>>,
    /// One stick at a time has the publication prepared for it.
    preparing: Mutex<()>,
}

/// How far one try to serve a stick got.
pub(super) enum Served {
    /// To its end, with this exit code.
    Ended(Exit),
    /// It could not be mounted. Right after it was plugged in, that may only mean that the system does not know
    /// all of it yet.
    NotMounted(MountError),
}

impl Station {
    /// Says at once what is wrong with the depot.
    pub(super) fn open(
        asked: Asked,
        takes_any_stick: bool,
        ejects: bool,
        context: &Context,
    ) -> Result<Self, Failure> {
        let dir = context.home_dir()?;
        let station = Self {
            asked,
            takes_any_stick,
            ejects,
            context: context.clone(),
            dir,
            home: Mutex::default(),
            preparing: Mutex::default(),
        };
        let waits = "another program works in the depot's home; waiting for it";
        let home = station.home(&mut || context.output.note(waits))?;
        Publication::open(&home.publication()).map_err(publication_failure)?;
        Ok(station)
    }

    /// Serves a stick; `is_from_before` are those that were plugged in when the station began.
    pub(super) fn serve(&self, drive: &Drive, is_from_before: bool, tell: &mut dyn FnMut(Said)) -> Served {
        // as it is now: partitions and mounts may have come since it was seen
        let drive = drive::list().ok().and_then(|all| all.into_iter().find(|now| now.is_same_plug(drive)));
        let Some(drive) = drive else {
            let gone = Failure::new(Exit::Stick, "stick: it was pulled out before anything was done");
            return Served::Ended(failed(&gone, tell));
        };
        let volume = match drive::volume(&drive, "fetcher load --stick") {
            Ok(volume) => volume.clone(),
            Err(unclear) if unclear.exit == Exit::Usage => return Served::Ended(failed(&unclear, tell)),
            Err(_) => return Served::NotMounted(MountError::NoFilesystem(drive.node.clone())),
        };
        let was_mounted = is_from_before && volume.mount.is_some();
        let mut medium = match Medium::open(&drive, &volume, Access::Read) {
            Ok(medium) => medium,
            Err(error) => return Served::NotMounted(error),
        };
        let not_ours = self.is_not_ours(&medium.folder(), was_mounted);
        if volume.dirty && !drive.read_only && matches!(not_ours, Ok(None)) {
            // a checker wants it for itself
            drop(medium);
            if let Some(check) = volume.check(|| tell(Said::Checking)) {
                tell(Said::Checked(check));
            }
            medium = match Medium::open(&drive, &volume, Access::Read) {
                Ok(medium) => medium,
                Err(error) => return Served::NotMounted(error),
            };
        }
        let ended = match not_ours {
            Ok(None) => self.bring_up_to_date(&drive, &medium, tell).map(|()| true),
            Ok(Some(why)) => {
                tell(Said::LeftAlone { why });
                Ok(false)
            }
            Err(failure) => Err(failure),
        };
        let (exit, is_done) = match ended {
            Ok(is_done) => (Exit::Done, is_done),
            Err(failure) => (failed(&failure, tell), false),
        };
        Served::Ended(exit.worst(self.part(medium, is_done, tell)))
    }

    /// Says how it is left. One that is not done with stays switched on, if only to be looked at.
    fn part(&self, medium: Medium, is_done: bool, tell: &mut dyn FnMut(Said)) -> Exit {
        match medium.part_with(self.ejects && is_done) {
            Ok(parting) => {
                tell(Said::Parted(parting));
                Exit::Done
            }
            // it went by itself, which is told
            Err(NotSafe::Gone(_)) => Exit::Done,
            Err(error) => failed(&error.failure(), tell),
        }
    }

    /// Why a stick is none of ours, if it is none. Nothing was written to it by then.
    fn is_not_ours(&self, folder: &Path, was_mounted: bool) -> Result<Option<String>, Failure> {
        let mut is_empty = true;
        for entry in read_dir(folder).fail(Exit::Stick)? {
            let name = entry.fail(Exit::Stick)?.file_name();
            if name == layout::FOLDER {
                return Ok(None);
            }
            is_empty &= OF_SYSTEMS.iter().any(|known| name == *known);
        }
        let why = match (is_empty, was_mounted) {
            _ if self.takes_any_stick => return Ok(None),
            (false, _) => "it holds other files and was never loaded",
            (true, true) => {
                "it was mounted when the station began and was never loaded: it may be a disk of this machine"
            }
            (true, false) => return Ok(None),
        };
        Ok(Some(format!("{why}; fetcher load --stick or --any-stick loads it")))
    }

    fn bring_up_to_date(
        &self,
        drive: &Drive,
        medium: &Medium,
        tell: &mut dyn FnMut(Said),
    ) -> Result<(), Failure> {
        #[allow(
            clippy::disallowed_methods,
            reason = "each stick is a run of its own, and a station runs for weeks"
        )]
        let context = Context { now: Timestamp::now(), ..self.context.clone() };
        let taken = self.collect(&medium.folder(), &context, tell)?;
        if drive.read_only {
            tell(Said::WriteProtected);
            return Ok(());
        }
        let outgoing = self.prepare(&context, tell)?;
        let written = medium.writable(|folder| {
            let stick = Directory::open(folder).fail(Exit::Stick)?;
            let mut events = |event| tell(Said::Writing(event));
            let plan = load::write(&stick, Some(drive), &outgoing, Agreed::default(), &mut events)?;
            Ok::<_, Failure>((plan, load::remove_delivered(&stick, &outgoing, &taken)?))
        });
        let (plan, removed_statements) = written.map_err(MountError::failure)??;
        load::look_again(medium, &outgoing)?;
        tell(Said::Loaded(Loaded {
            timestamp: outgoing.publication.current().timestamp.version(),
            carried: outgoing.carried.clone(),
            in_words: outgoing.in_words(),
            written_bytes: plan.bytes,
            removed_statements,
            good_until: good_until(&outgoing.publication),
        }));
        Ok(())
    }

    /// Takes its statements, and gives those that the ledger has. The home is nobody's while they are read: a stick may be slow, or answer nothing.
    fn collect(
        &self,
        folder: &Path,
        context: &Context,
        tell: &mut dyn FnMut(Said),
    ) -> Result<Taken, Failure> {
        let stick = Directory::open(folder).fail(Exit::Stick)?;
        let found = collect::find(&stick).map_err(collect_command::failure)?;
        let mut collected = Collected::default();
        let home = self.home(&mut || tell(Said::Waiting))?;
        let keys = Ledger::open(&home.ledger()).and_then(|ledger| ledger.keys()).map_err(ledger_failure)?;
        let checker = Checker { keys, identity: home.identity().ok().flatten() };
        drop(home);
        collect::read(&stick, found, &checker, |batch| {
            let home = self.home(&mut || tell(Said::Waiting))?;
            let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
            collected.take_all(batch, &ledger, context.now).map_err(ledger_failure)
        })?;
        let taken = std::mem::take(&mut collected.taken);
        tell(Said::Collected(collected));
        Ok(taken)
    }

    /// What goes out. The files of the depot are read later, without the lock: each is checked by its digest.
    fn prepare(&self, context: &Context, tell: &mut dyn FnMut(Said)) -> Result<Outgoing, Failure> {
        let home = self.home(&mut || tell(Said::Waiting))?;
        let _alone = self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
        let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
        Ok(Outgoing::prepare(publication, &self.asked, &home, context, |_| Ok(()))?.0)
    }

    /// The home, which those that are at work share; `waits` is told where another program has it.
    fn home(&self, waits: &mut dyn FnMut()) -> Result<Arc<Home>, Failure> {
        let mut shared = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(home) = shared.upgrade() {
            return Ok(home);
        }
        let home = Arc::new(Home::wait_for(&self.dir, waits).map_err(home_failure)?);
        *shared = Arc::downgrade(&home);
        Ok(home)
    }
}

/// Tells it, and gives its exit code.
pub(super) fn failed(failure: &Failure, tell: &mut dyn FnMut(Said)) -> Exit {
    tell(Said::failed(failure));
    failure.exit
}

/// What systems lay on sticks by themselves.
const OF_SYSTEMS: [&str; 8] = [
    "System Volume Information",
    "$RECYCLE.BIN",
    "lost+found",
    ".Trashes",
    ".Spotlight-V100",
    ".fseventsd",
    ".Trash-0",
    ".Trash-1000",
];

//! What is done with one stick.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use drive::{Access, Drive, Medium, MountError, NotSafe};
use jiff::Timestamp;
use stick::media::Kind;
use stick::{Agreed, Directory, Tree, layout};
use terminal::{Exit, Fail, Failure};

use super::tell::{Loaded, Said};
use crate::collect::collect;
use crate::commands::outgoing::Outgoing;
use crate::commands::{collect as collect_command, ledger_failure, load, publication_failure};
use crate::context::{Context, home_failure};
use crate::home::Home;
use crate::ledger::Ledger;
use crate::load::{Wanted, good_until};
use crate::publication::Publication;

/// What every stick is served by.
pub(super) struct Station {
    wanted: Wanted,
    takes_any_stick: bool,
    ejects: bool,
    context: Context,
    dir: PathBuf,
    /// Locked only while a stick is served: between sticks, other commands have their turn.
    home: Mutex<Weak<Home>>,
    /// One stick at a time has the publication prepared for it.
    preparing: Mutex<()>,
}

impl Station {
    /// Says at once what is wrong with the depot.
    pub(super) fn open(
        wanted: Wanted,
        takes_any_stick: bool,
        ejects: bool,
        context: &Context,
    ) -> Result<Self, Failure> {
        let dir = context.home_dir()?;
        let station = Self {
            wanted,
            takes_any_stick,
            ejects,
            context: context.clone(),
            dir,
            home: Mutex::default(),
            preparing: Mutex::default(),
        };
        let home = station
            .home(&mut || context.output.note("another program works in the depot's home; waiting for it"))?;
        Publication::open(&home.publication()).map_err(publication_failure)?;
        Ok(station)
    }

    /// Serves a stick to its end, and says how it went.
    pub(super) fn serve(&self, drive: &Drive, tell: &mut dyn FnMut(Said)) -> Exit {
        match self.bring_up_to_date(drive, tell) {
            Ok(()) => Exit::Done,
            Err(failure) => {
                tell(Said::failed(&failure));
                failure.exit
            }
        }
    }

    fn bring_up_to_date(&self, drive: &Drive, tell: &mut dyn FnMut(Said)) -> Result<(), Failure> {
        let access = if drive.read_only { Access::Read } else { Access::Write };
        let volume = drive::volume(drive, "fetcher load --stick")?;
        let medium = Medium::open(drive, volume, access).map_err(MountError::failure)?;
        let stick = Directory::open(&medium.folder()).fail(Exit::Stick)?;
        if let Some(why) = self.is_not_ours(&stick)? {
            tell(Said::LeftAlone { why });
            return Ok(());
        }
        self.load(drive, &stick, tell)?;
        // held open, it could not be unmounted
        drop(stick);
        if self.ejects {
            let powered_off = medium.eject().map_err(NotSafe::failure)?.powered_off;
            tell(Said::Ejected { powered_off });
        }
        Ok(())
    }

    /// Why a stick is none of ours, if it is none.
    fn is_not_ours(&self, stick: &Directory) -> Result<Option<String>, Failure> {
        if self.takes_any_stick {
            return Ok(None);
        }
        let names = stick.list(".").fail(Exit::Stick)?;
        let is_folder =
            |name: &str| names.iter().any(|entry| entry.name == name && entry.kind == Kind::Folder);
        if is_folder(layout::FOLDER) || names.iter().all(|entry| OF_SYSTEMS.contains(&entry.name.as_str())) {
            return Ok(None);
        }
        Ok(Some(
            "it holds other files and was never loaded; fetcher load or --any-stick loads it beside them"
                .into(),
        ))
    }

    fn load(&self, drive: &Drive, stick: &Directory, tell: &mut dyn FnMut(Said)) -> Result<(), Failure> {
        let home = self.home(&mut || tell(Said::Waiting))?;
        #[allow(
            clippy::disallowed_methods,
            reason = "each stick is a run of its own, and a station runs for weeks"
        )]
        let context = Context { now: Timestamp::now(), ..self.context.clone() };
        let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
        let collected = collect(stick, &ledger, context.now).map_err(collect_command::failure)?;
        tell(Said::Collected(collected));
        if drive.read_only {
            let message = format!(
                "stick: {drive} is write-protected: its statements are here, it carries what it carried"
            );
            return Err(
                Failure::new(Exit::Stick, message).hint("move the switch on its side and plug it in again")
            );
        }
        let outgoing = {
            let _alone = self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
            let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
            Outgoing::prepare(publication, &self.wanted, &home, &context, |_| Ok(()))?.0
        };
        let plan = load::write(stick, Some(drive), &outgoing, Agreed::default(), &mut |event| {
            tell(Said::Writing(event))
        })?;
        tell(Said::Loaded(Loaded {
            timestamp: outgoing.publication.current().timestamp.version(),
            carried: outgoing.carried.clone(),
            in_words: outgoing.in_words(),
            written_bytes: plan.bytes,
            good_until: good_until(&outgoing.publication),
        }));
        Ok(())
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

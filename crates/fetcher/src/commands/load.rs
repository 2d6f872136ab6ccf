//! `fetcher load`: write a stick and read it back.

use std::path::PathBuf;

use drive::{Access, EjectArgs};
use serde_json::json;
use stick::{Event, Obstacle, Past, StickState, WriteError};
use terminal::{Count, Exit, Failure, Output, Progress};

use super::outgoing::{Outgoing, SelectionArgs};
use super::place::Place;
use super::{collect as collect_command, publication_failure};
use crate::collect::collect;
use crate::context::Context;
use crate::load::good_until;
use crate::publication::Publication;

/// Collect from a stick, write the publication and firmware to it, read everything back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher load --model DS-7608NI-I2                the one stick that is plugged in
  fetcher load --stick 4C530001230718116433 --all  that one, of several: fetcher sticks lists them
  fetcher load --to /media/stick --all --no-eject  where it is mounted; it stays there")]
pub struct Args {
    /// The stick with this serial number or node [default: the one that is plugged in]
    #[arg(long, value_name = "SERIAL", conflicts_with = "to")]
    stick: Option<String>,
    /// The folder where the stick is mounted, or any other folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    eject: EjectArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = args.selection.wanted("load")?;
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    let place = Place::find(args.to.as_deref(), args.stick.as_deref(), Access::Write)?;
    let stick = place.open()?;
    let (outgoing, collected) = Outgoing::prepare(publication, &wanted, &home, context, |ledger| {
        let collected = collect(&stick, ledger, context.now).map_err(collect_command::failure)?;
        collect_command::tell(&collected, context);
        Ok(collected)
    })?;
    let Outgoing { publication, contents, clock, documents, carried, .. } = &outgoing;
    let mut view = View::new(context.output);
    let plan = stick::write(
        &stick,
        contents,
        &|name| outgoing.source(name),
        publication.root(),
        *clock,
        &mut |event| view.show(&event),
    );
    view.close();
    let plan = plan.map_err(write_failure)?;
    let until = good_until(publication);
    context.output.json(&json!({
        "event": "loaded", "stick": place.name(), "collected": collected,
        "timestamp": publication.current().timestamp.version(),
        "carried": carried,
        "documents": documents.keys().collect::<Vec<_>>(), "written_bytes": plan.bytes, "good_until": until,
    }));
    context.output.data(format_args!(
        "stick {}: publication {}, {}, read back and verified",
        place.name(),
        publication.current().timestamp.version(),
        outgoing.in_words()
    ));
    // held open, it could not be unmounted
    drop(stick);
    place.part(args.eject, &format!("; good until {}", until.strftime("%F")), context.output);
    Ok(Exit::Done)
}

fn of_another_depot(obstacles: &[Obstacle]) -> bool {
    obstacles.iter().any(|obstacle| matches!(obstacle, Obstacle::OtherDepot(_)))
}

fn write_failure(error: WriteError) -> Failure {
    let exit = match &error {
        WriteError::Source { .. } => Exit::Rejected,
        WriteError::Obstacles(obstacles) if of_another_depot(obstacles) => Exit::Refused,
        _ => Exit::Stick,
    };
    let hint = match (&error, error.state()) {
        (WriteError::Obstacles(obstacles), _) if of_another_depot(obstacles) => {
            "it was left as it is; use another stick, or remove its COURIER folder once nobody needs it"
        }
        (WriteError::Source { .. }, _) => {
            "the depot's file is damaged: fetcher sync, or fetcher pin ID, puts it away and brings it anew"
        }
        (WriteError::ReadBack { .. }, _) => "do not use this stick; it still carries what it carried before",
        (_, StickState::AsBefore) => "the stick still carries what it carried before",
        (_, StickState::Uncertain) => "the stick may be damaged: load it again before it leaves",
    };
    Failure::of(exit, error).hint(hint)
}

/// The events of a write as bars, or as JSON lines.
pub(super) struct View {
    output: Output,
    write_bytes: u64,
    check_bytes: u64,
    writing: Option<Progress>,
    checking: Option<Progress>,
}

impl View {
    pub(super) fn new(output: Output) -> Self {
        Self { output, write_bytes: 0, check_bytes: 0, writing: None, checking: None }
    }

    pub(super) fn show(&mut self, event: &Event) {
        let output = self.output;
        output.json(event);
        match event {
            Event::Planned { write_bytes, check_bytes, unchanged } => {
                (self.write_bytes, self.check_bytes) = (*write_bytes, *check_bytes);
                if *unchanged {
                    output.note("the stick holds everything already; it is read back");
                }
            }
            Event::Writing { bytes } => {
                let total = self.write_bytes;
                self.writing
                    .get_or_insert_with(|| Progress::bytes(output, "writing", Some(total)))
                    .set(*bytes);
            }
            Event::Syncing => {
                self.close();
                output.note("syncing");
            }
            Event::ReadingBack { past } => output.detail(match past {
                Past::Direct => "reading back around this machine's memory (O_DIRECT)",
                Past::CacheDropped => "reading back after this machine's memory was told to forget the files",
            }),
            Event::Checking { bytes } => {
                let total = self.check_bytes;
                self.checking
                    .get_or_insert_with(|| Progress::bytes(output, "reading back", Some(total)))
                    .set(*bytes);
            }
            Event::Mending { path } => {
                output.warn(format_args!("{path} on the stick was damaged; it is written again"));
            }
            Event::Current => self.close(),
            Event::Removed { files } => {
                output.note(format_args!("{} removed", Count(*files, "superseded file")));
            }
        }
    }

    pub(super) fn close(&mut self) {
        for bar in [self.writing.take(), self.checking.take()].into_iter().flatten() {
            bar.finish();
        }
    }
}

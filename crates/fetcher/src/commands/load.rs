//! `fetcher load`: write a stick and read it back.

use std::path::PathBuf;

use firmware::Model;
use serde_json::json;
use stick::{Event, Obstacle, SignedRelease, StickState, WriteError};
use terminal::{Count, Exit, Fail, Failure, Output, Progress};
use tuf_client::Clock;

use super::source::depot_failure;
use super::{
    collect as collect_command, ledger_failure, online_key_failure, open_stick, publication_failure,
    publish_failure,
};
use crate::collect::collect;
use crate::context::Context;
use crate::depot::Depot;
use crate::key_ring;
use crate::ledger::Ledger;
use crate::load::{self, Documents, Wanted, acknowledged, contents, good_until, select};
use crate::publication::Publication;
use crate::publish;

/// Collect from a stick, write the publication and firmware to it, read everything back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher load --to /media/stick --model DS-7608NI-I2
  fetcher load --to /media/stick --all")]
pub struct Args {
    /// The stick: the folder where it is mounted
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Carry the approved releases for this model (may be given again)
    #[arg(long, value_name = "MODEL")]
    model: Vec<Model>,
    /// Carry every approved release
    #[arg(long, conflicts_with = "model")]
    all: bool,
    /// Carry no firmware, only what is approved, acknowledged and withdrawn
    #[arg(long, conflicts_with_all = ["model", "all"])]
    metadata_only: bool,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = wanted(args)?;
    let home = context.open_home()?;
    let mut publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    still_good(&publication, context)?;
    let stick = open_stick(&args.to)?;
    let approved = SignedRelease::all(&publication.current().targets).fail(Exit::Rejected)?;
    let carried = select(&approved, &wanted).map_err(|nothing| {
        let models: Vec<String> = nothing.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Refused, models.join("; "))
            .hint("fetcher releases --model MODEL, then pin and approve one")
    })?;
    let depot = Depot::open(home.depot()).map_err(depot_failure)?;
    all_in_depot(&depot, &carried)?;
    let documents = publication.documents().map_err(publication_failure)?;

    let ledger = Ledger::open(&home.ledger()).map_err(ledger_failure)?;
    let collected = collect(&stick, &ledger, context.now).map_err(collect_command::failure)?;
    collect_command::tell(&collected, context);

    let keys = key_ring::online(&home.keys(), context.credentials.as_deref(), publication.root())
        .map_err(online_key_failure)?;
    if let Some(next) = publish::renew(publication.root(), publication.current(), &keys, context.now)
        .map_err(publish_failure)?
    {
        publication.replace(&next).map_err(publication_failure)?;
    }
    let arrived = ledger.laptops().map_err(ledger_failure)?;
    let arrived = arrived.into_iter().map(|laptop| (laptop.laptop, laptop.complete_to)).collect();
    let acknowledged = acknowledged(arrived, &keys.snapshot).fail(Exit::Internal)?;
    let contents = contents(&publication, &approved, &carried, &documents, acknowledged);

    let source = |name: &str| load::open(name, &depot, &approved, &documents);
    // the depot's own clock is what it signs by, so nothing else is known of the time
    let clock = Clock { system: context.now, build: context.now };
    let mut view = View::new(context.output);
    let plan =
        stick::write(&stick, &contents, &source, publication.root(), clock, &mut |event| view.show(&event));
    view.close();
    let plan = plan.map_err(write_failure)?;
    let until = good_until(&publication);
    context.output.json(&json!({
        "event": "loaded", "stick": args.to, "collected": collected,
        "timestamp": publication.current().timestamp.version(),
        "carried": carried.iter().map(|a| a.consistent_name()).collect::<Vec<_>>(),
        "documents": documents.keys().collect::<Vec<_>>(), "written_bytes": plan.bytes, "good_until": until,
    }));
    context.output.data(format_args!(
        "stick {}: publication {}, {} carried{}, read back and verified",
        args.to.display(),
        publication.current().timestamp.version(),
        Count(carried.len(), "release"),
        with_documents(&documents)
    ));
    context
        .output
        .data(format_args!("good until {}; unmount it before you pull it out", until.strftime("%F")));
    Ok(Exit::Done)
}

fn with_documents(documents: &Documents) -> String {
    // <sha256>.policy.json
    let mut names: Vec<&str> = documents.keys().filter_map(|name| Some(name.split_once('.')?.1)).collect();
    names.sort_unstable();
    names.iter().fold(String::new(), |text, name| text + ", " + name)
}

fn wanted(args: &Args) -> Result<Wanted, Failure> {
    if args.all {
        Ok(Wanted::All)
    } else if args.metadata_only {
        Ok(Wanted::MetadataOnly)
    } else if args.model.is_empty() {
        let message = "load: nothing says what the stick is to carry";
        Err(Failure::new(Exit::Usage, message).hint("give --model MODEL, --all or --metadata-only"))
    } else {
        Ok(Wanted::Models(args.model.clone()))
    }
}

/// What only people can sign must still be good: no laptop would take it.
fn still_good(publication: &Publication, context: &Context) -> Result<(), Failure> {
    let (root, targets) = (publication.root().expires(), publication.current().targets.expires());
    let (what, expires, hint) = if root <= context.now {
        ("root", root, "the root must be signed again: fetcher root renew")
    } else if targets <= context.now {
        ("approval", targets, "the approval must be signed again: fetcher approve --renew")
    } else {
        return Ok(());
    };
    let message =
        format!("publication: its {what} expired on {}; the stick was not touched", expires.strftime("%F"));
    Err(Failure::new(Exit::Expired, message).hint(hint))
}

fn all_in_depot(depot: &Depot, carried: &[&SignedRelease]) -> Result<(), Failure> {
    let missing: Vec<&str> =
        carried.iter().filter(|a| !depot.holds_signed(a)).map(|a| a.release().id.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("depot: approved and not in it: {}; the stick was not touched", missing.join(" "));
    Err(Failure::new(Exit::Refused, message)
        .hint("fetcher sync downloads it; fetcher pin ID --file PATH takes a file by hand"))
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
struct View {
    output: Output,
    write_bytes: u64,
    check_bytes: u64,
    writing: Option<Progress>,
    checking: Option<Progress>,
}

impl View {
    fn new(output: Output) -> Self {
        Self { output, write_bytes: 0, check_bytes: 0, writing: None, checking: None }
    }

    fn show(&mut self, event: &Event) {
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

    fn close(&mut self) {
        for bar in [self.writing.take(), self.checking.take()].into_iter().flatten() {
            bar.finish();
        }
    }
}

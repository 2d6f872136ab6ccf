//! `fetcher export`: the tree of a stick as one file.

use std::path::{Path, PathBuf};

use serde_json::json;
use stick::ExportError;
use terminal::{Exit, Fail, Failure};

use super::load::View;
use super::outgoing::{Outgoing, SelectionArgs};
use super::publication_failure;
use crate::context::Context;
use crate::export::{self, Existing};
use crate::load::good_until;
use crate::publication::Publication;

/// Write the publication and firmware to a tar file, read it back. The applier takes it as a stick:
/// applier --stick FILE.tar. Statements cannot come back in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher export courier.tar --model DS-7608NI-I2
  fetcher export courier.tar --all --replace      over an earlier export of this depot")]
pub struct Args {
    /// The file to write
    #[arg(value_name = "FILE.tar")]
    file: PathBuf,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Replace the file if it is an export of this depot
    #[arg(long)]
    replace: bool,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = args.selection.wanted("export")?;
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    may_have_name(&args.file, &publication, args.replace)?;
    let (outgoing, ()) = Outgoing::prepare(publication, &wanted, &home, context, |_| Ok(()))?;
    let Outgoing { publication, contents, carried, documents, .. } = &outgoing;
    let mut view = View::new(context.output);
    let written = export::write(
        &args.file,
        contents,
        &|name| outgoing.source(name),
        publication.root(),
        outgoing.clock,
        args.replace,
        &mut |event| view.show(&event),
    );
    view.close();
    written.map_err(|error| failure(error, &args.file))?;
    let (version, until) = (publication.current().timestamp.version(), good_until(publication));
    context.output.json(&json!({
        "event": "exported", "file": args.file, "timestamp": version,
        "carried": carried, "sites": outgoing.sites, "documents": documents.keys().collect::<Vec<_>>(), "good_until": until,
    }));
    context.output.data(format_args!(
        "file {}: publication {version}, {}, read back and verified",
        args.file.display(),
        outgoing.in_words()
    ));
    context.output.data(format_args!(
        "good until {}; it takes no statements, which come back on a stick: applier receipts --copy-to PATH",
        until.strftime("%F")
    ));
    Ok(Exit::Done)
}

/// Before anything is signed or written.
fn may_have_name(file: &Path, publication: &Publication, replace: bool) -> Result<(), Failure> {
    let named = || format!("export {}", file.display());
    let first_root = publication.first_root();
    let existing = export::existing(file, first_root).fail(Exit::Stick).map_err(|e| e.context(named()))?;
    let (what, hint) = match existing {
        Existing::Nothing => return Ok(()),
        Existing::Ours if replace => return Ok(()),
        Existing::Ours => ("is there already", "it is an export of this depot: --replace replaces it"),
        Existing::Foreign => (
            "is there already, and is no whole export of this depot",
            "it is never replaced: name another file, or move it away",
        ),
    };
    Err(Failure::new(Exit::Refused, format!("{} {what}; nothing was written", named())).hint(hint))
}

fn failure(error: ExportError, file: &Path) -> Failure {
    let (exit, hint) = match &error {
        ExportError::Source { .. } => (
            Exit::Rejected,
            "the depot's file is damaged: fetcher sync, or fetcher pin ID, puts it away and brings it anew",
        ),
        ExportError::Depot { .. } => {
            (Exit::Internal, "see that the depot can be read; fetcher sync checks it")
        }
        ExportError::TooLarge { .. } | ExportError::Name(..) => {
            (Exit::Refused, "choose other releases with --model")
        }
        ExportError::Write(_) => {
            (Exit::Stick, "see that the folder is there, can be written and has room; no file was left there")
        }
        ExportError::ReadBack { .. } | ExportError::Tar(_) | ExportError::Verify(_) => {
            (Exit::Stick, "the disk may be failing: export to another; no file was left there")
        }
    };
    Failure::of(exit, error).context(format!("export {}", file.display())).hint(hint)
}

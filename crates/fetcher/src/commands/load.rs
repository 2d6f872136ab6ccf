//! `fetcher load`: write a stick and read it back.

mod failure;
mod view;

use std::io;
use std::path::PathBuf;

use drive::{Access, Drive, EjectArgs, Medium, MountError};
use firmware::{Text, reason};
use serde_json::{Value, json};
use stick::statements;
use stick::{Agreed, Directory, Event, Media as _, Obstacle, WritePlan};
use terminal::{Count, Exit, Fail, Failure};

pub(super) use view::View;

use super::outgoing::{Outgoing, SelectionArgs};
use super::place::Place;
use super::{collect as collect_command, publication_failure};
use crate::collect::{Taken, collect};
use crate::context::Context;
use crate::load::good_until;
use crate::publication::Publication;

/// Collect from a stick, write the publication and firmware to it, read everything back, remove the statements that
/// have arrived.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher load --model DS-7608NI-I2                the one stick that is plugged in
  fetcher load --site harbour.toml                 what the recorders of that site need, steps included
  fetcher load --stick 4C530001230718116433 --all  that one, of several: fetcher sticks lists them
  fetcher load --to /media/stick --all --no-eject  where it is mounted; it stays there
  fetcher load --all --replace-other-depot \"depot moved to Graz\"")]
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
    #[command(flatten)]
    replace: ReplaceArgs,
}

/// What may be replaced that is not an older publication of this depot.
#[derive(Debug, clap::Args)]
struct ReplaceArgs {
    /// Replace the publication of another depot, for this reason; statements on the stick stay
    #[arg(long, value_name = "REASON", value_parser = reason)]
    replace_other_depot: Option<Text>,
    /// Replace a publication of this depot that is not older than this home's, for this reason; laptops that have
    /// seen it will reject this stick
    #[arg(long, value_name = "REASON", value_parser = reason)]
    replace_newer: Option<Text>,
}

impl ReplaceArgs {
    fn agreed(&self) -> Agreed {
        Agreed { other_depot: self.replace_other_depot.is_some(), newer: self.replace_newer.is_some() }
    }

    /// What of it happened, with the reason that was given for it.
    fn used<'a>(&'a self, plan: &'a WritePlan) -> impl Iterator<Item = (&'a Obstacle, &'a Text)> {
        plan.replaced.iter().filter_map(|replaced| {
            let reason = match replaced {
                Obstacle::OtherDepot(_) => &self.replace_other_depot,
                _ => &self.replace_newer,
            };
            Some((replaced, reason.as_ref()?))
        })
    }
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = args.selection.wanted("load")?;
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    let place = Place::find(args.to.as_deref(), args.stick.as_deref(), Access::Write, context.output)?;
    let stick = place.open()?;
    let (outgoing, collected) = Outgoing::prepare(publication, &wanted, &home, context, |ledger| {
        let identity = home.identity().ok().flatten();
        let collected = collect(&stick, ledger, identity, context.now).map_err(collect_command::failure)?;
        collect_command::tell(&collected, context);
        Ok(collected)
    })?;
    let mut view = View::new(context.output);
    let plan = write(&stick, place.drive(), &outgoing, args.replace.agreed(), &mut |event| view.show(&event));
    view.close();
    let plan = plan?;
    let removed = remove_delivered(&stick, &outgoing, &collected.taken)?;
    // held open, it could not be unmounted
    drop(stick);
    place.medium().map_or(Ok(()), |medium| look_again(medium, &outgoing))?;
    let Outgoing { publication, documents, carried, .. } = &outgoing;
    for (replaced, reason) in args.replace.used(&plan) {
        context.output.warn(format_args!("stick: {replaced}; it was replaced for this reason: {reason}"));
    }
    let (until, unchanged) = (good_until(publication), plan.is_unchanged());
    let replaced = args.replace.used(&plan);
    let replaced: Vec<Value> =
        replaced.map(|(what, why)| json!({"replaced": what.to_string(), "reason": why})).collect();
    context.output.json(&json!({
        "event": "loaded", "stick": place.name(), "collected": collected,
        "timestamp": publication.current().timestamp.version(),
        "carried": carried,
        "sites": outgoing.sites, "documents": documents.keys().collect::<Vec<_>>(), "written_bytes": plan.bytes, "good_until": until,
        "unchanged": unchanged, "read_back": view.past(), "replaced": replaced, "removed_statements": removed,
    }));
    context.output.data(format_args!(
        "stick {}: publication {}{}, {}, read back and verified",
        place.name(),
        publication.current().timestamp.version(),
        if unchanged { " was there already and nothing was written" } else { "" },
        outgoing.in_words()
    ));
    if removed > 0 {
        context.output.data(format_args!("{} removed: the ledger has them", Count(removed, "statement")));
    }
    place.part(args.eject, &format!("; good until {}", until.strftime("%F")), context.output);
    Ok(Exit::Done)
}

/// Writes what goes out to a stick and reads it back.
pub(super) fn write(
    stick: &Directory,
    drive: Option<&Drive>,
    outgoing: &Outgoing,
    agreed: Agreed,
    events: &mut dyn FnMut(Event),
) -> Result<WritePlan, Failure> {
    let source = |name: &str| outgoing.source(name);
    let root = outgoing.publication.root();
    let plan = stick::write(stick, &outgoing.contents, &source, root, outgoing.clock, agreed, events);
    plan.map_err(|error| failure::of(error, drive, stick.path()))
}

/// Removes the statements that were `taken` from a stick and whose arrival it acknowledges by now; gives how many.
/// Pulled out before, it still has them, and the next load removes them.
pub(super) fn remove_delivered(
    stick: &Directory,
    outgoing: &Outgoing,
    taken: &Taken,
) -> Result<usize, Failure> {
    let failed = |error: io::Error| {
        Failure::of(Exit::Stick, error)
            .context("the stick was loaded, and statements that have arrived cannot be removed from it")
            .hint("nothing is lost: load it again")
    };
    let delivered = outgoing.delivered(taken);
    if delivered.is_empty() || stick.capacity().map_err(failed)?.read_only.is_some() {
        return Ok(0);
    }
    statements::remove(stick, &delivered).map_err(failed)?;
    Ok(delivered.len())
}

/// Mounts a stick anew that was written, where it is this program that mounted it, and looks once more.
pub(super) fn look_again(medium: &Medium, outgoing: &Outgoing) -> Result<(), Failure> {
    let again = medium.renew().map_err(MountError::failure);
    if !again.map_err(|failure| failure.context("the stick was loaded, and is looked at once more"))? {
        return Ok(());
    }
    let stick = Directory::open(&medium.folder()).fail(Exit::Stick)?;
    let looked = stick::look_again(&stick, &outgoing.contents, outgoing.publication.root(), outgoing.clock);
    looked.map_err(|error| failure::of(error, Some(medium.drive()), stick.path()))
}

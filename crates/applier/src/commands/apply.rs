//! `applier apply`: inspect, plan, agree, push, watch, restart, confirm, receipt.

mod one;

use drive::EjectArgs;
use firmware::{Sha256Digest, Text};
use keys::SigningKey;
use rand::Rng;
use receipt::Chain;
use stick::VerifiedPublication;
use terminal::{Exit, Fail, Failure};

use super::backup::KeepArgs;
use super::clerk::WhoArgs;
use super::clock;
use super::desk::Desk;
use super::farewell::farewell;
use super::patience::PatienceArgs;
use super::recorder::Session;
use super::round::{Round, RoundArgs, Summary};
use super::signals::asked_to_end;
use super::wish::WishArgs;
use crate::context::{Context, state_failure};
use crate::expiry::ExpiryArgs;
use crate::journal::{JournalError, Journals};
use crate::report::Facts;
use crate::state::State;
use one::Errand;

/// Push firmware to a recorder, watch it to the end, confirm what it runs, and sign a receipt. Of several
/// recorders one comes after the other, until one is neither confirmed nor current already.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  applier apply --stick /media/stick 192.168.1.64
  applier apply --stick /media/stick 192.168.1.64 --yes --password-file pass.txt --operator Kim
  applier apply --stick /media/stick 192.168.1.64 --plan 3f9a…     only if nothing has changed since applier plan
  applier apply --stick /media/stick 192.168.1.64 192.168.1.65     one after the other, until one is not confirmed
  applier apply --stick /media/stick --site harbour.toml           those of a site file; docs/formats.md has an example")]
pub struct Args {
    #[command(flatten)]
    round: RoundArgs,
    #[command(flatten)]
    wish: WishArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    expiry: ExpiryArgs,
    /// Only if the plan still has this digest
    #[arg(long, value_name = "DIGEST")]
    plan: Option<Sha256Digest>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    patience: PatienceArgs,
    #[command(flatten)]
    eject: EjectArgs,
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let round = args.round.round()?;
    round.only_one("--plan", args.plan.is_some())?;
    round.only_one("--push-again", args.wish.push_again.is_some())?;
    let region = args.wish.region_at(round.region.as_deref())?;
    let state = context.open_lasting_state()?;
    let (mut chain, key) = (state.chain().map_err(state_failure)?, laptop_key(&state)?);
    let stick = context.open_stick()?;
    let applied = {
        let publication = context.verify(&state, &stick, &args.expiry)?;
        let journals = Journals::open(&state.journals()).map_err(journal_failure)?;
        let errand = Errand {
            args,
            who: args.who.at(round.site.as_ref()),
            region,
            state: &state,
            publication: &publication,
            desk: Desk { state: &state, journals: &journals, key: &key, stick: Some(&stick), context },
        };
        go(&round, &errand, &mut chain, context)
    };
    farewell(stick, args.eject, applied.is_ok(), &chain, &key, context);
    applied
}

/// One recorder after the other.
fn go(round: &Round, errand: &Errand<'_>, chain: &mut Chain, context: &Context) -> Result<Exit, Failure> {
    if !round.is_several() {
        return errand.at(&round.stops[0], &mut round.row(0), chain);
    }
    let mut summary = Summary::default();
    for (n, stop) in round.stops.iter().enumerate() {
        round.announce(n, context);
        let mut row = round.row(n);
        let ended = errand.at(stop, &mut row, chain);
        if !summary.add(row, ended) || asked_to_end() {
            return summary.conclude((n + 1..round.stops.len()).map(|n| round.row(n)), AGAIN, context);
        }
    }
    summary.conclude(std::iter::empty(), AGAIN, context)
}

/// What to do where a round stopped.
const AGAIN: &str =
    "once that is settled, the same command goes on: what runs its release already is passed over";

pub(super) fn facts(
    who: &WhoArgs,
    session: &Session,
    publication: &VerifiedPublication<'_>,
    journals: &Journals,
    state: &State,
    context: &Context,
) -> Result<Facts, Failure> {
    let mut random = [0; 4];
    rand::rng().fill_bytes(&mut random);
    let started = (context.now)();
    let known = tuf_client::read_clock(&state.trust_store(), context.clock).fail(Exit::Internal)?;
    let build = context.clock.build;
    Ok(Facts {
        run: journals.name(started, random).map_err(journal_failure)?,
        link: session.link.facts().clone(),
        started,
        publication: publication.publication(),
        floor: known.floor.map_or(build, |floor| floor.time.max(build)),
        clock_trusted: publication.start().system_behind().is_zero(),
        resets: clock::open_resets(state)?,
        accepted: None,
        operator: who.operator.as_deref().map(Text::cleaned),
        site: who.site_name.as_deref().map(Text::cleaned),
        differences: Vec::new(),
    })
}

pub(super) fn laptop_key(state: &State) -> Result<SigningKey, Failure> {
    state.laptop_key().map_err(state_failure)?.ok_or_else(|| {
        Failure::new(Exit::Usage, "laptop key: there is none, so no receipt could be signed")
            .hint("applier trust add makes it")
    })
}

pub(super) fn journal_failure(error: JournalError) -> Failure {
    Failure::of(Exit::Internal, error).hint("nothing was pushed; see that the state directory can be written")
}

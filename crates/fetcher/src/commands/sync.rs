//! `fetcher sync`: bring pinned releases into the depot. Made for a timer: what is there already is read
//! again and costs no download, one failure does not stop the others, what the unattended keys sign is
//! renewed, and the exit code is the worst of all. Disks rot, and a stick must not be the place where
//! that is noticed: hence the reading.

mod fetch;
mod queue;
mod renewal;
mod select;
mod space;
mod tell;

use std::time::Duration;

use clap::value_parser;
use firmware::Release;
use jiff::SignedDuration;
use terminal::{Exit, Fail, Failure};

use self::fetch::{Found, fetch_all, look};
use self::queue::{Job, Queue};
use self::select::SelectionArgs;
use self::tell::{Outcome, State, Teller};
use super::source::depot_failure;
use super::sources::sources;
use crate::context::{Context, home_failure};
use crate::depot::Depot;
use crate::download::{Downloader, Options, RateLimit, Retries};
use crate::home::Home;

/// Bring pinned releases into the depot, and renew what the unattended keys sign. Each release must match its pin:
/// what is there already is read again, and what is damaged is put away and fetched anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher sync --wanted                     what the recorders of the ledger are due to get
  fetcher sync --wanted --site harbour.toml --limit-rate 2M
  fetcher sync --all
  fetcher sync --model DS-7608NI-I2 --model DS-7616NI-I2 --json

As a nightly job: docs/sync.md, scripts/courier-sync.timer, scripts/courier-sync.cron")]
pub struct Args {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Downloads at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Of these, from one host
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = value_parser!(u8).range(1..=16))]
    per_host: u8,
    /// Bytes per second at most, of all downloads together: 800K, 2M
    #[arg(long, value_name = "RATE")]
    limit_rate: Option<RateLimit>,
    /// How often a file is asked for again where its source fails for now
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u8).range(0..=20))]
    retries: u8,
    /// Time before the first of these, doubled before each further one; Retry-After of the server is honoured
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = delay)]
    retry_delay: Duration,
}

/// A time that is not negative: `5s`, `2 min`.
fn delay(text: &str) -> Result<Duration, jiff::Error> {
    text.parse::<SignedDuration>()?.try_into()
}

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let waits = &mut || context.output.note("another program works in the depot's home; waiting for it");
    let home = Home::wait_for(&context.home_dir()?, waits).map_err(home_failure)?;
    let options = Options {
        sources: sources(context)?,
        retries: Retries { most: args.retries.into(), first_delay: args.retry_delay },
        rate_limit: args.limit_rate.clone(),
    };
    let downloaders = (0..args.jobs).map(|_| Downloader::new(options.clone())).collect::<Result<Vec<_>, _>>();
    let downloaders = downloaders.fail(Exit::Internal)?;
    // first: whatever becomes of the rest, sticks can be loaded tomorrow
    let kept = renewal::keep(&home, context);
    let catalog = context.catalog()?;
    let selection = args.selection.select(&catalog, &home, context)?;
    let depot = Depot::open(home.depot()).map_err(depot_failure)?;
    let mut teller = Teller::new(&selection.releases, &depot, context.output);
    match kept {
        Ok(standing) => teller.summary.publication = Some(standing),
        Err(failure) => teller.failed(failure),
    }

    let (pinned, unpinned): (Vec<&Release>, Vec<&Release>) =
        selection.releases.iter().partition(|release| release.pin.is_some());
    let missing = missing(&pinned, &depot, &mut teller);
    match space::check(&missing, downloaders.len(), &depot) {
        Ok(()) => {
            teller.fetching(&missing);
            let queue = Queue::new(missing, args.per_host.into());
            fetch_all(&queue, downloaders, &depot, context, &mut |said| teller.hear(said));
        }
        Err(failure) => {
            for (release, damaged) in
                missing.iter().filter_map(|job| Some((job.release, job.damaged.as_ref()?)))
            {
                context.output.warn(format_args!("{}: put away, since it is damaged: {damaged}", release.id));
            }
            teller.failed(failure);
        }
    }
    for release in unpinned {
        if selection.due.contains(&release.id) {
            teller.ended(release, Outcome::of(State::Unpinned));
        } else {
            teller.summary.count(State::Unpinned);
        }
    }
    teller.summary.undecided = selection.undecided.len();
    for undecided in &selection.undecided {
        context.output.json(undecided);
        context.output.data(undecided);
    }
    Ok(teller.finish())
}

/// What is not in the depot and can be fetched; of the others it is said how they are.
fn missing<'a>(pinned: &[&'a Release], depot: &Depot, teller: &mut Teller<'_>) -> Vec<Job<'a>> {
    let mut missing = Vec::new();
    for release in pinned {
        match look(release, depot) {
            Found::Settled(outcome) => teller.ended(release, outcome),
            Found::Missing(job) => missing.push(job),
        }
    }
    missing
}

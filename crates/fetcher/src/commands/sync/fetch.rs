//! Several downloads beside each other, and what happens to each.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use firmware::Release;
use terminal::{Exit, Failure};

use super::queue::{Job, Queue};
use super::tell::{Outcome, State};
use crate::commands::source::{accept, depot_failure, fetched, needs_a_person};
use crate::context::Context;
use crate::depot::{Depot, DepotError};
use crate::download::{DownloadError, Downloader, Event};

/// What happens to a release.
pub(super) enum Said<'a> {
    /// It is asked for.
    Begun(&'a Release),
    /// On its way.
    Happened(&'a Release, Event),
    /// How it went.
    Ended(&'a Release, Outcome),
}

/// What the depot has of a release.
pub(super) enum Found<'a> {
    /// Nothing is to be fetched, or nothing can be.
    Settled(Outcome),
    /// It is not there.
    Missing(Job<'a>),
}

/// Reads what the depot has of a release. A file that is not the pinned one is in quarantine after this: then as if
/// there were none.
pub(super) fn look<'a>(release: &'a Release, depot: &Depot) -> Found<'a> {
    let mismatch = match depot.verify(release) {
        Ok(()) => return Found::Settled(Outcome::of(State::InDepot)),
        Err(DepotError::Missing(_)) => None,
        Err(error @ DepotError::Mismatch { .. }) => Some(error),
        Err(error) => return Found::Settled(Outcome::failed(depot_failure(error))),
    };
    let damaged = mismatch.as_ref().map(ToString::to_string);
    if release.url.is_some() {
        return Found::Missing(Job { release, damaged });
    }
    // nothing was there: no fault. Something was, and is lost: a person must know
    let hint = needs_a_person(release).hint;
    let lost = |error| Failure::of(Exit::Rejected, error).maybe_hint(hint.as_deref());
    Found::Settled(Outcome { state: State::NeedsAPerson, damaged, failure: mismatch.map(lost) })
}

/// Fetches them all, with as many at a time as there are downloaders, and tells on the thread that calls.
pub(super) fn fetch_all<'a>(
    queue: &Queue<'a>,
    downloaders: Vec<Downloader>,
    depot: &Depot,
    context: &Context,
    hear: &mut dyn FnMut(Said<'a>),
) {
    let (say, said) = channel();
    thread::scope(|scope| {
        for downloader in downloaders {
            let say = say.clone();
            scope.spawn(move || work(queue, &downloader, depot, context, &say));
        }
        drop(say);
        said.into_iter().for_each(hear);
    });
}

fn work<'a>(
    queue: &Queue<'a>,
    downloader: &Downloader,
    depot: &Depot,
    context: &Context,
    say: &Sender<Said<'a>>,
) {
    // whoever listens does so until all have ended
    let say = |said| drop(say.send(said));
    while let Some(turn) = queue.take() {
        let (release, damaged) = (turn.job.release, turn.job.damaged.clone());
        say(Said::Begun(release));
        let mut tell = |event| say(Said::Happened(release, event));
        let member = release.pin.as_ref().and_then(|pin| pin.member.as_deref());
        let brought = fetched(downloader, release, member, depot, context, &mut tell)
            .and_then(|candidate| accept(release, candidate, depot, context));
        let failure = brought.err();
        let is_of_the_host =
            |failure: &Failure| failure.error.downcast_ref().is_some_and(DownloadError::is_of_the_host);
        if failure.as_ref().is_some_and(is_of_the_host) {
            for job in turn.give_up_host() {
                say(Said::Ended(job.release, left_out(&job)));
            }
        }
        let state = if failure.is_none() { State::Fetched } else { State::Failed };
        say(Said::Ended(release, Outcome { state, damaged, failure }));
    }
}

fn left_out(job: &Job<'_>) -> Outcome {
    let (id, url) = (&job.release.id, job.release.url.as_deref().unwrap_or_default());
    let message = format!("release {id}: source {url}: not asked: its host failed before in this run");
    let failure = Failure::new(Exit::Unreachable, message).hint("the next run asks again");
    Outcome { damaged: job.damaged.clone(), ..Outcome::failed(failure) }
}

//! Looks after the link while a run goes on: a push is never broken off because of it, and the statement
//! tells of it.

use std::convert::Infallible;
use std::future::pending;
use std::time::Instant;

use ::link::{Change, Error, Host, Listener, MOST_HEARD, Sampler};
use firmware::Text;
use terminal::Output;

use crate::isolation::CheckedLink;

/// Changes that a statement tells of; a statement stays small whatever happens on the link.
pub(super) const MOST_CHANGES: usize = 64;

/// What was noticed about the link.
#[derive(Default)]
pub(super) struct Noticed {
    /// What changed, with when, at most 64.
    pub(super) changes: Vec<Text>,
    /// Who was heard on it; some may stand twice.
    pub(super) heard: Vec<Host>,
}

/// Runs `run`, and notes what is noticed about the link meanwhile.
pub(super) async fn guard<T>(
    link: &CheckedLink,
    mut listener: Option<&mut Listener>,
    run: impl Future<Output = T>,
    output: Output,
) -> (T, Noticed) {
    let mut noticed = Noticed::default();
    tokio::pin!(run);
    let ended = tokio::select! {
        ended = &mut run => Ok(ended),
        never = watch(link, &mut listener, &mut noticed, output) => Err(never),
    };
    let ended = match ended {
        Ok(ended) => ended,
        Err(Err(error)) => {
            noticed.tell(&format!("the link is not watched any more: {error}"), output);
            run.await
        }
    };
    // what came in last, and all of it where the link was not watched
    if let Some(listener) = listener {
        noticed.heard.extend_from_slice(listener.heard());
    }
    (ended, noticed)
}

async fn watch(
    link: &CheckedLink,
    listener: &mut Option<&mut Listener>,
    noticed: &mut Noticed,
    output: Output,
) -> Result<Infallible, Error> {
    if link.target().ip().is_loopback() {
        return pending().await;
    }
    let began = Instant::now();
    let mut sampler = Sampler::since(link.isolation().clone())?;
    noticed.heard.extend_from_slice(&sampler.isolation().heard);
    if let Some(listener) = listener {
        noticed.heard.extend_from_slice(listener.heard());
    }
    loop {
        let change = tokio::select! {
            event = sampler.changed() => event?.change,
            host = another(listener) => Change::Heard(host),
        };
        // the neighbour table and the listener may hear the same one, and anybody can invent more
        if let Change::Heard(host) = &change {
            if noticed.heard.contains(host) || noticed.heard.len() >= 2 * MOST_HEARD {
                continue;
            }
            noticed.heard.push(host.clone());
        }
        noticed.tell(&format!("{} s into the run: {change}", began.elapsed().as_secs()), output);
    }
}

async fn another(listener: &mut Option<&mut Listener>) -> Host {
    match listener {
        Some(listener) => listener.another().await,
        None => pending().await,
    }
}

impl Noticed {
    fn tell(&mut self, said: &str, output: Output) {
        output.warn(said);
        if self.changes.len() < MOST_CHANGES {
            self.changes.push(Text::cleaned(said));
        }
    }
}

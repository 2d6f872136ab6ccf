//! What is around every run while it goes on: it is shown, the link is watched, signals are heard.

use firmware::Text;
use terminal::{Exit, Fail, Failure, Output};

use super::recorder::Session;
use super::signals;
use super::watch::Watch;
use crate::event::Event;
use crate::isolation::CheckedLink;
use crate::run::Stop;

/// Changes of the link that a statement tells of; a statement stays small whatever happens on the link.
const MOST_CHANGES: usize = 64;

/// Does `work`, and gives what changed about the link meanwhile.
pub(super) fn attend<T>(
    session: &Session,
    output: Output,
    work: impl AsyncFnOnce(&mut dyn FnMut(&Event), Stop<'_>) -> T,
) -> Result<(T, Vec<Text>), Failure> {
    let mut watch = Watch::new(output);
    let warn = |stage| output.warn(signals::warning(stage));
    let attended = session.runtime.block_on(async {
        let stop = Stop::new(signals::listen().fail(Exit::Internal)?, &warn);
        let mut show = |event: &Event| watch.show(event);
        Ok(guard(&session.link, work(&mut show, stop), output).await)
    });
    watch.close();
    attended
}

/// Runs `run`, and notes what changes about the link meanwhile: a push is never broken off because of it,
/// and the statement tells of it.
async fn guard<T>(link: &CheckedLink, run: impl Future<Output = T>, output: Output) -> (T, Vec<Text>) {
    let mut changes = Vec::new();
    let watched = async {
        if link.target().ip().is_loopback() {
            return std::future::pending().await;
        }
        let mut sampler = ::link::Sampler::start(link.target())?;
        loop {
            let event = sampler.changed().await?;
            let said = format!("{} s into the run: {}", event.after.as_secs(), event.change);
            output.warn(&said);
            if changes.len() < MOST_CHANGES {
                changes.push(Text::cleaned(&said));
            }
        }
    };
    tokio::pin!(run);
    let ended = tokio::select! {
        ended = &mut run => Ok(ended),
        never = watched => {
            let never: Result<std::convert::Infallible, ::link::Error> = never;
            Err(never)
        }
    };
    match ended {
        Ok(ended) => (ended, changes),
        Err(Err(error)) => {
            let said = format!("the link is not watched any more: {error}");
            output.warn(&said);
            changes.push(Text::cleaned(&said));
            (run.await, changes)
        }
    }
}

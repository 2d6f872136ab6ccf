//! What is around every run while it goes on: it is shown, the link and the power supply are watched, signals
//! are heard, and the recorder is looked for where it went.

use std::path::Path;

use firmware::{Serial, Text};
use terminal::{Exit, Fail, Failure, Output};

use super::recorder::Session;
use super::signals;
use super::watch::Watch;
use crate::context::Context;
use crate::event::Event;
use crate::isolation::CheckedLink;
use crate::presence::moment::Moment;
use crate::presence::power::{self, SUPPLIES};
use crate::run::{Senses, Stop};
use crate::search::Search;

/// Circumstances that a statement tells of; it stays small whatever happens around a run.
const MOST_CHANGES: usize = 64;

/// Does `work` on the recorder of this serial number, and gives what changed around it meanwhile.
pub(super) fn attend<T>(
    session: &Session,
    serial: &Serial,
    context: &Context,
    work: impl AsyncFnOnce(&mut dyn FnMut(&Event), Stop<'_>, Senses<'_>) -> T,
) -> Result<(T, Vec<Text>), Failure> {
    let output = context.output;
    let search = Search::on(&session.link, session.certificate);
    let senses = Senses { moment: &Moment::now, search: search.as_ref() };
    let (mut watch, mut circumstances, mut moved) = (Watch::new(output), Vec::new(), None);
    let warn = |stage| output.warn(signals::warning(stage));
    let attended = session.runtime.block_on(async {
        let stop = Stop::new(signals::listen().fail(Exit::Internal)?, &warn);
        let mut show = |event: &Event| {
            watch.show(event);
            circumstances.extend(event.circumstance().map(|words| Text::cleaned(&words)));
            if let Event::Elsewhere { address, obstacle: None } = event {
                moved = Some(address.clone());
            }
        };
        let work =
            power::watched(Path::new(SUPPLIES), work(&mut show, stop, senses), |words| output.warn(words));
        Ok(guard(&session.link, work, output).await)
    });
    watch.close();
    let known = moved.map_or(Ok(()), |to| session.moved(serial, &to, (context.now)()));
    if let Err(error) = known {
        output.warn(format_args!("{error}: the recorder's certificate will be asked for at its new address"));
    }
    let ((done, power), changes) = attended?;
    circumstances.extend(power.into_iter().chain(changes));
    circumstances.truncate(MOST_CHANGES);
    Ok((done, circumstances))
}

/// Runs `run`, and notes what changes about the link meanwhile: a push is never broken off because of it,
/// and the statement tells of it.
pub(super) async fn guard<T>(
    link: &CheckedLink,
    run: impl Future<Output = T>,
    output: Output,
) -> (T, Vec<Text>) {
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

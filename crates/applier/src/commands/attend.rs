//! What is around every run while it goes on: it is shown, the link and the power supply are watched, signals
//! are heard, and the recorder is looked for where it went.

use std::path::Path;

use firmware::{Serial, Text};
use terminal::{Exit, Fail, Failure};

use super::awake::Awake;
use super::guard::{MOST_CHANGES, Noticed, guard};
use super::recorder::Session;
use super::signals::{self, UnderWay};
use super::watch::Watch;
use crate::context::Context;
use crate::event::Event;
use crate::presence::moment::Moment;
use crate::presence::power::{self, SUPPLIES};
use crate::run::{Payload, Senses, Stop};
use crate::search::Search;

/// Does `work`, which brings this to the recorder of this serial number, and gives what was noticed around
/// it meanwhile. Where the recorder has moved, the session has, too.
pub(super) fn attend<T>(
    session: &mut Session,
    (payload, serial): (Payload, &Serial),
    awake: &Awake,
    context: &Context,
    work: impl AsyncFnOnce(&Session, &mut dyn FnMut(&Event), Stop<'_>, Senses<'_>) -> T,
) -> Result<(T, Noticed), Failure> {
    let output = context.output;
    awake.warn(output);
    let search = Search::on(&session.link, session.certificate, payload.again_at());
    let senses = Senses { moment: &Moment::now, search: search.as_ref() };
    let (mut watch, mut circumstances, mut moved) =
        (Watch::new(payload, output), awake.missing().into_iter().collect::<Vec<_>>(), None);
    let warn = |stage| output.warn(signals::warning(payload, stage));
    let mut listener = session.listener.borrow_mut();
    let _under_way = UnderWay::begin().fail(Exit::Internal)?;
    let attended = session.runtime.block_on(async {
        let stop = Stop::new(signals::asked(), &warn);
        let mut show = |event: &Event| {
            watch.show(event);
            circumstances.extend(event.circumstance().map(|words| Text::cleaned(&words)));
            if let Event::Elsewhere { address, obstacle: None } = event {
                moved = Some(address.clone());
            }
        };
        let work = work(session, &mut show, stop, senses);
        let work = power::watched(Path::new(SUPPLIES), work, |words| output.warn(words));
        guard(&session.link, listener.as_mut(), work, output).await
    });
    watch.close();
    session.remember_refusal(context);
    drop(listener);
    // without a cable to look on, nothing was met elsewhere
    if let (Some(to), Some(search)) = (moved, &search) {
        session.follow(serial, &to, search, context);
    }
    let ((done, power), Noticed { changes, heard }) = attended;
    circumstances.extend(power.into_iter().chain(changes));
    circumstances.truncate(MOST_CHANGES);
    Ok((done, Noticed { changes: circumstances, heard }))
}

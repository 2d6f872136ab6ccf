//! The audit as a statement: kept on this laptop first, then delivered where there is a stick.

use firmware::Text;
use rand::Rng;
use receipt::{Audit, Body};
use stick::VerifiedPublication;
use terminal::{Exit, Fail, Failure};
use tuf_client::ClockReading;

use crate::commands::clerk::{Clerk, WhoArgs};
use crate::commands::clock;
use crate::context::{Context, state_failure};
use crate::last_publication::last_publication;
use crate::open_stick::OpenStick;
use crate::report::{self, Facts};
use crate::run_id::RunId;
use crate::state::State;

/// Signs the audit and gives its place in this laptop's chain; none where nothing can be stated, which is
/// said.
pub(super) fn state(
    who: &WhoArgs,
    audit: &Audit,
    state: &State,
    stick: Option<&OpenStick>,
    publication: Option<&VerifiedPublication<'_>>,
    clock: &ClockReading,
    context: &Context,
) -> Result<Option<u64>, Failure> {
    let Some(key) = state.laptop_key().map_err(state_failure)? else {
        context.output.warn("this laptop has no key, so no statement goes home: applier trust add makes it");
        return Ok(None);
    };
    let publication = match publication {
        Some(publication) => Some(publication.publication()),
        None => last_publication(&state.trust_store()).fail(Exit::Internal)?,
    };
    let Some(publication) = publication else {
        context.output.warn(
            "this laptop has verified no publication yet, so no statement goes home: applier verify --stick PATH",
        );
        return Ok(None);
    };
    let mut random = [0; 4];
    rand::rng().fill_bytes(&mut random);
    let named = |name: &Option<String>| name.as_deref().map(Text::cleaned);
    let (started, build) = (audit.audited, context.clock.build);
    let facts = Facts {
        run: RunId::new(started, random),
        link: audit.link.clone(),
        started,
        publication,
        floor: clock.floor.map_or(build, |floor| floor.time.max(build)),
        clock_trusted: clock.start.system_behind().is_zero(),
        resets: clock::open_resets(state)?,
        accepted: None,
        differences: Vec::new(),
        operator: named(&who.operator),
        site: named(&who.site_name),
    };
    let mut chain = state.chain().map_err(state_failure)?;
    let body = Body::Audit(Box::new(audit.clone()));
    let counter = report::keep(&mut chain, &key, &facts, body, started).fail(Exit::Internal)?;
    if let Some(stick) = stick {
        Clerk { chain: &mut chain, key: &key, stick: Some(stick), facts, context }.deliver();
    }
    Ok(Some(counter))
}

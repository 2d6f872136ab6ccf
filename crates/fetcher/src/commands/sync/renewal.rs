//! The depot's own publication, kept good by the job: what the unattended keys sign is renewed, what people sign is
//! asked for in time.

use jiff::Timestamp;
use serde::Serialize;
use terminal::{Exit, Failure};

use crate::commands::outgoing::renew;
use crate::commands::status::{Expiry, clock_is_wrong, expiries};
use crate::commands::{online_key_failure, publication_failure, publish_failure};
use crate::context::Context;
use crate::home::Home;
use crate::key_ring::{self, OnlineKeyError};
use crate::load::good_until;
use crate::publication::Publication;
use crate::publish::renewal_due;

/// How the publication stands.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// Whether snapshot and timestamp were signed anew.
    renewed: bool,
    /// Until when a stick that is loaded now is good.
    good_until: Timestamp,
    expiries: Vec<Expiry>,
}

impl Standing {
    pub(super) fn in_words(&self) -> String {
        let renewed = if self.renewed { " renewed," } else { "" };
        format!("publication{renewed} good until {}", self.good_until.strftime("%F"))
    }
}

/// Renews the publication where it is due, and says what people have to sign soon.
pub(super) fn keep(home: &Home, context: &Context) -> Result<Standing, Failure> {
    let mut publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    if let Some(words) = clock_is_wrong(&publication, context.now) {
        context.output.warn(words);
    }
    // a new timestamp over what nobody takes any more is of no use
    let renewed = match expired(&publication, context.now, by_people) {
        None => renewed(&mut publication, home, context)?,
        Some(failure) => return Err(failure),
    };
    let expiries = expiries(&publication, context.now);
    for soon in expiries.iter().filter(|expiry| expiry.due) {
        let (role, words, mend) = (soon.role, soon.in_words(), soon.mend());
        context.output.warn(format_args!("publication: {role} {words}{mend}"));
    }
    Ok(Standing { renewed, good_until: good_until(&publication), expiries })
}

/// Without the keys here, somebody else may renew it in time; that it is due is said.
fn renewed(publication: &mut Publication, home: &Home, context: &Context) -> Result<bool, Failure> {
    if !renewal_due(publication.current(), context.now).map_err(publish_failure)? {
        return Ok(false);
    }
    match key_ring::online(&home.keys(), context.credentials.as_deref(), publication.root()) {
        Ok(keys) => renew(publication, &keys, context),
        Err(error @ OnlineKeyError::NotThere { .. }) => {
            if let Some(failure) = expired(publication, context.now, |_| true) {
                return Err(failure);
            }
            let until = good_until(publication).strftime("%F");
            context.output.warn(format_args!("publication: not renewed, good until {until}: {error}"));
            Ok(false)
        }
        Err(error) => Err(online_key_failure(error)),
    }
}

fn by_people(expiry: &Expiry) -> bool {
    matches!(expiry.role, "root" | "targets")
}

fn expired(publication: &Publication, now: Timestamp, of: impl Fn(&Expiry) -> bool) -> Option<Failure> {
    let over = expiries(publication, now).into_iter().find(|expiry| expiry.expires <= now && of(expiry))?;
    let (role, day) = (over.role, over.expires.strftime("%F"));
    let message = format!("publication: its {role} expired on {day}; no laptop takes what is loaded now");
    Some(Failure::new(Exit::Expired, message).hint(match role {
        "root" => "the root must be signed again: fetcher root renew",
        "targets" => "the approval must be signed again: fetcher approve --renew",
        _ => "the unattended keys must sign again: fetcher load where they are",
    }))
}

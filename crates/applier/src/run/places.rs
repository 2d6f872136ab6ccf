use isapi::{Address, Recorder};

use super::ledger::Ledger;
use super::wait::{Back, other_certificate};
use super::{Going, chain};
use crate::event::Event;

/// Where the recorder is waited for: where it was, or where it was found since (`docs/safety.md`, rule 8).
#[derive(Default)]
pub(super) struct Places {
    moved: Option<Recorder>,
    /// Where it says that it is, and why it cannot be talked to there.
    seen: Option<(Address, String)>,
}

impl Places {
    /// The recorder where it is waited for now.
    pub(super) fn recorder<'a>(&'a self, where_it_was: &'a Recorder) -> &'a Recorder {
        self.moved.as_ref().unwrap_or(where_it_was)
    }

    /// What was not reached, with where it was seen.
    pub(super) fn with_sighting(self, back: Back) -> Back {
        match (back, self.seen) {
            (Back::Not(why), Some((address, obstacle))) => {
                Back::Not(format!("{why}; it came back at {address}, says SADP; {obstacle}"))
            }
            (back, _) => back,
        }
    }
}

impl Going<'_> {
    /// Asks the cable where the recorder is, and goes on there if it answers there with its serial number.
    /// Whoever claims to be it and does not is not heeded, and it is still waited for where it was; but a login
    /// that is refused is the last, wherever.
    pub(super) async fn look_elsewhere(self, ledger: &mut Ledger<'_>, places: &mut Places) -> Option<Back> {
        let search = self.senses.search?;
        let serial = &self.job.before.serial;
        let sightings = search.look(serial, places.recorder(self.recorder).address()).await;
        for sighting in sightings {
            let obstacle = if let Some(obstacle) = &sighting.obstacle {
                obstacle.clone()
            } else {
                let Ok(there) = search.there(self.recorder, &sighting) else { continue };
                match there.device_info().await {
                    Ok(device) if device.serial == *serial => {
                        ledger.note(&Event::Elsewhere { address: sighting.address, obstacle: None });
                        *places = Places { moved: Some(there), seen: None };
                        return None;
                    }
                    Err(error) if error.is_login() => return Some(Back::LoginRefused(chain(&error))),
                    Err(error) => match other_certificate(&error) {
                        Some(found) => self.told_of(found),
                        None => continue,
                    },
                    Ok(_) => continue,
                }
            };
            let seen = (sighting.address, obstacle);
            if places.seen.as_ref() != Some(&seen) {
                let (address, obstacle) = seen.clone();
                ledger.note(&Event::Elsewhere { address, obstacle: Some(obstacle) });
                places.seen = Some(seen);
            }
        }
        None
    }
}

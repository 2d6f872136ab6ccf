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
    /// What was told of that; anybody on the cable can invent more.
    told: Vec<(Address, String)>,
}

/// So many sightings are told and written down while one recorder is waited for.
const MOST_TOLD: usize = 16;

impl Places {
    /// The recorder where it is waited for now.
    pub(super) fn recorder<'a>(&'a self, where_it_was: &'a Recorder) -> &'a Recorder {
        self.moved.as_ref().unwrap_or(where_it_was)
    }

    /// Notes where it says that it is, and why it cannot be talked to there; the event to tell of, where
    /// that is news.
    fn sees(&mut self, address: Address, obstacle: String) -> Option<Event> {
        let seen = (address.clone(), obstacle.clone());
        let is_news = !self.told.contains(&seen) && self.told.len() < MOST_TOLD;
        if is_news {
            self.told.push(seen.clone());
        }
        self.seen = Some(seen);
        is_news.then_some(Event::Elsewhere { address, obstacle: Some(obstacle) })
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
                let Ok(there) = search.there(self.recorder, &sighting.address) else { continue };
                match there.device_info().await {
                    Ok(device) if device.serial == *serial => {
                        ledger.note(&Event::Elsewhere { address: sighting.address, obstacle: None });
                        (places.moved, places.seen) = (Some(there), None);
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
            if let Some(event) = places.sees(sighting.address, obstacle) {
                ledger.note(&event);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_claims_to_be_it_everywhere_is_told_of_a_few_times() {
        let mut places = Places::default();
        let mut sees = |n: u8, obstacle: &str| {
            let address = format!("192.168.1.{n}").parse().unwrap();
            places.sees(address, obstacle.into()).is_some()
        };
        assert!(sees(1, "beyond") && sees(2, "beyond") && sees(1, "another certificate"));
        assert!(!sees(1, "beyond") && !sees(2, "beyond"), "told before");
        let told = (3..=250).filter(|n| sees(*n, "beyond")).count();
        assert_eq!(told, MOST_TOLD - 3);
        let back = places.with_sighting(Back::Not("no answer".into()));
        assert!(matches!(back, Back::Not(why) if why.contains("192.168.1.250")), "the last one is known");
    }
}

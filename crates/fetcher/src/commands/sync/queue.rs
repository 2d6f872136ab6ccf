//! What is to be fetched, in turns: so many of one host at a time, whoever takes them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use firmware::Release;
use url::Url;

/// A release to be fetched.
#[derive(Debug, Clone)]
pub(super) struct Job<'a> {
    pub(super) release: &'a Release,
    /// In what the depot's file was not the pinned one, where there was one.
    pub(super) damaged: Option<String>,
}

impl Job<'_> {
    /// The host that is asked, with its port.
    fn host(&self) -> String {
        let url = self.release.url.as_deref().and_then(|url| Url::parse(url).ok());
        let named = url.and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
        named.map_or_else(String::new, |(host, port)| format!("{host}:{port}"))
    }

    /// Bytes that are downloaded.
    pub(super) fn download_size(&self) -> u64 {
        self.release.pin.as_ref().map_or(0, |pin| pin.package_size.unwrap_or(pin.size))
    }

    /// Bytes of the firmware.
    pub(super) fn size(&self) -> u64 {
        self.release.pin.as_ref().map_or(0, |pin| pin.size)
    }
}

#[derive(Debug)]
pub(super) struct Queue<'a> {
    per_host: usize,
    state: Mutex<State<'a>>,
    /// A host has room again, or nothing waits any more.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State<'a> {
    waiting: VecDeque<(String, Job<'a>)>,
    at_work: HashMap<String, usize>,
}

/// A job that is being done; its host has room again when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'q, 'a> {
    queue: &'q Queue<'a>,
    host: String,
    pub(super) job: Job<'a>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(jobs: Vec<Job<'a>>, per_host: usize) -> Self {
        let waiting = jobs.into_iter().map(|job| (job.host(), job)).collect();
        let state = State { waiting, ..State::default() };
        Self { per_host, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The next job whose host has room; waits for one, and gives none when nothing is left to begin.
    pub(super) fn take(&self) -> Option<Turn<'_, 'a>> {
        let mut state = self.lock();
        loop {
            let State { waiting, at_work } = &mut *state;
            let has_room =
                |(host, _): &(String, Job<'_>)| at_work.get(host).is_none_or(|n| *n < self.per_host);
            if let Some((host, job)) = waiting.iter().position(has_room).and_then(|at| waiting.remove(at)) {
                *at_work.entry(host.clone()).or_default() += 1;
                return Some(Turn { queue: self, host, job });
            }
            if waiting.is_empty() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Turn<'_, 'a> {
    /// Takes what waits for the same host out of the queue.
    pub(super) fn give_up_host(&self) -> Vec<Job<'a>> {
        let mut state = self.queue.lock();
        let all = std::mem::take(&mut state.waiting);
        let (given_up, others) = all.into_iter().partition(|(host, _)| *host == self.host);
        state.waiting = others;
        let given_up: VecDeque<(String, Job<'a>)> = given_up;
        given_up.into_iter().map(|(_, job)| job).collect()
    }
}

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        if let Some(count) = self.queue.lock().at_work.get_mut(&self.host) {
            *count -= 1;
        }
        self.queue.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn releases(urls: &[&str]) -> Vec<Release> {
        let release = |(n, url): (usize, &&str)| {
            let id = format!("r{n}");
            let json = serde_json::json!({"id": id, "family": "nvr", "version": "V4.1.0", "build": "190101", "url": url});
            serde_json::from_value(json).unwrap()
        };
        urls.iter().enumerate().map(release).collect()
    }

    fn queue(releases: &[Release], per_host: usize) -> Queue<'_> {
        Queue::new(releases.iter().map(|release| Job { release, damaged: None }).collect(), per_host)
    }

    fn id<'a>(turn: &Turn<'_, 'a>) -> &'a str {
        turn.job.release.id.as_str()
    }

    #[test]
    fn a_full_host_is_passed_over_until_it_has_room() {
        let releases =
            releases(&["http://a/1", "http://a/2", "http://a:80/3", "http://b/4", "http://a:81/5"]);
        let queue = queue(&releases, 2);
        let turns: Vec<Turn<'_, '_>> = (0..4).map(|_| queue.take().unwrap()).collect();
        assert_eq!(turns.iter().map(id).collect::<Vec<_>>(), ["r0", "r1", "r3", "r4"]);
        let waits = std::thread::scope(|scope| {
            let third = scope.spawn(|| queue.take().map(|turn| id(&turn)));
            drop(turns);
            third.join().unwrap()
        });
        assert_eq!((waits, queue.take().is_none()), (Some("r2"), true));
    }

    #[test]
    fn a_host_that_is_given_up_is_not_asked_again() {
        let releases = releases(&["http://a/1", "http://b/2", "http://a/3", "http://a/4"]);
        let queue = queue(&releases, 1);
        let turn = queue.take().unwrap();
        let left: Vec<&str> = turn.give_up_host().iter().map(|job| job.release.id.as_str()).collect();
        assert_eq!(left, ["r2", "r3"]);
        assert_eq!(queue.take().map(|turn| id(&turn)), Some("r1"));
        assert!(queue.take().is_none());
    }
}

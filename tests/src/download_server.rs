//! A small server of firmware packages that behaves like a vendor's: ranges, entity tags, and the ways
//! in which such servers fail people (reference: container §7). It serves plain file names below one
//! directory and nothing else; `/__counters` says what was asked of it.

mod answer;
mod body;
mod range;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What is wrong with the server; the default is one in good order.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Faults {
    /// Cut one connection, once, after this many bytes of a file
    #[arg(long, value_name = "BYTES")]
    pub cut_after: Option<u64>,
    /// Send a web page of 522 bytes under status 200 instead of any file, as the vendor's does to data centres
    #[arg(long)]
    pub block_page: bool,
    /// Ignore ranges and send no entity tag
    #[arg(long)]
    pub no_range: bool,
    /// Send no faster than this
    #[arg(long, value_name = "BYTES_PER_SECOND", value_parser = clap::value_parser!(u64).range(1..))]
    pub slow: Option<u64>,
    /// Answer every request for a file with this status, such as 404 or 500
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(400..600))]
    pub status: Option<u16>,
    /// Answer only so many requests with that status, and then as if nothing were wrong
    #[arg(long, value_name = "N", requires = "status")]
    pub status_times: Option<u32>,
    /// Send this as Retry-After with that status: seconds, or a date
    #[arg(long, value_name = "WHEN", requires = "status")]
    pub retry_after: Option<String>,
    /// Announce so many bytes more than a file has
    #[arg(long, value_name = "BYTES")]
    pub excess: Option<u64>,
}

/// What was asked of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests, those for the counters apart.
    pub requests: u64,
    /// Of those, answered with a part of a file (206).
    pub partial: u64,
    /// Bytes of files handed to the network.
    pub bytes: u64,
    /// Connections cut by a fault.
    pub cuts: u64,
    /// Files under way at the same time, at most.
    pub most_at_once: u64,
}

#[derive(Debug, Default)]
struct State {
    counters: Counters,
    faults: Faults,
    /// Those of single files, by their path below the directory; they take the place of the others.
    of_files: HashMap<String, Faults>,
    /// Files under way.
    at_once: u64,
}

impl State {
    fn faults_of(&mut self, name: &str) -> &mut Faults {
        self.of_files.get_mut(name).unwrap_or(&mut self.faults)
    }
}

struct Server {
    directory: PathBuf,
    state: watch::Sender<State>,
}

impl Server {
    fn count(&self, count: impl FnOnce(&mut Counters)) {
        self.state.send_modify(|state| count(&mut state.counters));
    }

    /// What goes wrong with this request for a file. A cut happens once, a status as often as is said.
    fn take_faults(&self, name: &str) -> Faults {
        let mut taken = Faults::default();
        self.state.send_modify(|state| {
            let faults = state.faults_of(name);
            taken = faults.clone();
            match &mut faults.status_times {
                Some(0) => taken.status = None,
                Some(times) => *times -= 1,
                None => {}
            }
            if taken.status.is_none() {
                faults.cut_after = None;
            }
        });
        taken
    }
}

/// A running server; it ends when this is dropped.
pub struct Handle {
    address: SocketAddr,
    server: Arc<Server>,
    tasks: JoinSet<io::Result<()>>,
}

/// Serves the files of `directory` on `listen`; port 0 takes a free one. It listens when this returns.
pub async fn start(directory: PathBuf, listen: SocketAddr, faults: Faults) -> io::Result<Handle> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let state = watch::Sender::new(State { faults, ..State::default() });
    let server = Arc::new(Server { directory, state });
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(Arc::clone(&server), listener));
    Ok(Handle { address, server, tasks })
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a file.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// What was asked of it so far.
    pub fn counters(&self) -> Counters {
        self.server.state.borrow().counters.clone()
    }

    /// Replaces all faults.
    pub fn set_faults(&self, faults: Faults) {
        self.server.state.send_modify(|state| state.faults = faults);
    }

    /// Replaces the faults of one file, by its path below the directory.
    pub fn set_faults_of(&self, name: &str, faults: Faults) {
        self.server.state.send_modify(|state| {
            state.of_files.insert(name.to_owned(), faults);
        });
    }

    /// Waits for it to fail and says why; a server in good order never returns from this.
    pub async fn failed(&mut self) -> io::Error {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(panicked)) => io::Error::other(panicked),
            Some(Ok(Ok(()))) | None => io::Error::other("server has ended"),
        }
    }
}

async fn serve(server: Arc<Server>, listener: TcpListener) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, server) = (accepted?.0, Arc::clone(&server));
                connections.spawn(async move {
                    let service = service_fn(|request| answer::answer(&server, request));
                    let mut http = http1::Builder::new();
                    let http = http.timer(TokioTimer::new());
                    // how a connection ends is the client's business, or the fault's
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

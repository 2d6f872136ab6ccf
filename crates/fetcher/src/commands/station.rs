//! `fetcher station`: every stick that is plugged in is collected from, brought up to date and ejected.

mod errand;
mod tell;

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use drive::{Change, Drive, Watch};
use terminal::{Count, Exit, Fail, Failure, Output};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{Id, JoinError, JoinSet, spawn_blocking};

use self::errand::{Served, Station, failed};
use self::tell::{Said, Teller};
use super::outgoing::SelectionArgs;
use crate::context::Context;

/// Collect from every stick that is plugged in, bring it up to date, read it back and eject it, several at once,
/// until interrupted. A stick that holds other files and was never loaded is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher station --all                          until Ctrl-C; as a service: scripts/courier-station.service
  fetcher station --model DS-7608NI-I2 --json    what happens, as JSON lines
  fetcher station --all --once                   the sticks that are plugged in now

Ctrl-C lets the sticks that are being written be finished. A second one ends at once; such a stick is mended
when it is plugged in the next time.")]
pub struct Args {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Serve the sticks that are plugged in now, and end with the worst of their exit codes
    #[arg(long)]
    once: bool,
    /// Load sticks that hold other files and were never loaded, too; those files are left alone
    #[arg(long)]
    any_stick: bool,
    /// Leave sticks switched on; what this program mounted is unmounted
    #[arg(long)]
    no_eject: bool,
}

/// Sticks that are served at the same time; more wait for their turn.
const MOST_AT_ONCE: usize = 8;

/// Runs the command.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = args.selection.wanted("station")?;
    let station = Station::open(wanted, args.any_stick, !args.no_eject, context)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().fail(Exit::Internal)?;
    let ended = runtime.block_on(async {
        let watch = Watch::new().fail(Exit::Internal)?;
        let counter = Counter::new(station, context.output);
        if args.once { counter.serve_those_of(&watch).await } else { counter.serve(watch).await }
    });
    // one that hangs in a stick must not hold up the end
    runtime.shutdown_background();
    ended
}

/// The plug of a stick, as this run counts.
type Plug = usize;

/// Where sticks are handed in.
struct Counter {
    station: Arc<Station>,
    output: Output,
    teller: Teller,
    said: UnboundedSender<(Plug, Said)>,
    sayings: UnboundedReceiver<(Plug, Said)>,
    /// Every stick that is plugged in, by its plug.
    plugged: Vec<(Plug, Drive)>,
    plugs: Plug,
    /// Those of the first so many plugs were there when the station began.
    from_before: Plug,
    waiting: VecDeque<(Plug, Drive)>,
    at_work: JoinSet<(Plug, Exit)>,
    /// By the task: the plugs of those at work.
    tasks: HashMap<Id, Plug>,
    /// Those that went while something was done with them.
    went: HashSet<Plug>,
}

impl Counter {
    fn new(station: Station, output: Output) -> Self {
        let (said, sayings) = unbounded_channel();
        Self {
            station: Arc::new(station),
            output,
            teller: Teller::new(output),
            said,
            sayings,
            plugged: Vec::new(),
            plugs: 0,
            from_before: 0,
            waiting: VecDeque::new(),
            at_work: JoinSet::new(),
            tasks: HashMap::new(),
            went: HashSet::new(),
        }
    }

    /// Serves what is plugged in now; the worst of how it ended.
    async fn serve_those_of(mut self, watch: &Watch) -> Result<Exit, Failure> {
        if watch.known().is_empty() {
            let failure = Failure::new(Exit::Stick, "stick: none is plugged in");
            return Err(failure.hint("plug it in and give the same command again"));
        }
        self.take_all(watch.known());
        let mut worst = Exit::Done;
        while !self.is_idle() {
            if let Some(ended) = self.step().await {
                worst = worst.worst(ended);
            }
        }
        Ok(worst)
    }

    /// Serves whatever is plugged in until somebody wants it to end, and then what is under way.
    async fn serve(mut self, watch: Watch) -> Result<Exit, Failure> {
        let mut signals = Signals::listen().fail(Exit::Internal)?;
        self.take_all(watch.known());
        let mut changes = changes(watch);
        self.output.note("ready for sticks; Ctrl-C ends");
        let mut ends = false;
        while !(ends && self.is_idle()) {
            tokio::select! {
                _ = self.step() => {}
                Some(change) = changes.recv() => match change.fail(Exit::Internal)? {
                    Change::Plugged { drive } if !ends => self.take(*drive),
                    Change::Plugged { .. } => {}
                    Change::Unplugged { drive } => self.unplugged(&drive),
                },
                () = signals.next() => {
                    let sticks = Count(self.at_work.len(), "stick");
                    if ends {
                        self.output.warn(format_args!("{sticks} left unfinished: plugged in again, they are mended"));
                        return Ok(Exit::Stick);
                    }
                    ends = true;
                    self.send_away();
                    if !self.is_idle() {
                        self.output.note(format_args!("{sticks} still to be finished; Ctrl-C again ends at once"));
                    }
                }
            }
        }
        Ok(Exit::Done)
    }

    fn take_all(&mut self, drives: &[Drive]) {
        self.from_before = drives.len();
        for drive in drives {
            self.take(drive.clone());
        }
    }

    fn take(&mut self, drive: Drive) {
        let plug = self.plugs;
        self.plugs += 1;
        self.teller.tell(plug, &Said::Plugged { drive: Box::new(drive.clone()) });
        self.plugged.push((plug, drive.clone()));
        self.waiting.push_back((plug, drive));
        self.begin();
    }

    /// Begins with those that wait, as far as there is room.
    fn begin(&mut self) {
        while self.at_work.len() < MOST_AT_ONCE {
            let Some((plug, drive)) = self.waiting.pop_front() else { return };
            let (station, said) = (Arc::clone(&self.station), self.said.clone());
            let task = self.at_work.spawn(serve(station, plug, drive, plug < self.from_before, said));
            self.tasks.insert(task.id(), plug);
        }
    }

    /// Those that wait are not begun with any more.
    fn send_away(&mut self) {
        for (plug, _) in std::mem::take(&mut self.waiting) {
            let ended =
                Failure::new(Exit::Stick, "stick: the station ended before its turn; nothing was done");
            failed(&ended.hint("plug it in again once the station runs"), &mut |saying| {
                self.teller.tell(plug, &saying);
            });
        }
    }

    fn unplugged(&mut self, drive: &Drive) {
        let Some(at) = self.plugged.iter().position(|(_, known)| known.is_same_plug(drive)) else { return };
        let (plug, _) = self.plugged.swap_remove(at);
        // one that is switched off goes before its own last word
        if self.tasks.values().any(|at_work| *at_work == plug) {
            self.went.insert(plug);
        } else {
            self.waiting.retain(|(waiting, _)| *waiting != plug);
            self.teller.unplugged(plug, false);
        }
    }

    fn is_idle(&self) -> bool {
        self.at_work.is_empty() && self.waiting.is_empty()
    }

    /// Waits for the next word of a stick, or for one to be done with, and how.
    async fn step(&mut self) -> Option<Exit> {
        tokio::select! {
            Some((plug, saying)) = self.sayings.recv() => {
                self.teller.tell(plug, &saying);
                None
            }
            ended = next_of(&mut self.at_work) => {
                self.hear_all();
                let exit = self.ended(ended);
                self.begin();
                Some(exit)
            }
        }
    }

    fn ended(&mut self, ended: Result<(Id, (Plug, Exit)), JoinError>) -> Exit {
        let (id, exit) = match ended {
            Ok((id, (_, exit))) => (id, Some(exit)),
            Err(error) => (error.id(), None),
        };
        let Some(plug) = self.tasks.remove(&id) else { return Exit::Internal };
        let exit = exit.unwrap_or_else(|| {
            let broke = Failure::new(Exit::Internal, "stick: this program failed at it; it may be damaged");
            failed(&broke.hint("plug it in again"), &mut |saying| {
                self.teller.tell(plug, &saying);
            })
        });
        if self.went.remove(&plug) {
            self.teller.unplugged(plug, true);
        }
        exit
    }

    /// Tells what was said and not heard yet.
    fn hear_all(&mut self) {
        while let Ok((plug, saying)) = self.sayings.try_recv() {
            self.teller.tell(plug, &saying);
        }
    }
}

/// The next that ends; none ever does where none is at work.
async fn next_of<T: 'static>(at_work: &mut JoinSet<T>) -> Result<(Id, T), JoinError> {
    match at_work.join_next_with_id().await {
        Some(ended) => ended,
        None => pending().await,
    }
}

/// So often is one tried that cannot be mounted, and so long after each try. The kernel tells of a stick before
/// udev and udisks2 know it, and of a card reader before its partitions are read; neither says when it is done to
/// whoever may not ask it.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(500);

/// Serves one stick to its end.
async fn serve(
    station: Arc<Station>,
    plug: Plug,
    drive: Drive,
    is_from_before: bool,
    said: UnboundedSender<(Plug, Said)>,
) -> (Plug, Exit) {
    // nobody listens any more once the command has ended
    let mut tell = |saying| drop(said.send((plug, saying)));
    for n in 1.. {
        let (own, again, said) = (Arc::clone(&station), drive.clone(), said.clone());
        let tried = spawn_blocking(move || {
            own.serve(&again, is_from_before, &mut |saying| drop(said.send((plug, saying))))
        });
        match tried.await {
            Ok(Served::Ended(exit)) => return (plug, exit),
            Ok(Served::NotMounted(_)) if n < TRIES && !is_from_before => tokio::time::sleep(BETWEEN).await,
            Ok(Served::NotMounted(error)) => return (plug, failed(&error.failure(), &mut tell)),
            Err(broke) if broke.is_panic() => std::panic::resume_unwind(broke.into_panic()),
            Err(_) => break,
        }
    }
    (plug, Exit::Internal)
}

/// What is plugged in and pulled out, from a thread of its own.
fn changes(mut watch: Watch) -> UnboundedReceiver<io::Result<Change>> {
    let (seen, changes) = unbounded_channel();
    thread::spawn(move || {
        loop {
            let change = watch.wait();
            let is_last = change.is_err();
            if seen.send(change).is_err() || is_last {
                return;
            }
        }
    });
    changes
}

/// By which a person or the system wants a program to end.
struct Signals([Signal; 2]);

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

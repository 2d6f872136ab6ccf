//! The real `applier` is killed, and what it does next is held against what the recorder saw.
//!
//! `strace` delivers the signal where it counts, without anything in the program that knows of it: at
//! the fsync of the n-th line of the journal, which is then written while what it announces has not begun;
//! with that line torn afterwards, which is the state just before it; and at the n-th write to a socket,
//! which cuts logins and the upload at every place. Then `applier resume` runs, a person restarts the
//! recorder where only that helps, and a plain `applier apply` follows. Pushes are counted by the
//! recorder, and `docs/run-faults.md` is the table of what came of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // helpers of tests are tests

mod case;
mod fault;
mod signals;
mod state;
mod statements;
mod table;

use case::{Bench, Kill};

/// Kills at these lines of the journal, and at these writes to a socket, where not at all of them.
struct Sample {
    lines: &'static [u32],
    torn: &'static [u32],
    writes: &'static [u32],
}

const GOOD: Sample = Sample { lines: &[1, 3, 4, 5, 7, 12], torn: &[5, 9], writes: &[30, 34] };
const FAULTY: Sample = Sample { lines: &[4, 5], torn: &[], writes: &[] };

fn full() -> bool {
    std::env::var_os("COURIER_TEST_FULL").is_some() || table::is_updated()
}

/// Makes a kill of the number of a line or of a write.
type Kind<'a> = &'a (dyn Fn(u32) -> Kill + Sync);

/// Goes through the kills of one fault.
async fn go_through(name: &str, sample: &Sample) {
    let fault = fault::named(name);
    let bench = Bench::new().await;
    let mut rows = Vec::new();
    let line = |at| Kill::Line { at, torn: false };
    let torn = |at| Kill::Line { at, torn: true };
    let write = |at| Kill::Write { at };
    let kinds: [(Kind, &[u32]); 3] = [(&line, sample.lines), (&torn, sample.torn), (&write, sample.writes)];
    for (kill, sampled) in kinds {
        for at in 1.. {
            if !full() && !sampled.contains(&at) {
                if sampled.iter().all(|wanted| *wanted < at) {
                    break;
                }
                continue;
            }
            let Some(row) = bench.case(fault, kill(at)).await else { break };
            eprintln!("{name} {:?}: {row}", kill(at));
            rows.push(row);
        }
    }
    assert!(!rows.is_empty());
    table::hold(fault, &rows, full());
}

macro_rules! killed {
    ($($name:ident: $sample:expr;)+) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            go_through(stringify!($name), &$sample).await;
        })+
    };
}

killed! {
    good: GOOD;
    lost_answer: FAULTY;
    restarts_itself: FAULTY;
    says_ok: FAULTY;
    unseen: FAULTY;
    refuses: FAULTY;
    other_version: FAULTY;
    same_version: FAULTY;
    other_serial: FAULTY;
    refuses_reboot: FAULTY;
    no_uptime: FAULTY;
}

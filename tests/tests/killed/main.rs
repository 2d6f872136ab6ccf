//! The real `applier` is killed, and what it does next is held against what the recorder saw.
//!
//! `strace` delivers the signal where it counts, without anything in the program that knows of it: at
//! the fsync of the n-th line of the journal, which is then written while what it announces has not begun;
//! with that line torn afterwards, which is the state just before it; and at the n-th write to a socket,
//! which cuts logins and the upload at every place. Then `applier resume` runs, a person restarts the
//! recorder, or finds it elsewhere, where only that helps, and a plain `applier apply` follows. Pushes are counted by the
//! recorder, and `docs/run-faults.md` is the table of what came of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // helpers of tests are tests

mod case;
mod coverage;
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
/// The last block is about to leave.
const LEAVING: Sample = Sample { lines: &[5], torn: &[], writes: &[] };
/// The whole package has left.
const LEFT: Sample = Sample { lines: &[6], torn: &[], writes: &[] };
/// The recorder restarts, or is about to.
const RESTART: Sample = Sample { lines: &[7], torn: &[8], writes: &[] };
/// The run is about to end.
const END: Sample = Sample { lines: &[9], torn: &[], writes: &[] };

/// Before this write every recorder is asked the same, and that is gone through with one in good order.
const FIRST_OF_PUSH: u32 = 28;

fn full() -> bool {
    std::env::var_os("COURIER_TEST_FULL").is_some()
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
    let first = if name == "good" { 1 } else { FIRST_OF_PUSH };
    for ((kill, sampled), first) in kinds.into_iter().zip([1, 1, first]) {
        for at in first.. {
            if !full() && !sampled.contains(&at) {
                if sampled.iter().all(|wanted| *wanted < at) {
                    break;
                }
                continue;
            }
            let Some(row) = bench.case(fault, kill(at)).await else { break };
            eprintln!("{name} {:?}: {row}", kill(at));
            table::hold(fault, std::slice::from_ref(&row), false);
            rows.push(row);
        }
    }
    assert!(!rows.is_empty());
    if full() {
        table::hold(fault, &rows, true);
    }
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
    lost_answer: LEAVING;
    restarts_itself: LEFT;
    waits_to_be_told: LEFT;
    says_ok: RESTART;
    says_zero: LEFT;
    unclear: LEFT;
    no_status: RESTART;
    silent: LEAVING;
    unseen: LEAVING;
    stalls: LEAVING;
    slow: LEFT;
    cut_midway: LEAVING;
    cut_at_last_byte: LEFT;
    refuses: LEFT;
    refuses_oddly: LEFT;
    other_version: END;
    same_version: RESTART;
    other_serial: END;
    moves: RESTART;
    stays_away: END;
    refuses_reboot: RESTART;
    no_uptime: LEAVING;
}

//! A restore that a person stops, and one that this laptop sleeps through.

use std::cell::RefCell;

use super::*;
use crate::presence::moment::Moment;

/// Asks for its end `times` at each event that is `at`; what was warned of, and what came of it.
async fn stopped(bench: &Bench, at: fn(&Event) -> bool, times: u32) -> (Vec<Stage>, RestoreOutcome) {
    let (ask, asked) = watch::channel(0);
    let warned = RefCell::new(Vec::new());
    let warn = |stage| warned.borrow_mut().push(stage);
    let tell = |event: &Event| {
        if at(event) {
            ask.send_modify(|asked| *asked += times);
        }
    };
    let mut attempts = bench.attempts();
    let log = bench.log(&mut attempts);
    let outcome = bench.restore(log).execute(clock, tell, Stop::new(asked, &warn)).await;
    (warned.into_inner(), outcome.into())
}

fn is_down(event: &Event) -> bool {
    matches!(event, Event::Stage { stage: Stage::Rebooting })
}

#[tokio::test]
async fn the_first_time_warns_and_watching_goes_on() {
    let bench = bench().await;
    let (warned, outcome) = stopped(&bench, is_down, 1).await;
    assert_eq!((warned, outcome.result), (vec![Stage::Rebooting], RestoreResult::Restored));
}

#[tokio::test]
async fn the_second_time_ends_it_as_unknown_and_in_order() {
    let bench = bench_with(|builder| builder.faults.never_back = true).await;
    let (_, outcome) = stopped(&bench, is_down, 2).await;
    assert_eq!(
        (outcome.result, outcome.reason, outcome.exit()),
        (RestoreResult::UnknownAfterRestore, Reason::Interrupted, Exit::Unknown)
    );
    assert_eq!(bench.step(), Some(Step::Ended(RestoreResult::UnknownAfterRestore)));
}

#[tokio::test]
async fn before_anything_was_sent_once_is_enough() {
    let bench = bench().await;
    let (warned, outcome) = stopped(&bench, |event| matches!(event, Event::Uptime { .. }), 1).await;
    assert_eq!((warned, outcome.result, outcome.exit()), (vec![], RestoreResult::Failed, Exit::Failed));
    assert_eq!((bench.restores(), bench.step()), (0, Some(Step::Planned)));
}

#[tokio::test]
async fn a_sleep_while_it_restarts_is_told_and_it_is_looked_at_again() {
    let bench = bench().await;
    let slept = Cell::new(Duration::ZERO);
    let moment = || {
        let Moment { boot, awake } = Moment::now();
        Moment { boot: boot + slept.get(), awake }
    };
    let senses = Senses { moment: &moment, search: None };
    let mut attempts = bench.attempts();
    let restore = Restore { senses, ..bench.restore(bench.log(&mut attempts)) };
    let mut told = Vec::new();
    let tell = |event: &Event| {
        if is_down(event) {
            slept.set(Duration::from_secs(540));
        }
        told.extend(event.circumstance());
    };
    let (_asked, nobody) = watch::channel(0);
    let outcome: RestoreOutcome = restore.execute(clock, tell, Stop::new(nobody, &|_| {})).await.into();
    assert_eq!(outcome.result, RestoreResult::Restored, "{}", outcome.detail);
    assert_eq!(told, ["this laptop slept 9m"]);
}

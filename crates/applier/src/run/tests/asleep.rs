//! This laptop sleeps while a recorder restarts: its boot time goes on and its timers do not.

use std::cell::Cell;

use super::*;

/// Runs it on a laptop that sleeps for nine minutes once the recorder is seen to be gone.
async fn asleep(bench: &Bench, deadlines: Deadlines) -> (Outcome, Vec<Event>) {
    let slept = Cell::new(Duration::ZERO);
    let moment = || {
        let Moment { boot, awake } = Moment::now();
        Moment { boot: boot + slept.get(), awake }
    };
    let senses = Senses { moment: &moment, search: None };
    bench
        .run_sensing(bench.begin(), deadlines, senses, |event| {
            if matches!(event, Event::Stage { stage: Stage::Rebooting }) {
                slept.set(Duration::from_secs(540));
            }
        })
        .await
}

const SLEPT: Event = Event::Slept { seconds: 540 };

#[tokio::test]
async fn a_recorder_that_came_back_meanwhile_is_looked_at_and_not_given_up() {
    let bench = bench(|_| {}).await;
    let (outcome, events) = asleep(&bench, brief()).await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Confirmed, Reason::Confirmed), "{}", outcome.detail);
    assert_eq!(events.iter().filter(|event| **event == SLEPT).count(), 1, "{events:?}");
    let written = std::fs::read_to_string(
        bench.dir.path().join("journals").join(format!("{}.jsonl", bench.replay().run)),
    );
    assert!(written.unwrap().contains(r#""event":"slept","seconds":540"#));
}

#[tokio::test]
async fn one_that_stays_away_is_given_up_after_a_fresh_look() {
    let bench = bench(|recorder| recorder.faults.never_back = true).await;
    let deadlines = Deadlines { back: Duration::from_secs(2), ..brief() };
    let (outcome, events) = asleep(&bench, deadlines).await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Unknown, Reason::NeverReturned));
    assert!(events.contains(&SLEPT) && outcome.detail.contains("no connection"), "{}", outcome.detail);
}

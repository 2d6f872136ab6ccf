//! The events of a run as bars and lines, or as JSON lines. It could be deleted without touching the
//! run.

use std::time::Instant;

use terminal::{Output, Progress};

use crate::event::Event;
use crate::run::Payload;
use crate::stage::Stage;

/// Shows a run while it happens.
pub(super) struct Watch {
    payload: Payload,
    output: Output,
    bar: Option<Progress>,
    began: Instant,
    /// Whether the whole package has left: a late word about the sending is no news then.
    sent: bool,
}

impl Watch {
    /// Shows nothing yet.
    pub(super) fn new(payload: Payload, output: Output) -> Self {
        Self { payload, output, bar: None, began: Instant::now(), sent: false }
    }

    /// Shows one event.
    pub(super) fn show(&mut self, event: &Event) {
        let output = self.output;
        output.json(event);
        match event {
            Event::BackedUp { backup } => self.line(&format!(
                "its configuration is kept and was read back: {} bytes in {}",
                backup.size,
                backup.file.display()
            )),
            Event::Push { number: 1 } | Event::Uptime { .. } => {}
            Event::Push { number } => self
                .line(&format!("the recorder wants a new login: the {} is sent again (time {number})", self.payload.noun())),
            Event::Upload { .. } if self.sent => {}
            Event::Upload { handed, total } => {
                let total = *total;
                self.bar.get_or_insert_with(|| Progress::bytes(output, "sending", Some(total))).set(*handed);
            }
            Event::Uploaded { how, .. } => {
                self.close();
                self.line(how);
            }
            Event::Stage { stage } => self.stage(*stage),
            Event::Progress { percent } => {
                let bar = self
                    .bar
                    .get_or_insert_with(|| Progress::percent(output, "flashing; do not cut the power"));
                bar.set(u64::from(*percent));
            }
            Event::Silent { seconds, left } => self.line(&format!(
                "no answer for {seconds} s; normal while it {}; do not cut the power; gives up looking in {left} s",
                self.payload.work()
            )),
            Event::Stalled { seconds, left } => self.line(&format!(
                "no byte was taken for {seconds} s; it may be erasing its flash; do not cut the power; gives up in {left} s"
            )),
            Event::Still { what, seconds, left } => self.line(&format!(
                "for {seconds} s: {what}; do not cut the power; gives up looking in {left} s"
            )),
            Event::Slept { .. } => {
                self.line(&format!("{}; looking again", event.circumstance().unwrap_or_default()));
            }
            Event::Elsewhere { .. } => self.line(&event.circumstance().unwrap_or_default()),
            Event::RebootAnswered { how } => self.line(how),
            Event::Read { device } => {
                self.line(&format!("{} answers with {}", device.serial, device.revision));
            }
            Event::JournalFailed { why } => output.warn(format_args!("{why}; the run goes on")),
            Event::Planned { run, .. } => self.line(&format!("run {run}")),
            Event::Resumed { address, .. } => self.line(&format!("looking after it again, at {address}")),
            Event::Left { why } => {
                self.close();
                self.line(&format!("left: {why}"));
            }
            Event::Ended { .. } => self.close(),
        }
    }

    fn stage(&mut self, stage: Stage) {
        let words = match stage {
            Stage::Flashing => {
                self.sent = true;
                self.close();
                match self.payload {
                    Payload::Firmware => {
                        "the whole package has left; the recorder checks and flashes it; do not cut the power"
                    }
                    Payload::Configuration => {
                        "the whole configuration has left; the recorder takes it over; do not cut the power"
                    }
                }
            }
            Stage::RebootRequested => {
                self.close();
                "asking the recorder to restart"
            }
            Stage::Rebooting => "the recorder restarts",
            Stage::Returned => "the recorder is back",
            _ => return,
        };
        self.line(words);
    }

    fn line(&self, words: &str) {
        let seconds = self.began.elapsed().as_secs();
        let line = format!("{seconds:>4} s  {words}");
        match &self.bar {
            Some(bar) => bar.line(&line),
            None => self.output.note(line),
        }
    }

    /// Takes the bar away.
    pub(super) fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Output;

/// Progress of one long step: a bar on a terminal, a line at its beginning and one for each quarter
/// elsewhere. It only shows what it is told; a step without a known total shows no percentage.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    output: Output,
    label: String,
    total: Option<u64>,
    /// Quarters of the total already printed, where there is no terminal.
    quarters: u64,
}

impl Progress {
    /// Begins a step over `total` bytes, or over an unknown number.
    pub fn bytes(output: Output, label: &str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg} {spinner} {bytes} {bytes_per_sec}",
        };
        Self::start(output, bar, template, label, total)
    }

    /// Begins a step that is counted in percent by someone else.
    pub fn percent(output: Output, label: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
        Self::start(output, bar, "{msg} [{bar:30}] {percent}% {elapsed}", label, Some(100))
    }

    fn start(output: Output, bar: ProgressBar, template: &str, label: &str, total: Option<u64>) -> Self {
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(label.to_owned());
        if bar.is_hidden() {
            output.note(label);
        } else {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Self { bar, output, label: label.to_owned(), total, quarters: 0 }
    }

    /// Says how far the step is, in bytes or percent from its beginning.
    pub fn set(&mut self, position: u64) {
        self.bar.set_position(position);
        let Some(total) = self.total.filter(|t| *t > 0 && self.bar.is_hidden()) else { return };
        let quarters = position.saturating_mul(4) / total;
        if quarters > self.quarters {
            self.quarters = quarters;
            self.output.note(format_args!("{}: {} %", self.label, quarters * 25));
        }
    }

    /// Prints a line above the bar.
    pub fn line(&self, line: &str) {
        self.beside(|| self.output.note(line));
    }

    /// Takes the bar out of the way while something else is said.
    pub fn beside<T>(&self, speak: impl FnOnce() -> T) -> T {
        self.bar.suspend(speak)
    }

    /// Ends the step and takes the bar away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

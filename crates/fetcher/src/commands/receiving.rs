//! What a person is told while a package arrives.

use firmware::ReleaseId;
use terminal::{Output, Progress};

use crate::download::Event;

/// A remark on what happens to a download, where it deserves one.
pub(super) fn remark(id: &ReleaseId, event: &Event) -> Option<String> {
    Some(match event {
        Event::Started { from, total } if *from > 0 && from + 1 == *total => {
            format!("{id}: here from an earlier try, and unchanged at its source")
        }
        Event::Started { from, total } if *from > 0 => {
            format!("{id}: going on behind {from} of {total} bytes")
        }
        Event::Cut { arrived } => format!("{id}: connection cut after {arrived} bytes"),
        Event::Restarted => {
            format!("{id}: the earlier part is of another file, or cannot be continued: fetching all of it")
        }
        Event::Retry { why, after } => {
            format!("{id}: {why}; trying again in {:.1} s", after.as_secs_f64())
        }
        Event::Started { .. } | Event::Arrived(_) => return None,
    })
}

/// The bar of one download.
#[derive(Debug)]
pub(super) struct Receiving<'a> {
    id: &'a ReleaseId,
    output: Output,
    bar: Option<Progress>,
}

impl<'a> Receiving<'a> {
    /// Says that it begins: a server may take long to answer, or may not answer at all.
    pub(super) fn begin(id: &'a ReleaseId, url: &str, output: Output) -> Self {
        output.note(format_args!("{id}: fetching {url}"));
        Self { id, output, bar: None }
    }

    /// Shows what happens.
    pub(super) fn hear(&mut self, event: &Event) {
        if let Some(bar) = self.bar.take_if(|_| *event == Event::Restarted) {
            bar.finish();
        }
        if let Event::Started { total, .. } = event {
            let label = format!("{}: receiving", self.id);
            self.bar.get_or_insert_with(|| Progress::bytes(self.output, &label, Some(*total)));
        }
        if let Some(line) = remark(self.id, event) {
            match &self.bar {
                Some(bar) => bar.line(&line),
                None => self.output.note(line),
            }
        }
        if let (Some(bar), Event::Started { from: at, .. } | Event::Arrived(at)) = (&mut self.bar, event) {
            bar.set(*at);
        }
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish();
        }
    }
}

use stick::{Event, Past};
use terminal::{Count, Output, Progress};

/// The events of a write as bars, or as JSON lines.
pub(in crate::commands) struct View {
    output: Output,
    past: Option<Past>,
    write_bytes: u64,
    check_bytes: u64,
    writing: Option<Progress>,
    checking: Option<Progress>,
}

impl View {
    pub(in crate::commands) fn new(output: Output) -> Self {
        Self { output, past: None, write_bytes: 0, check_bytes: 0, writing: None, checking: None }
    }

    pub(in crate::commands) fn show(&mut self, event: &Event) {
        let output = self.output;
        output.json(event);
        match event {
            Event::Planned { write_bytes, check_bytes, unchanged } => {
                (self.write_bytes, self.check_bytes) = (*write_bytes, *check_bytes);
                if *unchanged {
                    output.note("the stick holds everything already; it is read back");
                }
            }
            Event::Writing { bytes } => {
                let total = self.write_bytes;
                self.writing
                    .get_or_insert_with(|| Progress::bytes(output, "writing", Some(total)))
                    .set(*bytes);
            }
            Event::Syncing => {
                self.close();
                output.note("syncing");
            }
            Event::ReadingBack { past } => {
                self.past = Some(*past);
                output.note(match past {
                    Past::Direct => "reading back around this machine's memory (O_DIRECT)",
                    Past::CacheDropped => {
                        "reading back after this machine's memory was told to forget the files: the file system reads no other way"
                    }
                });
            }
            Event::Checking { bytes } => {
                let total = self.check_bytes;
                self.checking
                    .get_or_insert_with(|| Progress::bytes(output, "reading back", Some(total)))
                    .set(*bytes);
            }
            Event::Mending { path, write_bytes } => {
                self.close();
                self.write_bytes = *write_bytes;
                output.warn(format_args!("{path} on the stick was damaged; it is written again"));
            }
            Event::Current => self.close(),
            Event::Removed { files } => {
                output.note(format_args!("{} removed", Count(*files, "superseded file")));
            }
        }
    }

    /// How memory was kept out of the read-back.
    pub(in crate::commands) fn past(&self) -> Option<Past> {
        self.past
    }

    /// Takes the bars away.
    pub(in crate::commands) fn close(&mut self) {
        for bar in [self.writing.take(), self.checking.take()].into_iter().flatten() {
            bar.finish();
        }
    }
}

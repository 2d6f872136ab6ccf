use crate::presence::moment::Moment;
use crate::search::Search;

/// What a run perceives besides the recorder's answers.
#[derive(Clone, Copy)]
pub struct Senses<'a> {
    /// Reads the time that a sleep of the laptop does not stop.
    pub moment: &'a dyn Fn() -> Moment,
    /// How to look for the recorder where it does not answer; none on a link that is no cable.
    pub search: Option<&'a Search>,
}

impl Senses<'_> {
    pub(super) fn now(self) -> Moment {
        (self.moment)()
    }
}

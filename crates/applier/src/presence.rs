//! Being there to the end (`docs/safety.md`, rule 5): what this laptop does so that it is awake while a recorder flashes,
//! and what it notices about itself.
//!
//! * [`inhibitor`]: logind is asked to let it neither sleep nor shut down, and to leave the lid alone.
//! * [`power`]: whether it runs on mains, before a push and while it goes on.
//! * [`moment`]: two clocks, one of which goes on in a sleep; what that makes of a deadline is pure.

pub mod deadline;
pub mod inhibitor;
pub mod moment;
pub mod power;

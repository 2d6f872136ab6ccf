//! How both programs speak to a person: messages, bars, prompts and exit codes.
//!
//! Data goes to standard output, everything else to standard error. A message has the noun first and
//! ends without a period; what to do now stands on its own line after `hint:`. Everything that a
//! prompt asks has a flag, and without a terminal the missing flag is named instead of waiting.

mod count;
mod exit;
mod failure;
mod output;
mod progress;
mod prompt;

pub use count::Count;
pub use exit::Exit;
pub use failure::{Fail, Failure, report};
pub use output::{Output, OutputArgs};
pub use progress::Progress;
pub use prompt::{SecretSource, confirm, secret, typed};

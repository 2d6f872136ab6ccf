//! What the fuzz targets do with an input, and what must hold then. The fuzzer and the test that replays
//! the corpus (`tests/tests/fuzz_corpus.rs`) run the same code: a module here, no more dependency than that.
#![allow(unreachable_pub, reason = "a library to the fuzzer, a module to the test")]

mod canonical;
mod certificates;
mod challenges;
mod isapi_replies;
mod key_files;
mod metadata;
mod path_patterns;
mod sadp;
mod target_names;

pub use canonical::canonical;
pub use certificates::certificates;
pub use challenges::challenges;
pub use isapi_replies::isapi_replies;
pub use key_files::key_files;
pub use metadata::metadata;
pub use path_patterns::path_patterns;
pub use sadp::sadp;
pub use target_names::target_names;

/// What is done with an input.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("canonical", canonical),
    ("certificates", certificates),
    ("challenges", challenges),
    ("isapi_replies", isapi_replies),
    ("key_files", key_files),
    ("metadata", metadata),
    ("path_patterns", path_patterns),
    ("sadp", sadp),
    ("target_names", target_names),
];

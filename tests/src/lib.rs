//! Journeys across crates, the programs that make them, and the download server that they and the
//! demo need.

pub mod download_server;
pub mod programs;

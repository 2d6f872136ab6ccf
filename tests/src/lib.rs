//! Journeys across crates, the programs that make them, and the download server that they and the
//! demo need; a depot with its stick and a laptop, and a cable between two machines.

pub mod download_server;
pub mod postgresql;
pub mod programs;
pub mod ran;
pub mod running;
pub mod site;
pub mod variants;

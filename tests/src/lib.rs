//! Journeys across crates, and the download server that they and the demo need.

pub mod download_server;

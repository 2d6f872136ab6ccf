//! A laptop and a recorder with a cable between them: two network namespaces and a veth pair, made by each
//! test for itself. Nothing here touches the network of the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod addresses;
mod finding;
mod isolation;
mod sampling;
mod world;

//! Journeys over a real cable: two network namespaces joined by a veth pair, the simulated recorder as a
//! program in one, `applier` in the other. What the laptop is connected to, the cable itself, and what
//! answers at its other end are changed by the tests; the recorder says what it saw.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

mod certificates;
mod empty_root;
mod finding;
mod isolation;
mod logins;
mod machine;
mod pulling;
mod returning;
mod simulator;
mod world;

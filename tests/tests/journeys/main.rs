//! Journeys of the shipped programs: the whole way from the catalogue to the ledger, and every way in
//! which it is known to end early. Each test runs `fetcher` and `applier` as processes against the
//! download server and the simulated recorder, and asks those two what they saw.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

mod answered;
mod asked_to_end;
mod audit;
mod awake;
mod backups;
mod battery;
mod browser;
mod bus;
mod cameras;
mod clock;
mod collected;
mod covering;
mod delivered;
mod depot_errors;
mod drives;
mod export;
mod fault_case;
mod fault_coverage;
mod fleet_facts;
mod fleet_page;
mod fleet_report;
mod formats;
mod homeward;
mod loading;
mod night;
mod planned;
mod policy;
mod recorder_errors;
mod recorder_faults;
mod restores;
mod rounds;
mod sealed;
mod signing;
mod stations;
mod steps;
mod stick_bytes;
mod stick_errors;
mod supplying;
mod syncing;
mod units;
mod unsettled;
mod upstream;
mod whole;
mod world;

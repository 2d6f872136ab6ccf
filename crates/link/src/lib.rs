//! The cable: which interface leads to a recorder, what else this laptop can reach, and who answers.
//!
//! Three questions, each with data for an answer:
//!
//! * **May this laptop talk to that address?** [`Snapshot::read`] writes down what the kernel says about
//!   interfaces, addresses, routes of all tables, forwarding and neighbours; [`judge()`] lists every reason
//!   why the laptop is not alone with the recorder, and touches nothing. [`Sampler`] asks again whenever
//!   the kernel announces a change, for as long as a push takes, and [`Listener`] hears who else is there.
//! * **Who is on the cable?** [`find()`] asks by SADP, listens for ARP and looks into the neighbour table.
//!   SADP answers carry no proof of anything: they are for finding, never for trust (reference: ISAPI §16).
//! * **How does this laptop get an address there?** [`temporary`] chooses one, asks by ARP whether it is
//!   free, and adds it with a lifetime, so that a crash or a power cut takes it away.
//!
//! Deciding files (`judge`, `way`, `difference`, `hint`, `choose`) are pure. The kernel is asked over netlink,
//! whose answers are typed and belong to the network namespace of the caller; `/sys/class/net` belongs to
//! the one that mounted it, and `/proc/net/route` knows only the main table. Bytes from the cable are hostile:
//! [`read_datagram`] and the ARP reader take at most 8 KiB and reject what no recorder sends.
//!
//! It depends on `firmware` for the words that devices say about themselves: what is harmful on a terminal
//! and when two serials are the same is decided there, once.

mod announcements;
mod arp;
mod datagram;
mod difference;
mod error;
mod find;
mod judge;
mod listener;
mod mac;
mod netlink;
mod packet;
mod read;
mod sadp;
mod sampler;
mod snapshot;
mod target;
pub mod temporary;
mod way;

pub use difference::Change;
pub use error::Error;
pub use find::{Effort, Findings, Found, Heard, Hint, How, Rejected, candidates, find};
pub use judge::{Isolation, Link, MOST_HEARD, Reason, judge};
pub use listener::Listener;
pub use mac::{InvalidMac, Mac};
pub use sadp::{Datagram, Device, Malformed, read_datagram};
pub use sampler::{Event, Sampler};
pub use snapshot::{Family, Forwarding, Hop, Host, Interface, Kind, Route, Snapshot};
pub use target::Target;
pub use way::{Way, way};

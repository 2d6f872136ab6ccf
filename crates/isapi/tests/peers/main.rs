//! The client against parties that we did not write: lighttpd and Apache for digest authentication and
//! the upload, OpenSSL for TLS, the kernel for bound sockets. All of them run here, on the loopback
//! address or in a network namespace made for it.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

mod apache;
mod certificates;
mod interface;
mod lighttpd;
mod server;
mod site;
mod tls;

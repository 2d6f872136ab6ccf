//! The download server as a program, for the demo and for trying things by hand.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use journeys::download_server::{Faults, start};

/// Serve the files of a directory like a vendor's download server. Ctrl-C ends it
///
/// It prints where it listens; GET /__counters says what was asked of it.
#[derive(Parser)]
struct Cli {
    /// Directory to serve
    directory: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[command(flatten, next_help_heading = "Faults")]
    faults: Faults,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let mut server = start(cli.directory, cli.listen, cli.faults).await?;
    // a reader that went away has what it wanted
    let _ = writeln!(io::stdout(), "listening on {}", server.address());
    tokio::select! {
        error = server.failed() => Err(error),
        signal = tokio::signal::ctrl_c() => signal,
    }
}

//! The client workflow over plain HTTP, for public test suites and for trying a repository by hand.
//!
//! Exit code 0 or 1, never another. No redirect is followed, no proxy asked. Targets are stored under
//! their percent-encoded names, whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::NamedTempFile;
use tuf_client::{
    Clock, DirectoryStore, FetchError, FoundTarget, Repository, Role, TargetName, Verified, refresh, trust,
};

/// All but the unreserved characters of RFC 3986 §2.3.
const FILE_NAME: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What may stand in a path as it is: also `/` and the other characters of RFC 3986 §3.3.
const URL_PATH: AsciiSet = FILE_NAME
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// A server that sends a byte now and then is left after this time.
const METADATA_DEADLINE: Duration = Duration::from_secs(60);
const TARGET_DEADLINE: Duration = Duration::from_secs(3600);
/// At which hashing is fastest.
const BLOCK: usize = 64 * 1024;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A client of The Update Framework.
#[derive(Parser)]
struct Options {
    /// Where trusted metadata is kept.
    #[arg(long, value_name = "DIR")]
    metadata_dir: PathBuf,
    /// Where metadata comes from.
    #[arg(long, value_name = "URL")]
    metadata_url: Option<String>,
    /// A target to download; may be given again.
    #[arg(long, value_name = "PATH")]
    target_name: Vec<TargetName>,
    /// Where downloaded targets are kept.
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,
    /// Where targets come from.
    #[arg(long, value_name = "URL")]
    target_base_url: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Store a root as trusted; no request.
    Init { root: PathBuf },
    /// Bring the trusted metadata up to date.
    Refresh,
    /// Refresh, then download the targets in order.
    Download,
}

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        // nobody is left to tell if this cannot be printed
        Err(error) => return error.print().map_or(ExitCode::FAILURE, |()| code(!error.use_stderr())),
    };
    match catch_unwind(|| run(&options)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            // whether anybody is left to read it must not change the exit code, as `eprintln` would
            let _ = tell(error.as_ref());
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn tell(error: &dyn std::error::Error) -> io::Result<()> {
    let mut stderr = io::stderr();
    writeln!(stderr, "error: {error}")?;
    let mut source = error.source();
    while let Some(error) = source {
        writeln!(stderr, "  because: {error}")?;
        source = error.source();
    }
    Ok(())
}

fn code(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(options: &Options) -> Result<()> {
    let mut store = DirectoryStore::new(&options.metadata_dir);
    if let Command::Init { root } = &options.command {
        fs::create_dir_all(&options.metadata_dir)?;
        let mut bytes = Vec::new();
        File::open(root)?.take(Role::Root.cap() + 1).read_to_end(&mut bytes)?;
        // whoever gives the file vouches for it
        let fingerprint = Verified::self_signed(&bytes)?.sha256();
        trust(&mut store, &bytes, &fingerprint)?;
        return Ok(());
    }
    let mut server = Server::new(options)?;
    #[expect(clippy::disallowed_methods, reason = "the one reading of the clock, at the start")]
    let clock = Clock { system: jiff::Timestamp::now(), build: jiff::Timestamp::UNIX_EPOCH };
    let trusted = refresh(&mut store, &mut server, clock)?;
    if let Command::Download = options.command {
        let directory = options.target_dir.as_deref().ok_or("--target-dir is missing")?;
        fs::create_dir_all(directory)?;
        for name in &options.target_name {
            let found = trusted.find(&mut store, &mut server, name)?;
            let found = found.ok_or_else(|| format!("target {name} is not listed"))?;
            download(&found, &mut server, directory)?;
        }
    }
    Ok(())
}

/// Fetches a target, unless it is there already.
fn download(target: &FoundTarget, server: &mut Server, directory: &Path) -> Result<()> {
    let path = directory.join(utf8_percent_encode(target.name().as_str(), &FILE_NAME).to_string());
    if copy(target, &mut Local(&path), &mut io::sink()).is_ok() {
        return Ok(());
    }
    let mut file = NamedTempFile::new_in(directory)?;
    copy(target, server, &mut file)?;
    file.persist(path)?;
    Ok(())
}

fn copy(target: &FoundTarget, from: &mut dyn Repository, to: &mut dyn Write) -> Result<()> {
    let mut reader = target.open(from)?;
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(to.flush()?),
            count => to.write_all(&block[..count])?,
        }
    }
}

/// A target that was downloaded before, as a repository of one file.
struct Local<'a>(&'a Path);

impl Repository for Local<'_> {
    fn metadata(&mut self, _name: &str, _cap: u64) -> std::result::Result<Option<Vec<u8>>, FetchError> {
        Ok(None)
    }

    fn target<'a>(&'a mut self, _path: &str) -> std::result::Result<Option<Box<dyn Read + 'a>>, FetchError> {
        Ok(Some(Box::new(File::open(self.0)?)))
    }
}

/// A repository behind two URLs.
struct Server {
    agent: ureq::Agent,
    metadata: String,
    targets: Option<String>,
}

impl Server {
    fn new(options: &Options) -> Result<Self> {
        let config = ureq::Agent::config_builder().proxy(None).max_redirects(0).http_status_as_error(false);
        Ok(Self {
            agent: config.build().into(),
            metadata: options.metadata_url.clone().ok_or("--metadata-url is missing")?,
            targets: options.target_base_url.clone(),
        })
    }

    /// A body, or `None` where the server says that there is none for us.
    fn get(&self, base: &str, path: &str, deadline: Duration) -> io::Result<Option<ureq::Body>> {
        let url = format!("{}/{path}", base.trim_end_matches('/'));
        let request = self.agent.get(&url).config().timeout_global(Some(deadline)).build();
        let response = request.call().map_err(io::Error::other)?;
        match response.status().as_u16() {
            200 => Ok(Some(response.into_body())),
            403 | 404 => Ok(None),
            status => Err(io::Error::other(format!("{url}: status {status}"))),
        }
    }
}

impl Repository for Server {
    fn metadata(&mut self, name: &str, cap: u64) -> std::result::Result<Option<Vec<u8>>, FetchError> {
        // percent-encoded by the workflow where that is needed
        let Some(body) = self.get(&self.metadata, name, METADATA_DEADLINE)? else { return Ok(None) };
        let mut bytes = Vec::new();
        body.into_reader().take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > cap { Err(FetchError::TooLarge) } else { Ok(Some(bytes)) }
    }

    fn target<'a>(&'a mut self, path: &str) -> std::result::Result<Option<Box<dyn Read + 'a>>, FetchError> {
        let base = self.targets.as_deref().ok_or_else(|| io::Error::other("--target-base-url is missing"))?;
        let body = self.get(base, &utf8_percent_encode(path, &URL_PATH).to_string(), TARGET_DEADLINE)?;
        Ok(body.map(|body| Box::new(body.into_reader()) as Box<dyn Read>))
    }
}

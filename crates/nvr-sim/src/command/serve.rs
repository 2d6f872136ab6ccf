use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use firmware::{Build, FirmwareVersion, Model, Revision, Serial};
use jiff::Timestamp;
use nvr_sim::{Algorithm, Builder, Faults, Handle, Stage, StartError};
use secrecy::{ExposeSecret, SecretString};
use terminal::{Exit, Fail, Failure, Output, SecretSource, secret};

/// The firmware that a recorder has after an upgrade, and that a synthetic package shows, unless said
/// otherwise: the two fit out of the box.
pub(crate) const AFTER: &str = "V4.61.025:230421";

/// `nvr-sim`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Loopback address of the control port: GET / for counters, POST /fault to change faults
    #[arg(long, value_name = "ADDR")]
    control: Option<SocketAddr>,
    /// Model
    #[arg(long, default_value = "DS-7608NI-I2")]
    model: Model,
    /// Serial number [default: made from the model]
    #[arg(long)]
    serial: Option<Serial>,
    /// Device type: NVR or DVR
    #[arg(long, value_name = "TYPE", default_value = "NVR")]
    device_type: String,
    /// Firmware version it runs
    #[arg(long, default_value = "V4.30.097")]
    version: FirmwareVersion,
    /// Build of that firmware
    #[arg(long, value_name = "YYMMDD", default_value = "200101")]
    build: Build,
    /// Firmware it runs after an upgrade, whatever was pushed
    #[arg(long, value_name = "VERSION:BUILD", default_value = AFTER)]
    after: Revision,
    /// User name of its account
    #[arg(long, value_name = "NAME", default_value = "admin")]
    user: String,
    /// File with the password of that account, mode 0600 [default: one is made up and printed]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Hash that its digest challenge asks for
    #[arg(long, value_enum, default_value_t = Algorithm::Md5)]
    algorithm: Algorithm,
    /// Requests that one nonce is good for
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    max_nonce_uses: u32,
    /// Time that writing the flash takes
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    flash_seconds: Duration,
    /// Time that a reboot takes
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    down_seconds: Duration,
    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten, next_help_heading = "Faults")]
    faults: Faults,
}

/// Seconds, fractions allowed; a day at most.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if !(0.0..=86400.0).contains(&seconds) {
        return Err("expected 0 to 86400 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Runs the recorder until Ctrl-C.
pub(crate) async fn run(args: Args, output: Output, now: Timestamp) -> Result<Exit, Failure> {
    let made_up = args.password_file.is_none();
    let password = match args.password_file {
        Some(file) => {
            secret(&SecretSource { file: Some(file), stdin: false, flags: "--password-file" }, "password")?
        }
        None => SecretString::from(hex::encode(rand::random::<[u8; 6]>())),
    };
    let password = password.expose_secret();
    let before = Revision { version: args.version, build: args.build };
    let mut recorder = Builder::new(args.model, before, args.after, password, now);
    recorder.listen = args.listen;
    recorder.control = args.control;
    recorder.serial = args.serial;
    recorder.device_type = args.device_type;
    recorder.user.clone_from(&args.user);
    recorder.algorithm = args.algorithm;
    recorder.max_nonce_uses = args.max_nonce_uses;
    recorder.flash = args.flash_seconds;
    recorder.down = args.down_seconds;
    recorder.faults = args.faults;
    let mut recorder = recorder.start().await.map_err(cannot_start)?;
    announce(&recorder, &args.user, made_up.then_some(password), output);
    tokio::select! {
        failure = tell_stages(&mut recorder, output) => return Err(failure),
        signal = tokio::signal::ctrl_c() => signal.fail(Exit::Internal)?,
    }
    recorder.shutdown().await;
    Ok(Exit::Done)
}

fn cannot_start(error: StartError) -> Failure {
    Failure::of(Exit::Usage, error)
}

/// Says where it listens; whoever started it may connect as soon as the line is there.
fn announce(recorder: &Handle, user: &str, made_up: Option<&str>, output: Output) {
    output.json(&serde_json::json!({
        "listening": recorder.address(), "control": recorder.control_address(),
        "serial": recorder.serial(), "user": user, "password": made_up,
    }));
    output.data(format!("listening on {}", recorder.address()));
    if let Some(control) = recorder.control_address() {
        output.data(format!("control on {control}"));
    }
    output.data(format!("serial {}", recorder.serial()));
    if let Some(password) = made_up {
        output.data(format!("user {user}, password {password} (made up for this run)"));
    }
}

/// Tells each stage as it comes; returns only if the recorder fails.
async fn tell_stages(recorder: &mut Handle, output: Output) -> Failure {
    let failed = |why: &str| Failure::new(Exit::Internal, format!("recorder failed: {why}"));
    let mut stage = Stage::Idle;
    let mut watcher = recorder.subscribe();
    loop {
        tokio::select! {
            changed = watcher.wait_for(|state| state.stage != stage) => {
                let Ok(now) = changed else { return failed("its state is gone") };
                stage = now.stage;
                if output.is_json() {
                    let (version, build) = (&now.revision.version, &now.revision.build);
                    output.json(&serde_json::json!({ "stage": stage, "version": version, "build": build }));
                } else {
                    output.note(format!("recorder is {stage}, {}", now.revision));
                }
            }
            error = recorder.failed() => return failed(&error.to_string()),
        }
    }
}

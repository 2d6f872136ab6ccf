use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Algorithm, Builder, Faults, Handle, Stage, StartError};
use firmware::{Build, FirmwareVersion, Model, Revision, Serial};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use terminal::{Exit, Fail, Failure, Output, SecretSource, secret};

/// The firmware that a synthetic package shows unless said otherwise: what a recorder has after an
/// upgrade, so that the two fit out of the box.
pub(crate) const AFTER: &str = "V4.61.025:230421";

/// `nvr-sim`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// File that says what it is and what is wrong with it (docs/simulator.md); flags go before it
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Address to listen on for TLS [default: none]
    #[arg(long, value_name = "ADDR")]
    https: Option<SocketAddr>,
    /// Loopback address of the control port: GET / for counters, POST /fault to change faults
    #[arg(long, value_name = "ADDR")]
    control: Option<SocketAddr>,
    /// Model [default: DS-7608NI-I2]
    #[arg(long)]
    model: Option<Model>,
    /// Serial number [default: made from the model]
    #[arg(long)]
    serial: Option<Serial>,
    /// Device type, such as NVR or DVR [default: that of the profile, NVR]
    #[arg(long, value_name = "TYPE")]
    device_type: Option<String>,
    /// Firmware version it runs [default: V4.30.097]
    #[arg(long)]
    version: Option<FirmwareVersion>,
    /// Build of that firmware [default: 200101]
    #[arg(long, value_name = "YYMMDD")]
    build: Option<Build>,
    /// Firmware it runs after an upgrade, whatever was pushed [default: V4.61.025:230421]
    #[arg(long, value_name = "VERSION:BUILD")]
    after: Option<Revision>,
    /// User name of its account [default: admin]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File with the password of that account, mode 0600 [default: one is made up and printed]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Hash that its digest challenge asks for [default: md5]
    #[arg(long, value_enum)]
    algorithm: Option<Algorithm>,
    /// Requests that one nonce is good for [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_nonce_uses: Option<u32>,
    /// Time that writing the flash takes [default: 3]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    flash_seconds: Option<Duration>,
    /// Time that a reboot takes [default: 3]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    down_seconds: Option<Duration>,
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
    let mut recorder = scenario(args.scenario.as_deref(), now)?;
    let password = password(args.password_file.clone(), &recorder)?;
    let made_up = args.password_file.is_none() && recorder.login.password.is_empty();
    recorder.login.password = password.expose_secret().to_owned();
    args.lay_over(&mut recorder);
    let user = recorder.login.user.clone();
    let mut recorder = recorder.start().await.map_err(cannot_start)?;
    announce(&recorder, &user, made_up.then_some(password.expose_secret()), output);
    tokio::select! {
        failure = tell_stages(&mut recorder, output) => return Err(failure),
        signal = tokio::signal::ctrl_c() => signal.fail(Exit::Internal)?,
    }
    recorder.shutdown().await;
    Ok(Exit::Done)
}

/// The recorder of this file, or that of an empty one.
fn scenario(file: Option<&Path>, now: Timestamp) -> Result<Builder, Failure> {
    let Some(file) = file else { return Builder::scenario("", now).fail(Exit::Usage) };
    let failed = |failure: Failure| failure.context(format!("scenario {} rejected", file.display()));
    let text = std::fs::read_to_string(file).fail(Exit::Usage).map_err(failed)?;
    Builder::scenario(&text, now).fail(Exit::Usage).map_err(failed)
}

/// The password of the file, of the scenario, or one that is made up.
fn password(file: Option<PathBuf>, recorder: &Builder) -> Result<SecretString, Failure> {
    match file {
        Some(file) => {
            secret(&SecretSource { file: Some(file), stdin: false, flags: "--password-file" }, "password")
        }
        None if recorder.login.password.is_empty() => {
            Ok(SecretString::from(hex::encode(rand::random::<[u8; 6]>())))
        }
        None => Ok(SecretString::from(recorder.login.password.clone())),
    }
}

impl Args {
    /// Flags go before what the scenario says.
    fn lay_over(self, recorder: &mut Builder) {
        fn set<T>(field: &mut T, flag: Option<T>) {
            if let Some(flag) = flag {
                *field = flag;
            }
        }
        set(&mut recorder.listen, self.listen);
        recorder.https = self.https.or(recorder.https);
        recorder.control = self.control.or(recorder.control);
        set(&mut recorder.model, self.model);
        recorder.serial = self.serial.or(recorder.serial.take());
        recorder.device_type = self.device_type.or(recorder.device_type.take());
        set(&mut recorder.before.version, self.version);
        set(&mut recorder.before.build, self.build);
        set(&mut recorder.after, self.after);
        set(&mut recorder.login.user, self.user);
        set(&mut recorder.login.algorithms, self.algorithm.map(|algorithm| vec![algorithm]));
        set(&mut recorder.login.max_nonce_uses, self.max_nonce_uses);
        set(&mut recorder.flash, self.flash_seconds);
        set(&mut recorder.down, self.down_seconds);
        recorder.faults = self.faults.or(std::mem::take(&mut recorder.faults));
    }
}

fn cannot_start(error: StartError) -> Failure {
    Failure::of(Exit::Usage, error)
}

/// Says where it listens; whoever started it may connect as soon as the line is there.
fn announce(recorder: &Handle, user: &str, made_up: Option<&str>, output: Output) {
    output.json(&serde_json::json!({
        "listening": recorder.address(), "https": recorder.https_address(),
        "certificate": recorder.certificate(), "control": recorder.control_address(),
        "serial": recorder.serial(), "user": user, "password": made_up,
    }));
    output.data(format!("listening on {}", recorder.address()));
    if let (Some(https), Some(certificate)) = (recorder.https_address(), recorder.certificate()) {
        output.data(format!("https on {https}, certificate sha256 {certificate}"));
    }
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
    let (mut stage, mut address) = (Stage::Idle, recorder.address());
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
                if now.address != address {
                    address = now.address;
                    output.json(&serde_json::json!({ "listening": address }));
                    output.data(format!("listening on {address}"));
                }
            }
            error = recorder.failed() => return failed(&error.to_string()),
        }
    }
}

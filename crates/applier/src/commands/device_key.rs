//! The device key: the recorder's own, under which it encrypts its export. Not the local key, which
//! encrypts the file on this laptop and which nobody is asked for.

use std::path::PathBuf;

use isapi::ConfigurationKey;
use secrecy::{ExposeSecret as _, SecretString};
use terminal::{Exit, Failure, SecretSource};

const FLAGS: &str = "--device-key-file FILE or --device-key-stdin";

/// Where the device key comes from; never from an argument or the environment.
#[derive(Debug, clap::Args)]
pub(super) struct DeviceKeyArgs {
    /// The recorder's device key for its configuration is the first line of this file of mode 0600
    #[arg(long, value_name = "FILE")]
    device_key_file: Option<PathBuf>,
    /// Read the device key from the first line of standard input, or the one after the password
    #[arg(long, conflicts_with = "device_key_file")]
    device_key_stdin: bool,
}

impl DeviceKeyArgs {
    /// The key, if one is named.
    pub(super) fn given(&self) -> Result<Option<ConfigurationKey>, Failure> {
        if self.device_key_file.is_none() && !self.device_key_stdin {
            return Ok(None);
        }
        self.read("Device key").map(Some)
    }

    /// The key of a configuration that has one: as named, or asked for.
    pub(super) fn needed(&self) -> Result<ConfigurationKey, Failure> {
        self.read("Device key under which the recorder exported this configuration")
    }

    fn read(&self, prompt: &str) -> Result<ConfigurationKey, Failure> {
        let source =
            SecretSource { file: self.device_key_file.clone(), stdin: self.device_key_stdin, flags: FLAGS };
        key(terminal::secret(&source, prompt)?)
    }
}

/// A key for an export that is about to be made, asked for twice: one that was mistyped opens nothing.
pub(super) fn asked_twice() -> Result<ConfigurationKey, Failure> {
    let source = SecretSource { file: None, stdin: false, flags: FLAGS };
    let first = terminal::secret(&source, "Device key to export under, 1 to 16 letters and digits")?;
    let again = terminal::secret(&source, "The same again")?;
    if first.expose_secret() != again.expose_secret() {
        return Err(Failure::new(Exit::Usage, "device key: the two differ; nothing was exported")
            .hint("give the command again"));
    }
    key(first)
}

fn key(text: SecretString) -> Result<ConfigurationKey, Failure> {
    ConfigurationKey::new(text).map_err(|error| {
        Failure::of(Exit::Usage, error).hint("recorders take 1 to 16 characters; choose another key")
    })
}

//! What every command is given, and which exit code and advice each failure gives.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use keys::AgeIdentityError;
use keys::durable::LockError;
use keys::key_file::KeyFileError;
use secrecy::{ExposeSecret, SecretString};
use terminal::{Exit, Failure, Output, SecretSource};

use crate::catalog::{Catalog, CatalogError};
use crate::home::{self, Home, HomeError};

/// What a command is given besides its own arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// Where words go.
    pub output: Output,
    /// When the program was started.
    pub now: Timestamp,
    /// The home that was named.
    pub home: Option<PathBuf>,
    /// The catalogue that was named.
    pub manifests: Option<PathBuf>,
    /// Where systemd puts the keys of an unattended service (`$CREDENTIALS_DIRECTORY`, systemd.exec(5)).
    pub credentials: Option<PathBuf>,
}

impl Context {
    /// The home directory, existing or not.
    pub fn home_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.home {
            return Ok(dir.clone());
        }
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        let data =
            data.ok_or_else(|| Failure::new(Exit::Usage, "home: neither --home nor $HOME says where it is"))?;
        Ok(data.join("courier/fetcher"))
    }

    /// Opens the home.
    pub fn open_home(&self) -> Result<Home, Failure> {
        let home = Home::open(&self.home_dir()?).map_err(home_failure)?;
        self.output.detail(format_args!("home {}", home.dir().display()));
        Ok(home)
    }

    /// The folder of the catalogue.
    pub fn manifests_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.manifests {
            return Ok(dir.clone());
        }
        let home = self.home_dir()?;
        let settings = home::read_settings(&home).map_err(home_failure)?.unwrap_or_default();
        Ok(settings.manifests.map_or_else(|| "firmware-manifests".into(), |dir| home.join(dir)))
    }

    /// Reads the whole catalogue.
    pub fn catalog(&self) -> Result<Catalog, Failure> {
        let dir = self.manifests_dir()?;
        self.output.detail(format_args!("catalogue {}", dir.display()));
        Catalog::read(&dir).map_err(|error| catalog_failure(error, &dir))
    }
}

/// A missing or locked home is a matter of usage.
pub(crate) fn home_failure(error: HomeError) -> Failure {
    let hint = match &error {
        HomeError::Lock(_, LockError::InUse(_)) => Some("wait until the other fetcher has ended"),
        HomeError::Lock(_, LockError::Io { .. }) => Some("see that this user may write there"),
        HomeError::Missing(_) => Some("make one with fetcher init, or name one with --home DIR"),
        HomeError::Settings { .. } => Some("mend that line; docs/sync.md tells of [[source]]"),
        HomeError::Exists(_) => Some("name another directory with --home DIR"),
        _ => None,
    };
    let exit = if matches!(error, HomeError::Io(..)) { Exit::Internal } else { Exit::Usage };
    Failure::of(exit, error).maybe_hint(hint)
}

fn catalog_failure(error: CatalogError, dir: &Path) -> Failure {
    let faults = matches!(error, CatalogError::Faults(_));
    let exit = if faults { Exit::Rejected } else { Exit::Usage };
    let failure = Failure::of(exit, error);
    if faults {
        failure.hint("fix the lines named above; nothing is read from a catalogue with faults")
    } else {
        failure.context(format!("catalogue {}", dir.display())).hint("name the folder with --manifests DIR")
    }
}

/// A key file that cannot be opened is a matter of usage; one that cannot be written is not.
pub(crate) fn key_failure(error: KeyFileError) -> Failure {
    let hint = match &error {
        KeyFileError::WrongPassphrase(_) => Some("try again; the key itself is untouched"),
        KeyFileError::PassphraseNeeded(_) => Some("give --passphrase-file FILE or --passphrase-stdin"),
        KeyFileError::Io { action: "read", .. } => {
            Some("name the folder of the keys with --keys DIR, or a key file with --key FILE")
        }
        KeyFileError::Io { action: "write", .. } => Some("name a folder that can be written"),
        KeyFileError::Exists(_) => Some("choose another name, or move the file away if nobody needs it"),
        _ => None,
    };
    Failure::of(Exit::Usage, error).maybe_hint(hint)
}

/// The depot's age identity cannot be used.
pub(crate) fn identity_failure(error: AgeIdentityError) -> Failure {
    let hint = match &error {
        AgeIdentityError::Io { source, .. } if source.kind() == ErrorKind::FileTooLarge => {
            "leave only lines of AGE-SECRET-KEY-1… in it".into()
        }
        AgeIdentityError::Io { .. } => "see that the folder can be read and written".to_owned(),
        AgeIdentityError::Readable { path, .. } => format!("chmod 600 {}", path.display()),
        AgeIdentityError::NotAnIdentity(_) => {
            "bring the file back from a backup: without it, statements that are encrypted to this depot do not open"
                .into()
        }
    };
    Failure::of(Exit::Usage, error).hint(hint)
}

/// Where the passphrase of a key comes from.
#[derive(Debug, Clone, Args)]
pub struct PassphraseArgs {
    /// File of mode 0600 whose first line is the passphrase
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from the first line of standard input
    #[arg(long, conflicts_with = "passphrase_file")]
    passphrase_stdin: bool,
}

impl PassphraseArgs {
    /// Reads it, or asks with `prompt`.
    pub fn read(&self, prompt: &str) -> Result<SecretString, Failure> {
        let source = SecretSource {
            file: self.passphrase_file.clone(),
            stdin: self.passphrase_stdin,
            flags: "--passphrase-file FILE or --passphrase-stdin",
        };
        terminal::secret(&source, prompt)
    }

    /// Reads a new one; where it is typed, it is typed twice.
    pub fn choose(&self, prompt: &str) -> Result<SecretString, Failure> {
        let first = self.read(prompt)?;
        let given = self.passphrase_file.is_some() || self.passphrase_stdin;
        if !given && self.read("The same again")?.expose_secret() != first.expose_secret() {
            return Err(Failure::new(Exit::Usage, "passphrase: the two differ; nothing was made"));
        }
        Ok(first)
    }
}

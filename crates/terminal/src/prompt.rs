use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::{Exit, Fail, Failure};

/// The longest secret that is read, bytes.
const LONGEST_SECRET: u64 = 1024;

/// Where a passphrase or password comes from; never from an argument or the environment, which
/// other processes can read.
#[derive(Debug, Clone, Default)]
pub struct SecretSource {
    /// A file of mode 0600; its first line counts.
    pub file: Option<PathBuf>,
    /// The first line of standard input.
    pub stdin: bool,
    /// The flags to name where there is neither of both and no terminal: `--passphrase-file or …`.
    pub flags: &'static str,
}

/// Reads a secret from its source, or asks for it on the terminal with `prompt`.
pub fn secret(source: &SecretSource, prompt: &str) -> Result<SecretString, Failure> {
    if let Some(path) = &source.file {
        return from_file(path);
    }
    if source.stdin {
        let mut line = String::new();
        io::stdin().lock().take(LONGEST_SECRET).read_line(&mut line).fail(Exit::Usage)?;
        return Ok(first_line(line));
    }
    if !io::stdin().is_terminal() {
        let message = format!("{prompt}: no terminal to ask on");
        return Err(Failure::new(Exit::Usage, message).hint(format!("give {}", source.flags)));
    }
    let answer = rpassword::prompt_password(format!("{prompt}: ")).fail(Exit::Usage)?;
    Ok(answer.into())
}

fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let named = |e: Failure| e.context(format!("secret file {}", path.display()));
    let file = File::open(path).fail(Exit::Usage).map_err(named)?;
    let mode = file.metadata().fail(Exit::Usage).map_err(named)?.permissions().mode();
    if mode & 0o077 != 0 {
        let message =
            format!("secret file {}: mode {:04o} lets others read it", path.display(), mode & 0o7777);
        return Err(Failure::new(Exit::Usage, message).hint(format!("chmod 600 {}", path.display())));
    }
    let mut text = String::new();
    file.take(LONGEST_SECRET).read_to_string(&mut text).fail(Exit::Usage).map_err(named)?;
    Ok(first_line(text))
}

fn first_line(mut text: String) -> SecretString {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    text.truncate(end);
    text.into()
}

/// Asks a question that wants `yes`; `flag` answers it where there is no terminal.
pub fn confirm(question: &str, flag: &str) -> Result<bool, Failure> {
    Ok(typed(&format!("{question} Type yes to go on"), flag)?.eq_ignore_ascii_case("yes"))
}

/// Asks for a line on the terminal; `flag` is named where there is none.
pub fn typed(question: &str, flag: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let message = format!("{question}: no terminal to ask on");
        return Err(Failure::new(Exit::Usage, message).hint(format!("give {flag}")));
    }
    let _ = write!(io::stderr(), "{question}: ");
    let mut line = String::new();
    io::stdin().lock().take(LONGEST_SECRET).read_line(&mut line).fail(Exit::Usage)?;
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use secrecy::ExposeSecret;

    use super::*;

    fn source(file: PathBuf) -> SecretSource {
        SecretSource { file: Some(file), stdin: false, flags: "--passphrase-file" }
    }

    #[test]
    fn the_first_line_of_a_private_file_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pass");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"correct horse \r\nbattery\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(secret(&source(path), "p").unwrap().expose_secret(), "correct horse ");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pass");
        File::create(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let failure = secret(&source(path), "p").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.hint.unwrap().starts_with("chmod 600"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = secret(&source("/nonexistent/pass".into()), "p").unwrap_err();
        assert!(failure.error.to_string().contains("/nonexistent/pass"));
    }
}

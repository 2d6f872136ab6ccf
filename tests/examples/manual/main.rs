//! Man pages and completions of the programs, from the commands that they parse: `manual DIR` makes a folder for each
//! program, in which every file lies where Debian looks for it. An example, so that no shipped program carries it.

mod page;

use std::error::Error;
use std::fs::{File, create_dir_all};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::{Shell, generate};

fn main() -> Result<(), Box<dyn Error>> {
    let dir = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: manual DIR")?);
    let programs = [
        (applier::cli::Cli::command(), include_str!("applier.roff")),
        (fetcher::cli::Cli::command(), include_str!("fetcher.roff")),
        (nvr_sim::command::Cli::command(), include_str!("nvr-sim.roff")),
    ];
    for (command, more) in programs {
        let dir = dir.join(command.get_name());
        completions(&dir, &command)?;
        let mut command = command.disable_help_subcommand(true);
        command.build();
        page::pages(&command, more, &mut |name, text| {
            write(&dir.join("usr/share/man/man1").join(format!("{name}.1")), text.as_bytes())
        })?;
    }
    Ok(())
}

/// What makes bash, zsh and fish complete a program's commands and flags.
fn completions(dir: &Path, command: &Command) -> Result<(), Box<dyn Error>> {
    let name = command.get_name();
    let files = [
        (Shell::Bash, format!("usr/share/bash-completion/completions/{name}")),
        (Shell::Zsh, format!("usr/share/zsh/vendor-completions/_{name}")),
        (Shell::Fish, format!("usr/share/fish/vendor_completions.d/{name}.fish")),
    ];
    for (shell, file) in files {
        let mut text = Vec::new();
        generate(shell, &mut command.clone(), name, &mut text);
        write(&dir.join(file), &text)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    create_dir_all(path.parent().ok_or("a file in no folder")?)?;
    Ok(File::create(path)?.write_all(bytes)?)
}

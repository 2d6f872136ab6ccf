use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;
use terminal::Exit;

use crate::{PROGRAMS, files, manual, said};

/// Names of a command and of all below it, as their pages are called.
fn names(command: &clap::Command, before: &str) -> Vec<String> {
    let name = format!("{before}{}", command.get_name());
    let below = command.get_subcommands().flat_map(|below| names(below, &format!("{name}-")));
    below.chain([name.clone()]).collect()
}

#[test]
fn every_command_has_a_page_that_renders_without_a_warning() {
    let manual = manual();
    let commands =
        [fetcher::cli::Cli::command(), applier::cli::Cli::command(), nvr_sim::command::Cli::command()];
    let mut expected: BTreeSet<String> = commands.iter().flat_map(|command| names(command, "")).collect();
    assert!(expected.len() > 40, "{expected:?}");
    for page in PROGRAMS.iter().flat_map(|name| files(&manual.path().join(name).join("usr/share/man/man1"))) {
        let name = page.file_stem().unwrap().to_str().unwrap();
        assert!(expected.remove(name), "{name}");
        let mut man = Command::new("man");
        man.args(["--warnings=w", "--local-file"]).arg(&page).env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8");
        let (text, warnings) = said(&mut man);
        assert_eq!(warnings, "", "{name}");
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"] {
            assert!(text.lines().any(|line| line == section), "{name}: {section}\n{text}");
        }
        let source = read_to_string(&page).unwrap();
        assert!(!source.contains("/home/") && !source.contains("/root/"), "{name} tells of this machine");
    }
    assert_eq!(expected, BTreeSet::new(), "commands without a page");
}

#[test]
fn pages_of_programs_list_exit_codes_files_and_environment() {
    let manual = manual();
    let page = |name: &str| {
        let page = manual.path().join(name).join(format!("usr/share/man/man1/{name}.1"));
        said(Command::new("man").arg("--local-file").arg(page).env("MANWIDTH", "200")).0
    };
    for name in PROGRAMS {
        let page = page(name);
        for section in ["EXIT STATUS", "FILES", "ENVIRONMENT"] {
            assert!(page.lines().any(|line| line == section), "{name}: {section}");
        }
        for meaning in Exit::HELP.lines().skip(1).map(|line| line.trim_start().split_once("  ").unwrap().1) {
            assert!(page.contains(meaning), "{name}: {meaning}");
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src");
        for file in files(&folder) {
            for variable in variables(&read_to_string(&file).unwrap()) {
                assert!(page.contains(&variable), "{name} reads {variable}: {}", file.display());
            }
        }
    }
    assert!(page("applier").contains("SUDO_UID") && page("fetcher").contains("CREDENTIALS_DIRECTORY"));
}

/// Quoted words in capitals of a file that reads the environment.
fn variables(text: &str) -> Vec<String> {
    if !text.contains("env::var") {
        return Vec::new();
    }
    let quoted = text.split('"').skip(1).step_by(2);
    let named = |word: &&str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    quoted.filter(named).map(str::to_owned).collect()
}

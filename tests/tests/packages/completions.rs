use std::process::Command;

use crate::{manual, said};

/// What is typed, and what the only completion of it is.
const TYPED: [(&str, &str, &str); 3] =
    [("fetcher", "watch", "watch-upstream"), ("applier", "au", "audit"), ("nvr-sim", "firm", "firmware")];

#[test]
fn bash_completes_commands() {
    let manual = manual();
    for (program, typed, completed) in TYPED {
        let mut bash = Command::new("bash");
        // as a shell does when tab is pressed for the first time: it loads the file, then calls what that registered
        let script = r#". /usr/share/bash-completion/bash_completion && { _completion_loader "$1" || [ $? = 124 ]; } &&
            words=($(complete -p "$1")) && while [ "${words[0]}" != -F ]; do words=("${words[@]:1}"); done &&
            COMP_WORDS=("$1" "$2") COMP_CWORD=1 && "${words[1]}" "$1" "$2" "$1" && printf '%s\n' "${COMPREPLY[@]}""#;
        bash.args(["--norc", "-c", script, "bash", program, typed]);
        bash.env("XDG_DATA_DIRS", manual.path().join(program).join("usr/share"));
        assert_eq!(said(&mut bash), (format!("{completed}\n"), String::new()), "{program} {typed}");
    }
}

#[test]
fn zsh_completes_commands() {
    let manual = manual();
    for (program, typed, completed) in TYPED {
        // another completion than that is waited for in vain
        let mut zsh = Command::new("timeout");
        // a shell on a terminal of its own, in which tab is pressed
        let script = r#"zmodload zsh/zpty && zpty shell zsh -f &&
            zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; echo re''ady" &&
            zpty -r shell line '*ready*' && zpty -n -w shell "$2 $3"$'\t' && zpty -r shell line "*$4*" && print found"#;
        let folder = manual.path().join(program).join("usr/share/zsh/vendor-completions");
        zsh.args(["60", "zsh", "-f", "-c", script, "zsh"]).arg(folder).args([program, typed, completed]);
        let (out, err) = said(zsh.env("TERM", "dumb"));
        assert_eq!((&*out, &*err), ("found\n", ""), "{program} {typed}");
    }
}

#[test]
fn fish_completes_commands() {
    let (manual, home) = (manual(), tempfile::tempdir().unwrap());
    for (program, typed, completed) in TYPED {
        let mut fish = Command::new("fish");
        fish.args(["--command", "complete --do-complete \"$argv\"", &format!("{program} {typed}")]);
        fish.env("HOME", home.path()).env("XDG_DATA_DIRS", manual.path().join(program).join("usr/share"));
        // it loads completions of programs that are there alone
        let path = std::env::var("PATH").unwrap();
        let programs = journeys::programs::program(program).parent().unwrap();
        fish.env("PATH", format!("{}:{path}", programs.display()));
        let (out, _) = said(&mut fish);
        let found: Vec<&str> = out.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(found, [completed], "{program} {typed}");
    }
}

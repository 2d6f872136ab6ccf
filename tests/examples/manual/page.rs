use std::error::Error;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use terminal::Exit;

/// Takes the name and the text of a page.
type Sink<'a> = &'a mut dyn FnMut(&str, &str) -> Result<(), Box<dyn Error>>;

/// The page of a program, which ends with `more`, and one for each command below it.
pub(crate) fn pages(program: &Command, more: &str, sink: Sink<'_>) -> Result<(), Box<dyn Error>> {
    let text = [&*page(program)?, &exit_status(), more].concat();
    sink(program.get_name(), &text)?;
    let see = format!(".SH \"SEE ALSO\"\n.BR {} (1)\n", program.get_name().replace('-', "\\-"));
    for command in program.get_subcommands() {
        pages_below(command, &see, sink)?;
    }
    Ok(())
}

fn pages_below(command: &Command, see: &str, sink: Sink<'_>) -> Result<(), Box<dyn Error>> {
    let name = command.get_display_name().ok_or("a command that was not built")?;
    sink(name, &(page(command)? + see))?;
    command.get_subcommands().try_for_each(|below| pages_below(below, see, sink))
}

/// What the command says of itself. The examples keep their lines.
fn page(command: &Command) -> Result<String, Box<dyn Error>> {
    let man = Man::new(command.clone()).source(format!("Courier {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(help) = command.get_after_help() {
        closing(&help.to_string()).to_writer(&mut page)?;
    }
    Ok(String::from_utf8(page)?)
}

/// What follows the options in the help: examples, which keep their lines, and paragraphs before and after them.
fn closing(help: &str) -> Roff {
    let mut roff = Roff::new();
    for (number, paragraph) in help.trim_end().split("\n\n").enumerate() {
        let examples = paragraph.strip_prefix("Examples:\n");
        match examples {
            Some(_) => roff.control("SH", ["EXAMPLES"]),
            None if number == 0 => roff.control("SH", ["NOTES"]),
            None => roff.control("PP", []),
        };
        let text = examples.unwrap_or(paragraph);
        if text.starts_with(' ') {
            roff.control("EX", []);
            for line in text.lines() {
                roff.text([roman(line)]);
            }
            roff.control("EE", []);
        } else {
            roff.text([roman(text)]);
        }
    }
    roff
}

/// The exit codes, which are those of all programs.
fn exit_status() -> String {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in Exit::HELP.lines().filter_map(|line| line.trim_start().split_once("  ")) {
        roff.control("TP", []).text([bold(code)]).text([roman(meaning)]);
    }
    roff.render()
}

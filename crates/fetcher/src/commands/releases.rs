//! `fetcher releases`: searches and checks the catalogue. Needs no home.

use std::cmp::Reverse;

use firmware::advisory::AdvisoryTable;
use firmware::{FirmwareVersion, Model, Release};
use serde_json::json;
use terminal::{Exit, Failure, Output};

use crate::catalog::Catalog;
use crate::context::Context;

/// Search and check the catalogue
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fetcher releases --model DS-7608NI-I2
  fetcher releases --model DS-7608NI-I2 --newer-than V4.30.000 --json
  fetcher releases --check")]
pub struct Args {
    /// Only releases whose vendor list has exactly this model
    #[arg(long, value_name = "MODEL")]
    model: Option<Model>,
    /// Only releases of a version above this one
    #[arg(long, value_name = "VERSION")]
    newer_than: Option<FirmwareVersion>,
    /// Check every manifest and say what the catalogue holds
    #[arg(long, conflicts_with_all = ["model", "newer_than"])]
    check: bool,
}

/// Runs the command; the catalogue itself is rejected where it has a fault.
pub fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let catalog = context.catalog()?;
    if args.check {
        summarise(&catalog, context.output);
        return Ok(Exit::Done);
    }
    let found = search(&catalog, args);
    let near = args.model.as_ref().map(|model| catalog.near_misses(model)).unwrap_or_default();
    let output = context.output;
    match &args.model {
        Some(_) => output.json(&json!({"releases": found, "near_misses": near})),
        None => output.json(&json!({"releases": found})),
    }
    for line in table(&found) {
        output.data(line);
    }
    if !output.is_json() {
        output.note(count(&found, &catalog));
        if let (Some(model), false) = (&args.model, near.is_empty()) {
            let near: Vec<&str> = near.iter().map(|model| model.as_str()).collect();
            output.note(format_args!(
                "other models than {model}, with releases of their own: {}",
                near.join(", ")
            ));
        }
    }
    Ok(Exit::Done)
}

fn summarise(catalog: &Catalog, output: Output) {
    let releases = catalog.releases();
    let unlisted = releases.iter().filter(|release| release.models.is_empty()).count();
    let pinned = pinned(releases);
    let advisories = catalog.advisories();
    let known = advisories.map_or(0, |table| table.advisories().len());
    let collected = advisories.map(AdvisoryTable::collected);
    output.json(&json!({
        "releases": releases.len(), "models": catalog.model_count(), "without_models": unlisted,
        "pinned": pinned, "quarantined_names": catalog.quarantined(), "advisories": known,
        "advisories_collected": collected, "policy": catalog.policy(), "faults": [],
    }));
    let collected = collected.map_or_else(String::new, |day| format!(" of {day}"));
    output.data(format_args!(
        "{} releases, {} models, {unlisted} releases without a model, {pinned} pinned, {} names quarantined, {known} advisories{collected}, {}: no faults",
        releases.len(),
        catalog.model_count(),
        catalog.quarantined(),
        if catalog.policy().is_some() { "a policy" } else { "no policy" },
    ));
}

fn pinned<'a>(releases: impl IntoIterator<Item = &'a Release>) -> usize {
    releases.into_iter().filter(|release| release.pin.is_some()).count()
}

/// The releases asked for, by family, newest version first.
fn search<'a>(catalog: &'a Catalog, args: &Args) -> Vec<&'a Release> {
    let mut found = match &args.model {
        Some(model) => catalog.for_model(model),
        None => catalog.releases().iter().collect(),
    };
    found.retain(|release| args.newer_than.as_ref().is_none_or(|bound| release.revision.version > *bound));
    found.sort_by_key(|r| (r.family, Reverse((&r.revision.version, r.revision.build)), &r.id));
    found
}

fn count(found: &[&Release], catalog: &Catalog) -> String {
    let all = catalog.releases().len();
    match found {
        [] => format!("none of {all} releases"),
        _ => format!("{} of {all} releases, {} of them pinned", found.len(), pinned(found.iter().copied())),
    }
}

/// A header and one line for each release, in columns; nothing where there is no release.
fn table(releases: &[&Release]) -> Vec<String> {
    if releases.is_empty() {
        return Vec::new();
    }
    let header = ["release", "version", "build", "region", "pinned", "for"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(header).chain(releases.iter().map(|r| row(r))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<String>() + &row[5]
    };
    rows.iter().map(line).collect()
}

fn row(release: &Release) -> [String; 6] {
    [
        release.id.to_string(),
        release.revision.version.to_string(),
        release.revision.build.to_string(),
        release.region.clone().unwrap_or_else(|| "-".to_owned()),
        release.pin.as_ref().map_or_else(|| "-".to_owned(), |pin| pin.on.to_string()),
        purpose(release),
    ]
}

/// What a release is for, in a few words: its first model, or the vendor's label where it has none.
fn purpose(release: &Release) -> String {
    match (release.models.as_slice(), &release.applies_to) {
        ([only], _) => only.to_string(),
        ([first, rest @ ..], _) => format!("{first} and {} more", rest.len()),
        ([], Some(label)) => format!("no model listed; label {label:?}"),
        ([], None) => "no model listed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Result<Args, clap::Error> {
        Line::try_parse_from(format!("releases {line}").split_whitespace()).map(|line| line.args)
    }

    fn catalog() -> Catalog {
        let release = |id: &str, version: &str, models: &str| {
            format!(
                "[[release]]\nid = \"nvr-k51-{id}\"\nfamily = \"nvr\"\nversion = \"{version}\"\nbuild = \"230421\"\nmodels = {models}\nsources = [\"x\"]\n"
            )
        };
        let text = release("4.9.0-230421", "V4.9.0", "[\"DS-1A\", \"DS-2A\"]")
            + &release("4.10.0-230421", "V4.10.0", "[\"ds-1a\", \"DS-1A/4P\"]")
            + "region = \"EU\"\n"
            + &release("5.0.0-230421", "V5.0.0", "[]")
            + "applies_to = \"02. I series\"\n";
        Catalog::from_texts(&[("nvr/k51.toml".into(), text)]).unwrap()
    }

    #[test]
    fn searches_by_exact_model_and_version() {
        let catalog = catalog();
        let ids = |line: &str| -> Vec<String> {
            search(&catalog, &args(line).unwrap()).iter().map(|r| r.id.to_string()).collect()
        };
        assert_eq!(ids("--model DS-1A"), ["nvr-k51-4.10.0-230421", "nvr-k51-4.9.0-230421"]);
        assert_eq!(ids("--model DS-1A --newer-than V4.9.0"), ["nvr-k51-4.10.0-230421"]);
        assert_eq!(ids("--newer-than 4.10.0"), ["nvr-k51-5.0.0-230421"]);
        assert_eq!(ids("--model DS-1"), [""; 0]);
        assert_eq!(
            count(&search(&catalog, &args("--model DS-2A").unwrap()), &catalog),
            "1 of 3 releases, 0 of them pinned"
        );
    }

    #[test]
    fn the_table_is_aligned_and_says_what_is_not_a_model() {
        let catalog = catalog();
        let lines = table(&search(&catalog, &args("").unwrap()));
        assert_eq!(
            lines,
            [
                "release                version  build   region  pinned  for",
                "nvr-k51-5.0.0-230421   V5.0.0   230421  -       -       no model listed; label \"02. I series\"",
                "nvr-k51-4.10.0-230421  V4.10.0  230421  EU      -       ds-1a and 1 more",
                "nvr-k51-4.9.0-230421   V4.9.0   230421  -       -       DS-1A and 1 more",
            ]
        );
    }

    #[test]
    fn nonsense_on_the_command_line_is_named() {
        assert!(args("--model x").unwrap_err().to_string().contains("3 to 48 characters"));
        assert!(args("--newer-than 4.6").unwrap_err().to_string().contains("V4.61.025"));
        assert!(args("--check --model DS-1A").is_err());
    }
}

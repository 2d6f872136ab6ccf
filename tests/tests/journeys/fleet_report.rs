//! The report of the fleet: its formats, its filters, and the files that it is written to.

use std::fs::{metadata, read_to_string};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use csv::Reader;
use journeys::ran::Ran;
use serde_json::{Value, json};

use crate::fleet_facts::{HOSTILE, a_depot, a_fleet, fleet};
use crate::world::write;

fn recorders(report: &Value) -> &[Value] {
    report["recorders"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_combine_and_stand_in_the_report() {
    let site = a_fleet().await;
    let all = fleet(&site, "--json").await.ends(0).json();
    let known = recorders(&all).len();
    assert_eq!((&all["totals"]["known"], &all["totals"]["listed"]), (&json!(known), &json!(known)));
    for (filter, one) in [
        ("--site harbour", &(|one: &Value| one["site"] == "Harbour") as &dyn Fn(&Value) -> bool),
        ("--model ds-7732ni-m4", &|one| one["model"] == "DS-7732NI-M4"),
        ("--state due", &|one| one["state"]["state"] == "due"),
        ("--state look-at-it", &|one| one["state"]["state"] == "look-at-it"),
        ("--advisory CVE-2025-66177", &|one| {
            let known = &one["advisories"];
            ["matching", "unjudged"].iter().any(|which| {
                known[which].as_array().is_some_and(|ids| ids.contains(&json!("CVE-2025-66177")))
            })
        }),
        ("--silent-for 90", &|one| one["silent_days"].as_u64().unwrap() >= 90),
        ("--site Harbour --state due --silent-for 30", &|one| {
            one["site"] == "Harbour"
                && one["state"]["state"] == "due"
                && one["silent_days"].as_u64().unwrap() >= 30
        }),
    ] {
        let report = fleet(&site, &format!("{filter} --json")).await.ends(0).json();
        let expected: Vec<&Value> = recorders(&all).iter().filter(|recorder| one(recorder)).collect();
        assert!(!expected.is_empty() && expected.len() < known, "{filter}");
        assert_eq!(recorders(&report).iter().collect::<Vec<_>>(), expected, "{filter}");
        assert_eq!(report["totals"]["listed"], expected.len(), "{filter}");
        fleet(&site, filter)
            .await
            .ends(0)
            .says(&[&format!("{} of {known} recorders, only ", expected.len())]);
    }
    let serial = recorders(&all)[7]["serial"].as_str().unwrap();
    let one = fleet(&site, &format!("--serial {}", serial.to_lowercase())).await.ends(0);
    one.says(&[serial, &format!("1 of {known} recorders, only serial ")]);
    fleet(&site, "--site Elsewhere")
        .await
        .ends(0)
        .says(&[&format!("0 of {known} recorders, only site Elsewhere")]);
    fleet(&site, "--advisory CVE-1999-0001").await.fails(
        2,
        "advisory that is not in the catalogue",
        &["CVE-1999-0001"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn text_tells_of_risk_and_of_what_is_due() {
    let site = a_fleet().await;
    let ran = fleet(&site, "").await.ends(0);
    ran.says(&[
        "fleet report, 2026-11-25 10:00 UTC, advisories of ",
        "  risk       state unknown",
        "  risk       known to be exploited",
        "  site       Harbour",
        "  state      due: nvr-synthetic-4.61.030-240123, after nvr-synthetic-4.61.025-230421",
        "  advisories matches CVE-2025-66177",
        "45 recorders: 3 state unknown, 1 known to be exploited",
    ]);
    a_depot_without_statements().await;
}

async fn a_depot_without_statements() {
    let site = a_depot().await;
    fleet(&site, "").await.ends(0).says(&["\n0 recorders\n"]);
    let empty = fleet(&site, "--json").await.ends(0).json();
    assert_eq!((recorders(&empty).len(), &empty["totals"]["listed"]), (0, &json!(0)));
}

/// The columns that the documents describe.
fn documented() -> Vec<String> {
    let formats = read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats.md")).unwrap();
    let section = formats.split("### Fleet report as CSV").nth(1).unwrap();
    let section = section.split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(column, _)| column.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_has_the_documented_columns_and_no_formula() {
    let site = a_fleet().await;
    let report = fleet(&site, "--json").await.ends(0).json();
    let csv = fleet(&site, "--format csv").await.ends(0).out;
    let mut reader = Reader::from_reader(csv.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(columns, documented(), "docs/formats.md");
    let rows: Vec<Value> = reader
        .deserialize::<std::collections::BTreeMap<String, String>>()
        .map(|row| json!(row.unwrap()))
        .collect();
    assert_eq!(rows.len(), recorders(&report).len());
    for (row, recorder) in rows.iter().zip(recorders(&report)) {
        assert_eq!(row["serial"], recorder["serial"]);
        assert_eq!(row["risk"], recorder["risk"]);
        assert_eq!(row["state"], recorder["state"]["state"]);
        assert_eq!(
            row["version"].as_str().unwrap(),
            recorder["runs"]["version"].as_str().unwrap_or_default()
        );
        assert_eq!(row["silent_days"], recorder["silent_days"].to_string());
        for cell in row.as_object().unwrap().values() {
            assert!(!cell.as_str().unwrap().starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell}");
        }
    }
    let find = |column: &str, value: &str| {
        rows.iter().find(|row| row[column] == value).unwrap_or_else(|| panic!("{column} {value}"))
    };
    assert_eq!(find("site", HOSTILE)["last_result"], "failed");
    let formula = find("site", "'=HYPERLINK(\"http://192.0.2.1/\",\"click\")");
    assert_eq!(formula["detail"], formula["site"]);
    let due = rows.iter().find(|row| !row["first"].as_str().unwrap().is_empty()).unwrap();
    assert_eq!(
        (&due["releases"], &due["first"]),
        (&json!("nvr-synthetic-4.61.030-240123"), &json!("nvr-synthetic-4.61.025-230421"))
    );
    assert_eq!(find("model", "DS-2CD2132F-I")["exploited"], "CVE-2017-7921");
    assert!(find("risk", "state-unknown")["version"] == "");
}

/// What lies there.
fn file(site: &crate::world::Site, name: &str) -> String {
    read_to_string(site.path(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_whole_and_nothing_else_is_replaced() {
    let site = a_fleet().await;
    for (name, flags, begins) in [
        ("fleet.html", "", "<!DOCTYPE html>"),
        ("fleet.csv", "", "serial,model,site,"),
        ("fleet.json", "", "{\"format\":1,\"report\":\"fleet\""),
        ("fleet.txt", "", "fleet report, "),
        ("named.dat", "--format csv", "serial,model,site,"),
    ] {
        let command = format!("--output {name} {flags}");
        fleet(&site, &command).await.ends(0).says(&[name, "45 recorders: 3 state unknown"]);
        let whole = file(&site, name);
        assert!(whole.starts_with(begins) && whole.ends_with('\n'), "{name}");
        assert_eq!(metadata(site.path(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        let again: Ran = fleet(&site, &command).await;
        again.fails(4, "fleet report that is there already", &[name, "nothing was written"]);
        // over that of yesterday: of the same format, and with what there is now
        fleet(&site, &format!("{command} --replace --site Harbour")).await.ends(0);
        assert!(file(&site, name).starts_with(begins) && file(&site, name).len() < whole.len(), "{name}");
    }
    for foreign in ["", "holiday pictures", "<!DOCTYPE html><p>mine"] {
        write(&site.path("mine.html"), foreign.as_bytes());
        let refused = fleet(&site, "--output mine.html --replace").await;
        refused.fails(
            4,
            "fleet report over another file",
            &["mine.html", "is no fleet report of this format"],
        );
        assert_eq!(file(&site, "mine.html"), foreign);
    }
    let other = fleet(&site, "--output fleet.csv --format html --replace").await.ends(4);
    assert!(other.err.contains("is no fleet report of this format"));
    fleet(&site, "--output nowhere/fleet.html").await.fails(
        2,
        "fleet report that cannot be written",
        &["nowhere/fleet.html"],
    );
    fleet(&site, "--json --format html").await.fails(
        2,
        "fleet report twice on standard output",
        &["--json and --format html"],
    );
    fleet(&site, "--replace").await.ends(2);
    // a document for a program beside the file
    let told = fleet(&site, "--json --output beside.html").await.ends(0).json();
    assert_eq!(recorders(&told).len(), 45);
    assert!(file(&site, "beside.html").starts_with("<!DOCTYPE html>"));
    assert_eq!(
        fleet(&site, "--format json").await.ends(0).json(),
        fleet(&site, "--json").await.ends(0).json()
    );
}

//! The page of the fleet, in a browser: it runs nothing that others said, asks for nothing, sorts and filters, and
//! stands well at every width, light, dark and on paper.

use std::fs::create_dir_all;
use std::path::Path;

use receipt::PushResult;
use serde_json::{Value, json};

use crate::browser::{Browser, SCHEMES};
use crate::fleet_facts::{HOSTILE, Laptop, Seen, a_depot, a_fleet, fleet};
use crate::world::write;

/// The text of a column, row by row as it is seen.
fn column(browser: &Browser, n: usize) -> Vec<String> {
    let script = format!(
        "return [...document.querySelectorAll('#recorders tbody tr:not([hidden])')].map((row) => row.cells[{n}].textContent.replace(/\\s+/g, ' ').trim())"
    );
    let cells = browser.run(&script);
    cells.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().to_owned()).collect()
}

fn head(n: usize) -> String {
    format!("#recorders thead th:nth-child({}) button", n + 1)
}

/// Which way a column is sorted.
fn sorted(browser: &Browser, n: usize) -> Value {
    browser.run(&format!(
        "return document.querySelectorAll('#recorders thead th')[{n}].getAttribute('aria-sort')"
    ))
}

const SITE: usize = 1;
const RISK: usize = 2;
const RUNS: usize = 3;
const CONTACT: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn it_sorts_and_filters_and_runs_nothing_that_others_said() {
    let site = a_fleet().await;
    fleet(&site, "--output fleet.html").await.ends(0);
    let report = fleet(&site, "--json").await.ends(0).json();
    let browser = Browser::start();
    browser.open(&site.path("fleet.html"), 1440, "light", "screen");
    assert_eq!(browser.console(), [""; 0], "no error, and no refusal of the policy");

    // as the report has it: those at risk first
    let recorders = report["recorders"].as_array().unwrap();
    let count = recorders.len();
    let risks = column(&browser, RISK);
    assert_eq!(risks.len(), count);
    assert_eq!((&risks[0][..], &risks[count - 1][..]), ("state unknown", "advisory to read"));
    assert!(risks.iter().any(|risk| risk == "known to be exploited"), "{risks:?}");
    assert_eq!(sorted(&browser, RISK), "ascending");

    // by click, and back
    browser.click(&head(CONTACT));
    let days = |browser: &Browser| -> Vec<i64> {
        let keys = browser.run("return [...document.querySelectorAll('#recorders tbody tr')].map((row) => Number(row.cells[6].dataset.key))");
        keys.as_array().unwrap().iter().map(|key| key.as_i64().unwrap()).collect()
    };
    let up = days(&browser);
    assert!(up.is_sorted() && up[0] < up[count - 1], "{up:?}");
    assert_eq!((sorted(&browser, CONTACT), sorted(&browser, RISK)), (json!("ascending"), json!(null)));
    browser.click(&head(CONTACT));
    let down: Vec<i64> = up.into_iter().rev().collect();
    assert_eq!((days(&browser), sorted(&browser, CONTACT)), (down, json!("descending")));
    // by keyboard
    browser.types(&head(SITE), "\u{e007}");
    let sites = column(&browser, SITE);
    let mut expected = sites.clone();
    expected.sort_by_key(|site| site.to_lowercase());
    let plain = |sites: Vec<String>| {
        sites
            .into_iter()
            .filter(|site| site.chars().all(|c| c.is_alphabetic() || c == ' '))
            .collect::<Vec<_>>()
    };
    assert_eq!(plain(sites), plain(expected));
    // firmware by its age, not by its letters: the newest first
    browser.click(&head(RUNS));
    let runs = column(&browser, RUNS);
    assert_eq!((&runs[0][..], &runs[count - 1][..]), ("V5.04.020 build 260105", "not known"));

    // all words, in any column
    browser.types("#filter", "harbour DUE");
    let of = |site: &str, state: &str| {
        recorders.iter().filter(|one| one["site"] == site && one["state"]["state"] == state).count()
    };
    let harbour = column(&browser, SITE);
    assert!(
        harbour.iter().all(|site| site == "Harbour") && harbour.len() == of("Harbour", "due"),
        "{harbour:?}"
    );
    assert!(!harbour.is_empty());
    let shown = browser.run("return document.getElementById('shown').textContent");
    assert_eq!(shown, format!("{} of {count}", harbour.len()));
    browser.types("#filter", " nobody-has-this");
    assert_eq!(column(&browser, SITE).len(), 0);

    // what is hostile is text
    let said = browser.run("return document.body.textContent");
    assert!(said.as_str().unwrap().contains(HOSTILE));
    assert_eq!(browser.run("return document.querySelectorAll('img, [onclick], [onerror]').length"), 0);
    assert_eq!(browser.run("return document.scripts.length"), 1);
    assert_eq!(browser.console(), [""; 0]);
    // and what would be run is refused, and told
    let tried = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); return window.ran ?? null";
    assert_eq!(browser.run(tried), json!(null));
    let refused = browser.console();
    assert!(refused.iter().any(|line| line.contains("Content Security Policy")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_covers_anything_at_any_width() {
    let site = a_fleet().await;
    fleet(&site, "--output fleet.html").await.ends(0);
    let page = site.path("fleet.html");
    let browser = Browser::start();
    for scheme in SCHEMES {
        for (width, media) in
            [(1440, "screen"), (1024, "screen"), (700, "screen"), (360, "screen"), (718, "print")]
        {
            browser.open(&page, width, scheme, media);
            stands_well(&browser, &format!("{width} {scheme} {media}"));
            // with everything unfolded
            browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
            stands_well(&browser, &format!("{width} {scheme} {media}, unfolded"));
        }
        let paper = browser.run("return getComputedStyle(document.body).backgroundColor");
        assert_eq!(paper, "rgb(255, 255, 255)", "paper is white");
        browser.open(&page, 1440, scheme, "screen");
        let paper = browser.run("return getComputedStyle(document.body).backgroundColor");
        assert_eq!(paper == "rgb(255, 255, 255)", scheme == "light", "{paper}");
        // charts are legible on it
        let ink = "return getComputedStyle(document.querySelector('.chart text')).fill === getComputedStyle(document.body).color";
        assert_eq!(browser.run(ink), true);
    }
    assert_eq!(browser.console(), [""; 0]);
}

fn stands_well(browser: &Browser, how: &str) {
    let blocks = browser.run(include_str!("blocks.js"));
    assert!(blocks["seen"].as_u64().unwrap() > 300, "{how}: {blocks}");
    let wrong = blocks["wrong"].as_array().unwrap();
    assert!(wrong.is_empty(), "{how}: {} blocks, {:#?}", wrong.len(), &wrong[..wrong.len().min(8)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_complete_without_its_script() {
    let site = a_fleet().await;
    fleet(&site, "--output fleet.html").await.ends(0);
    let text = std::fs::read_to_string(site.path("fleet.html")).unwrap();
    let (before, after) = text.rsplit_once("<script>").unwrap();
    let plain = format!("{before}{}", after.split_once("</script>").unwrap().1);
    write(&site.path("plain.html"), plain.as_bytes());
    let browser = Browser::start();
    browser.open(&site.path("plain.html"), 1440, "light", "screen");
    assert_eq!(browser.console(), [""; 0]);
    let report = fleet(&site, "--json").await.ends(0).json();
    assert_eq!(column(&browser, RISK).len(), report["recorders"].as_array().unwrap().len());
    assert_eq!(
        browser.run("return document.getElementById('find').checkVisibility()"),
        false,
        "nothing that does nothing"
    );
    assert_eq!(browser.run("return document.querySelectorAll('#recorders button').length"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_recorders_can_be_used() {
    let site = a_depot().await;
    let mut laptop = Laptop::new(&site);
    for n in 0..5_000_i64 {
        let (model, revision) = if n % 3 == 0 {
            ("DS-7732NI-M4", "V5.02.006:240311")
        } else {
            ("DS-7608NI-I2", "V4.61.030:240123")
        };
        let seen =
            Seen { model, serial: format!("S{n:05}"), kind: "NVR", revision, site: None, days: n % 400 };
        laptop.pushes(&seen, PushResult::Applied, "the target answers");
    }
    laptop.comes_home(&site).await;
    fleet(&site, "--output fleet.html").await.ends(0).says(&["5000 recorders"]);
    let browser = Browser::start();
    browser.open(&site.path("fleet.html"), 1440, "light", "screen");
    assert_eq!(column(&browser, RISK).len(), 5_000);
    browser.click(&head(CONTACT));
    browser.click(&head(CONTACT));
    assert!(column(&browser, CONTACT)[0].ends_with("399 days ago"));
    browser.types("#filter", "s04321");
    assert_eq!(column(&browser, 0).len(), 1);
    let took = browser.run(
        "const took = (what) => { const from = performance.now(); what(); document.body.offsetHeight; return Math.round(performance.now() - from); };
         const input = document.getElementById('filter');
         const typed = (text) => took(() => { input.value = text; input.dispatchEvent(new Event('input')); });
         return { filter: typed('m4'), none: typed(''), sort: took(() => document.querySelector('#recorders button').click()), bytes: document.documentElement.outerHTML.length }",
    );
    println!("5,000 recorders, milliseconds: {took}");
    assert_eq!(browser.console(), [""; 0]);
}

/// What stands in the guide.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_pictured_in_the_guide() {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    let update = std::env::var_os("COURIER_UPDATE_DOCS").is_some();
    let site = a_fleet().await;
    fleet(&site, "--output fleet.html").await.ends(0);
    let browser = Browser::start();
    create_dir_all(&pictures).unwrap();
    for scheme in SCHEMES {
        for width in [360_u32, 1440] {
            browser.open(&site.path("fleet.html"), width, scheme, "screen");
            let (path, picture) = (pictures.join(format!("fleet-{width}-{scheme}.png")), browser.picture());
            if update {
                write(&path, &picture);
            }
            let there = std::fs::read(&path).unwrap_or_default();
            // width and height stand in the first chunk (PNG 1.2, 11.2.2)
            assert_eq!(
                there.get(16..24),
                picture.get(16..24),
                "{}: run again with COURIER_UPDATE_DOCS=1",
                path.display()
            );
        }
    }
}

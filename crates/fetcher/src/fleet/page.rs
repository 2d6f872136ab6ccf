//! Fleet report to one self-contained page, which asks for nothing: its style and its script stand in it, and
//! a policy (Content-Security-Policy 3) names both by their digests and forbids all else. Everything that a
//! recorder or a person said is escaped by the template. Without the script the page is complete: it only
//! sorts and filters.

mod charts;
mod row;

use askama::Template;
use base64::prelude::{BASE64_STANDARD, Engine};
use firmware::Sha256Digest;
use terminal::Count;

use self::charts::Chart;
use self::row::Row;
use super::{Fleet, ReportError, Risk, SiteTotal, StateName};

/// What every page begins with.
pub const BEGINNING: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"generator\" content=\"Courier fleet report\">";

/// The one style and the one script of the page, with nothing of a recorder in them.
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

#[derive(Template)]
#[template(path = "fleet.html")]
struct Page<'a> {
    beginning: &'static str,
    policy: String,
    style: &'static str,
    script: &'static str,
    report: &'a Fleet<'a>,
    made: String,
    advisories: String,
    /// How many recorders there are, listed or not.
    known: String,
    tiles: Vec<(Risk, usize)>,
    rows: Vec<Row>,
    charts: Vec<Chart>,
    sites: Vec<Site>,
    site_count: String,
}

/// The page.
pub fn page(report: &Fleet<'_>) -> Result<String, ReportError> {
    let digest = |text: &str| BASE64_STANDARD.encode(Sha256Digest::of(text.as_bytes()).as_bytes());
    let page = Page {
        beginning: BEGINNING,
        policy: format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            digest(STYLE),
            digest(SCRIPT)
        ),
        style: STYLE,
        script: SCRIPT,
        report,
        made: report.made.strftime("%F %H:%M UTC").to_string(),
        advisories: match report.advisories_collected {
            Some(day) => format!("advisories of {day}"),
            None => "no advisories in the catalogue: whether published weaknesses match is not known".into(),
        },
        known: Count(report.totals.known, "recorder").to_string(),
        tiles: report.totals.risks.iter().map(|(risk, count)| (*risk, *count)).collect(),
        rows: row::rows(report),
        charts: charts::charts(&report.totals)?,
        sites: report.totals.sites.iter().map(Site::of).collect(),
        site_count: Count(report.totals.sites.len(), "site").to_string(),
    };
    Ok(page.render()? + "\n")
}

/// A line of the matrix of sites and states.
struct Site {
    name: String,
    recorders: usize,
    at_risk: usize,
    /// How many are in each state, and how dark the cell is, from 0 to 4.
    cells: [(usize, usize); StateName::ALL.len()],
}

impl Site {
    fn of(total: &SiteTotal) -> Self {
        let cell = |state| {
            let count = total.states.get(&state).copied().unwrap_or_default();
            (count, (count * 4).div_ceil(total.recorders.max(1)))
        };
        Self {
            name: total.site.as_ref().map_or_else(|| "site not told".into(), ToString::to_string),
            recorders: total.recorders,
            at_risk: total.at_risk,
            cells: StateName::ALL.map(cell),
        }
    }
}

impl StateName {
    /// For people, in few words.
    fn words(self) -> &'static str {
        match self {
            Self::LookAtIt => "look at it",
            Self::Withheld => "withheld",
            Self::Ambiguous => "to be chosen",
            Self::Due => "due",
            Self::NoRelease => "no release",
            Self::Current => "current",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fleet_of_all, report, request};
    use super::super::{Facts, Filter};
    use super::*;
    use crate::ledger::Finding;
    use firmware::Text;

    fn hostile(mut facts: Facts, text: &str) -> Facts {
        facts.words[0].detail = Text::cleaned(text);
        let site = Some(Text::cleaned(text));
        facts.requests.push(crate::ledger::Request { site, ..request(10, 1) });
        facts.words[0].device.serial = "S1".parse().unwrap();
        facts
    }

    #[test]
    fn what_others_said_is_text_and_nothing_is_asked_for() {
        let text = "<img src=x onerror=alert(1)></script></style>\"'&";
        let page = page(&report(hostile(fleet_of_all(), text), Filter::default())).unwrap();
        let escaped = "&#60;img src=x onerror=alert(1)&#62;&#60;/script&#62;&#60;/style&#62;&#34;&#39;&#38;";
        assert!(page.contains(&format!("<td>{escaped}</td>")), "the site");
        assert!(page.contains(&format!("<th scope=\"row\">{escaped}</th>")), "the matrix");
        assert!(page.contains(&format!("applied: {escaped}")), "the run");
        let asked = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for harmful in ["<img", "src=\"", "url(", "@import", "http:", "https:", "style=\"", "onload"] {
            assert!(!asked.contains(harmful), "{harmful}");
        }
        assert_eq!((page.matches("</style>").count(), page.matches("</script>").count()), (1, 1));
        // the policy names the very bytes that stand in the page
        for (element, kind) in [("style", "style-src"), ("script", "script-src")] {
            let (open, close) = (format!("<{element}>"), format!("</{element}>"));
            let bytes = page.split_once(&open).unwrap().1.split_once(&close).unwrap().0;
            let digest = BASE64_STANDARD.encode(Sha256Digest::of(bytes.as_bytes()).as_bytes());
            let policy = page.replace("&#39;", "'").replace("&#43;", "+");
            assert!(policy.contains(&format!("{kind} 'sha256-{digest}'")), "{kind}");
        }
    }

    #[test]
    fn the_page_says_what_it_lacks() {
        let none = page(&report(Facts::default(), Filter::default())).unwrap();
        assert!(none.starts_with(BEGINNING) && none.contains("No statement about a recorder has arrived."));
        let filter = Filter { silent_for: Some(1000), ..Filter::default() };
        let filtered = page(&report(fleet_of_all(), filter)).unwrap();
        assert!(filtered.contains("No recorder is like that."));
        assert!(filtered.contains("Only silent for 1000 days or more: 0 of 6 recorders."));
        let finding = Finding::Held { laptop: "0123456789abcdef".parse().unwrap(), statements: 3 };
        let facts = Facts { findings: vec![finding], ..fleet_of_all() };
        let whole = page(&report(facts, Filter::default())).unwrap();
        assert!(whole.contains("not enrolled, 3 statements held") && !whole.contains("Only"));
        assert!(
            whole.find("known to be exploited</span>").unwrap()
                < whole.find("advisory matches</span>").unwrap()
        );
    }
}

//! What signing an advisory table changes.

use std::collections::BTreeMap;

use firmware::advisory::{Advisory, AdvisoryId, AdvisoryTable};
use terminal::Output;

/// The advisories that differ between two tables.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes<'a> {
    added: Vec<&'a AdvisoryId>,
    changed: Vec<&'a AdvisoryId>,
    removed: Vec<&'a AdvisoryId>,
}

fn by_id(table: &AdvisoryTable) -> BTreeMap<&AdvisoryId, &Advisory> {
    table.advisories().iter().map(|advisory| (&advisory.id, advisory)).collect()
}

fn changes<'a>(table: &'a AdvisoryTable, signed: Option<&'a AdvisoryTable>) -> Changes<'a> {
    let (after, before) = (by_id(table), signed.map(by_id).unwrap_or_default());
    let kept = after.iter().filter_map(|(id, now)| Some((*id, *now, *before.get(id)?)));
    Changes {
        added: after.keys().filter(|id| !before.contains_key(*id)).copied().collect(),
        changed: kept.filter(|(_, now, then)| now != then).map(|(id, ..)| id).collect(),
        removed: before.keys().filter(|id| !after.contains_key(*id)).copied().collect(),
    }
}

/// Shows it.
pub(super) fn show(table: &AdvisoryTable, signed: Option<&AdvisoryTable>, output: Output) {
    output.data(format_args!("advisories of {}, {} of them", table.collected(), table.advisories().len()));
    match signed {
        None => output.data("  signed now  none"),
        Some(signed) => output.data(format_args!("  signed now  those of {}", signed.collected())),
    }
    let Changes { added, changed, removed } = changes(table, signed);
    for (what, ids) in [("added", added), ("changed", changed), ("removed", removed)] {
        let ids: Vec<&str> = ids.into_iter().map(AdvisoryId::as_str).collect();
        output.data(format_args!("  {what:<11} {} {}", ids.len(), ids.join(" ")).to_string().trim_end());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(advisories: &[(&str, &str)]) -> AdvisoryTable {
        let one = |(id, title): &(&str, &str)| json!({"id": id, "title": title, "affected": []});
        let advisories: Vec<_> = advisories.iter().map(one).collect();
        serde_json::from_value(json!({"collected": "2026-11-22", "advisories": advisories})).unwrap()
    }

    #[test]
    fn each_advisory_is_added_changed_or_removed_by_its_id() {
        let before = table(&[("A-1", "one"), ("A-2", "two"), ("A-3", "three")]);
        let after = table(&[("A-4", "four"), ("A-2", "another"), ("A-1", "one")]);
        let found = changes(&after, Some(&before));
        let ids = |ids: &[&AdvisoryId]| ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(
            [ids(&found.added), ids(&found.changed), ids(&found.removed)],
            ["A-4", "A-2", "A-3"].map(str::to_owned)
        );
        assert_eq!(changes(&after, Some(&after)), Changes::default());
        assert_eq!(changes(&after, None).added.len(), 3);
    }
}

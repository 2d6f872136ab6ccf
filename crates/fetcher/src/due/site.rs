use std::collections::BTreeSet;

use firmware::site::{Site, SiteRecorder};
use firmware::{Serial, Text};

use crate::fleet::Asked;
use crate::ledger::LastWord;

/// The recorders of a site, as far as statements tell of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AtSite {
    /// What was said of each last.
    pub words: Vec<LastWord>,
    /// What was asked for them.
    pub requests: Vec<Asked>,
    /// Those of which nothing is known.
    pub unknown: Vec<SiteRecorder>,
}

/// The recorders that a site file names. One without a serial number is taken to be a recorder of its model that was
/// last said to be at this site.
pub fn at_site(site: &Site, words: &[LastWord], requests: &[Asked]) -> AtSite {
    let listed: BTreeSet<String> =
        site.recorders.iter().filter_map(|recorder| Some(recorder.serial.as_ref()?.normalised())).collect();
    let (listed, others): (Vec<&LastWord>, Vec<&LastWord>) =
        words.iter().partition(|word| listed.contains(&word.device.serial.normalised()));
    let mut others: Vec<&LastWord> = others.into_iter().filter(|word| is_at(word, &site.name)).collect();
    let mut at = AtSite::default();
    for recorder in &site.recorders {
        let found = if let Some(serial) = &recorder.serial {
            listed.iter().find(|word| word.device.serial == *serial).copied()
        } else {
            let is_one =
                |word: &&LastWord| recorder.model.as_ref().is_none_or(|model| word.device.model == *model);
            others.iter().position(is_one).map(|place| others.remove(place))
        };
        match found {
            Some(word) => at.words.push(word.clone()),
            None => at.unknown.push(recorder.clone()),
        }
    }
    at.with(requests)
}

/// The recorders that were last said to be at a site of this name.
pub fn named(site: &Text, words: &[LastWord], requests: &[Asked]) -> AtSite {
    let words = words.iter().filter(|word| is_at(word, site)).cloned().collect();
    AtSite { words, ..AtSite::default() }.with(requests)
}

fn is_at(word: &LastWord, site: &Text) -> bool {
    word.site.as_ref().is_some_and(|said| said.as_str().eq_ignore_ascii_case(site.as_str()))
}

impl AtSite {
    /// Whose they are.
    pub fn serials(&self) -> impl Iterator<Item = &Serial> {
        self.words.iter().map(|word| &word.device.serial)
    }

    fn with(mut self, requests: &[Asked]) -> Self {
        let known: BTreeSet<String> = self.serials().map(Serial::normalised).collect();
        let of_these = |asked: &&Asked| known.contains(&asked.serial.normalised());
        self.requests = requests.iter().filter(of_these).cloned().collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::due::tests::{asked, word};

    fn site(recorders: &str) -> Site {
        toml::from_str(&format!("name = \"Harbour\"\n{recorders}")).unwrap()
    }

    fn at(serial: &str, place: &str) -> LastWord {
        LastWord { site: place.parse().ok(), ..word(serial, Some("V4.1.0 build 190101")) }
    }

    fn serials(at: &AtSite) -> Vec<String> {
        at.serials().map(ToString::to_string).collect()
    }

    #[test]
    fn those_with_a_serial_number_are_found_wherever_they_were_and_the_others_by_model_and_place() {
        let words = [at("S1", "Elsewhere"), at("S9", "Harbour"), at("S3", "Harbour"), at("S4", "Elsewhere")];
        let all = "[[recorder]]\naddress = \"a\"\nserial = \"s1\"\n[[recorder]]\naddress = \"b\"\n\
                   [[recorder]]\naddress = \"c\"\nmodel = \"DS-1A\"\n[[recorder]]\naddress = \"d\"\nserial = \"S7\"\n";
        let found = at_site(&site(all), &words, &[asked(None)]);
        assert_eq!(serials(&found), ["S1", "S9"]);
        let unknown: Vec<&str> = found.unknown.iter().map(|recorder| recorder.address.as_str()).collect();
        assert_eq!((unknown, found.requests.len()), (vec!["c", "d"], 1));
        // one that the file does not name is not at the site any more
        let one = "[[recorder]]\naddress = \"a\"\nserial = \"S1\"\n";
        let found = at_site(&site(one), &words, &[asked(None)]);
        assert_eq!((serials(&found), found.requests.len()), (vec!["S1".to_owned()], 0));
    }

    #[test]
    fn without_a_file_statements_say_who_is_there() {
        let words = [at("S1", "Elsewhere"), at("S9", "Harbour"), word("S2", None)];
        let found = named(&"harbour".parse().unwrap(), &words, &[asked(None)]);
        assert_eq!((serials(&found), found.requests.len()), (vec!["S9".to_owned()], 1));
        assert_eq!(named(&"nowhere".parse().unwrap(), &words, &[]), AtSite::default());
    }
}

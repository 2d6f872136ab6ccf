use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use firmware::Text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{FileFaults, What};

/// A table of a manifest, taken key by key: every type, value or key that is wrong is noted where it
/// stands and reading goes on, so that one run shows everything.
///
/// What is returned for a faulty key does not matter, since no catalogue comes out of faulty text.
pub(super) struct Fields<'a, 'i> {
    table: &'a DeTable<'i>,
    name: &'static str,
    at: Range<usize>,
    asked: Vec<&'static str>,
    pub(super) faults: &'a mut FileFaults,
}

/// The longest prose that a field holds, characters.
const LONGEST: usize = 1000;

impl<'a, 'i> Fields<'a, 'i> {
    pub(super) fn new(
        table: &'a DeTable<'i>,
        name: &'static str,
        at: Range<usize>,
        faults: &'a mut FileFaults,
    ) -> Self {
        Self { table, name, at, asked: Vec::with_capacity(24), faults }
    }

    /// The raw value of a key.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// Where a key's value stands; the table itself if it has none.
    pub(super) fn span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.at.clone(), Spanned::span)
    }

    /// Notes that a value breaks a rule.
    pub(super) fn reject(&mut self, key: &'static str, why: impl Display) {
        let at = self.span(key);
        self.faults.add(&at, What::Value { key, why: why.to_string() });
    }

    /// Notes a key that is missing.
    pub(super) fn require(&mut self, key: &'static str) {
        if !self.table.contains_key(key) {
            self.faults.add(&self.at, What::MissingKey { key, table: self.name });
        }
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        pick: impl Fn(&'a DeValue<'i>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let picked = pick(value.get_ref());
        if picked.is_none() {
            let found = value.get_ref().type_str();
            self.faults.add(&value.span(), What::Type { key, expected, found });
        }
        picked
    }

    /// A string that is not empty, not long, and safe to show.
    pub(super) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        let text = self.typed(key, "string", DeValue::as_str)?;
        match unshowable(text) {
            Some(why) => self.reject(key, why),
            None => return Some(text),
        }
        None
    }

    /// A string of the given kind.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, key: &'static str) -> Option<T> {
        let text = self.typed(key, "string", DeValue::as_str)?;
        text.parse().map_err(|error: T::Err| self.reject(key, error)).ok()
    }

    /// The same for a key that must be there.
    pub(super) fn needed<T: FromStr<Err: Display>>(&mut self, key: &'static str) -> Option<T> {
        self.require(key);
        self.parsed(key)
    }

    /// True or false.
    pub(super) fn truth(&mut self, key: &'static str) -> Option<bool> {
        self.typed(key, "boolean", DeValue::as_bool)
    }

    /// The tables of an array, in whichever of TOML's spellings.
    pub(super) fn rows(&mut self, key: &'static str) -> Vec<(&'a DeTable<'i>, Range<usize>)> {
        let array = self.typed(key, "array", DeValue::as_array);
        let mut rows = Vec::with_capacity(array.map_or(0, |array| array.len()));
        for item in array.into_iter().flat_map(|array| array.iter()) {
            if let Some(table) = item.get_ref().as_table() {
                rows.push((table, item.span()));
            } else {
                let found = item.get_ref().type_str();
                self.faults.add(&item.span(), What::Type { key, expected: "array of tables", found });
            }
        }
        rows
    }

    /// A number of bytes above zero.
    pub(super) fn size(&mut self, key: &'static str) -> Option<u64> {
        let number = self.typed(key, "integer", DeValue::as_integer)?;
        let size = u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|size| *size > 0);
        if size.is_none() {
            self.reject(key, format_args!("{number} is not a number of bytes above zero"));
        }
        size
    }

    /// A number of days within these.
    pub(super) fn days(&mut self, key: &'static str, within: &RangeInclusive<u16>) -> Option<u16> {
        let number = self.typed(key, "integer", DeValue::as_integer)?;
        let days = u16::from_str_radix(number.as_str(), number.radix()).ok();
        let days = days.filter(|days| within.contains(days));
        if days.is_none() {
            let (least, most) = (within.start(), within.end());
            self.reject(key, format_args!("{number} is not a number of days from {least} to {most}"));
        }
        days
    }

    /// A date without a time.
    pub(super) fn date(&mut self, key: &'static str) -> Option<jiff::civil::Date> {
        let stamp = self.typed(key, "date", DeValue::as_datetime)?;
        let date = stamp.date.filter(|_| stamp.time.is_none()).and_then(|date| {
            let number = |n: u8| i8::try_from(n).ok();
            jiff::civil::Date::new(i16::try_from(date.year).ok()?, number(date.month)?, number(date.day)?)
                .ok()
        });
        if date.is_none() {
            self.reject(key, format_args!("{stamp} is not a date without a time"));
        }
        date
    }

    /// A table below this one.
    pub(super) fn table(&mut self, key: &'static str) -> Option<(&'a DeTable<'i>, Range<usize>)> {
        let table = self.typed(key, "table", DeValue::as_table)?;
        Some((table, self.span(key)))
    }

    /// An array of strings of the given kind, each with the place where it stands.
    pub(super) fn list<T: FromStr<Err: Display>>(&mut self, key: &'static str) -> Vec<(T, Range<usize>)> {
        let array = self.typed(key, "array", DeValue::as_array);
        let mut list = Vec::with_capacity(array.map_or(0, |array| array.len()));
        for item in array.into_iter().flat_map(|array| array.iter()) {
            let what = match item.get_ref().as_str().map(str::parse) {
                Some(Ok(value)) => {
                    list.push((value, item.span()));
                    continue;
                }
                Some(Err(error)) => What::Value { key, why: format!("{error}") },
                None => What::Type { key, expected: "array of strings", found: item.get_ref().type_str() },
            };
            self.faults.add(&item.span(), what);
        }
        list
    }

    /// The same where an item must not stand twice.
    pub(super) fn set<T>(&mut self, key: &'static str) -> Vec<(T, Range<usize>)>
    where
        T: FromStr<Err: Display> + Eq + Hash + Display,
    {
        let list = self.list::<T>(key);
        let mut seen = HashSet::with_capacity(list.len());
        for (item, at) in &list {
            if !seen.insert(item) {
                let what = What::Duplicate { key, value: item.to_string(), first: "this list".to_owned() };
                self.faults.add(at, what);
            }
        }
        list
    }

    /// Ends the table: what nobody asked for is unknown.
    pub(super) fn finish(self) {
        for (key, _) in self.table {
            if !self.asked.contains(&key.get_ref().as_ref()) {
                let what = What::UnknownKey { key: key.get_ref().to_string(), table: self.name };
                self.faults.add(&key.span(), what);
            }
        }
    }
}

fn unshowable(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("is empty");
    }
    if text.chars().count() > LONGEST {
        return Some("is longer than 1000 characters");
    }
    (!text.chars().all(Text::allows)).then_some("holds characters that must not be shown")
}

/// A string of an array that is safe to show.
pub(super) struct Prose(pub(super) String);

impl FromStr for Prose {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        unshowable(text).map_or_else(|| Ok(Self(text.to_owned())), Err)
    }
}

/// A string that a signed document holds: as [`Prose`], and as short and harmless as a [`Text`].
pub(super) struct Words(pub(super) Text);

impl FromStr for Words {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        Prose::from_str(text)?;
        if text != text.trim() {
            return Err("begins or ends with a blank");
        }
        text.parse().map(Self).map_err(|_| "begins like a formula, or is longer than 300 characters")
    }
}

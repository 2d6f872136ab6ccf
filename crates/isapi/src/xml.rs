//! The XML of recorders, read tolerantly under strict caps (reference: ISAPI §8.3).
//!
//! One device mixes namespaces, versions and declarations between its replies, leaves nodes out, and
//! writes a list of one like a single item: names are compared without prefix or regard to case,
//! namespaces are not looked at, and a missing node is `None`. What an honest recorder never sends is
//! rejected: a DTD (billion laughs, external entities), deep nesting, thousands of attributes, another
//! root, anything after the root.
//!
//! `link` reads SADP without this tree, on purpose: see its `sadp/document.rs`.

mod parse;

use std::net::IpAddr;
use std::str::FromStr;

pub(crate) use parse::LARGEST;
use parse::parse;

/// A reply is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not well-formed.
    #[error("XML is not well-formed: {0}")]
    Syntax(String),
    /// The same of a reply in JSON.
    #[error("JSON cannot be read: {0}")]
    Json(String),
    /// A reply in plain text that is not what was asked for.
    #[error("plain text cannot be read: {0}")]
    PlainText(String),
    /// Beyond what a recorder sends.
    #[error("XML {0}")]
    Excess(&'static str),
    /// Another document than the one that was asked for.
    #[error("XML root is <{found}>, expected <{expected}>")]
    Root {
        /// The name that was asked for.
        expected: &'static str,
        /// The name that came, made safe to show.
        found: firmware::Text,
    },
    /// A node that the document is useless without.
    #[error("<{0}> is missing")]
    Missing(&'static str),
    /// A node that cannot be read.
    #[error("<{node}> cannot be read: {why}")]
    Value {
        /// Its name.
        node: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Malformed {
    /// Parsers quote what they stumble over, and that is the recorder's: it goes to terminals, journals
    /// and receipts, so it is made safe like every other word of it.
    pub(crate) fn syntax(error: &impl ToString) -> Self {
        Self::Syntax(safe(error))
    }

    /// The same of JSON.
    pub(crate) fn json(error: &impl ToString) -> Self {
        Self::Json(safe(error))
    }

    /// The same of plain text.
    pub(crate) fn plain_text(error: &impl ToString) -> Self {
        Self::PlainText(safe(error))
    }

    /// The same of one node.
    pub(crate) fn value(node: &'static str, error: &impl ToString) -> Self {
        Self::Value { node, why: safe(error) }
    }
}

fn safe(error: &impl ToString) -> String {
    firmware::Text::cleaned(&error.to_string()).to_string()
}

/// One element: its local name, its attributes, its own text, its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document whose root has this local name.
    pub(crate) fn document(bytes: &[u8], root: &'static str) -> Result<Self, Malformed> {
        let element = parse(bytes)?;
        if element.is(root) {
            return Ok(element);
        }
        Err(element.not(root))
    }

    /// Reads a list: the items under its root, or the one item that is the root itself.
    pub(crate) fn list(bytes: &[u8], root: &'static str, item: &'static str) -> Result<Vec<Self>, Malformed> {
        let mut element = parse(bytes)?;
        if element.is(item) {
            return Ok(vec![element]);
        }
        if !element.is(root) {
            return Err(element.not(root));
        }
        element.children.retain(|child| child.is(item));
        Ok(element.children)
    }

    /// Reads a document of which no capture shows the root: a node that must be in it says that it is
    /// the right one, and this gives the element around that node.
    pub(crate) fn around(bytes: &[u8], node: &'static str) -> Result<Self, Malformed> {
        parse(bytes)?.into_around(node).map_err(|_| Malformed::Missing(node))
    }

    fn into_around(self, node: &str) -> Result<Self, Self> {
        if self.child(node).is_some() {
            return Ok(self);
        }
        // nesting is capped, and so is this recursion
        let Self { name, children, .. } = self;
        let mut children = children.into_iter().map(|child| child.into_around(node));
        children.find_map(Result::ok).ok_or(Self { name, ..Self::default() })
    }

    /// Reads a document of which no capture shows the form: every element of these names, wherever it
    /// stands, and whether the root is a list without anything in it.
    pub(crate) fn named(bytes: &[u8], names: &[&str]) -> Result<(Vec<Self>, bool), Malformed> {
        let root = parse(bytes)?;
        let list = root.name.len().checked_sub(4).and_then(|at| root.name.get(at..));
        let is_empty_list =
            root.children.is_empty() && list.is_some_and(|list| list.eq_ignore_ascii_case("List"));
        let mut found = Vec::new();
        root.collect(names, &mut found);
        Ok((found, is_empty_list))
    }

    fn collect(self, names: &[&str], found: &mut Vec<Self>) {
        if names.iter().any(|name| self.is(name)) {
            found.push(self);
            return;
        }
        // nesting is capped, and so is this recursion
        for child in self.children {
            child.collect(names, found);
        }
    }

    /// Reads a document of capabilities; the names of their roots end in `Cap`.
    pub(crate) fn capabilities(bytes: &[u8]) -> Result<Self, Malformed> {
        let element = parse(bytes)?;
        let kind = element.name.len().checked_sub(3).and_then(|at| element.name.get(at..));
        if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Cap")) {
            return Ok(element);
        }
        Err(element.not("…Cap"))
    }

    fn not(&self, expected: &'static str) -> Malformed {
        Malformed::Root { expected, found: firmware::Text::cleaned(&self.name) }
    }

    /// Whether it has this local name; letter case differs between firmware lines.
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.is(name))
    }

    /// The first element of this name, wherever it stands.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        if self.is(name) {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    /// A truth value, wherever it stands.
    pub(crate) fn flag_within(&self, name: &'static str) -> Result<Option<bool>, Malformed> {
        self.find(name).map_or(Ok(None), |found| found.truth(name))
    }

    /// Every child of this name.
    pub(crate) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.is(name))
    }

    /// The trimmed text of a child; `None` where it is absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.child(name)?.own_text()
    }

    /// The trimmed text of this very element; `None` where it is empty.
    pub(crate) fn own_text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute; `None` where it is absent or empty.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The choices that a capability lists in its attribute `opt`, made safe to show.
    pub(crate) fn choices(&self) -> Vec<firmware::Text> {
        let listed = self.attribute("opt").unwrap_or_default().split(',').map(str::trim);
        listed.filter(|choice| !choice.is_empty()).map(firmware::Text::cleaned).collect()
    }

    /// The text of a child, made safe to show.
    pub(crate) fn shown(&self, name: &str) -> Option<firmware::Text> {
        self.text(name).map(firmware::Text::cleaned)
    }

    /// A child that must be there and be readable.
    pub(crate) fn required<T: FromStr<Err: ToString>>(&self, name: &'static str) -> Result<T, Malformed> {
        let text = self.text(name).ok_or(Malformed::Missing(name))?;
        text.parse().map_err(|e: T::Err| Malformed::value(name, &e))
    }

    /// A number that may be absent; one that cannot be read is an error, never a default.
    pub(crate) fn number<T: FromStr<Err: ToString>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Malformed> {
        self.text(name).map(|_| self.required(name)).transpose()
    }

    /// A truth value.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, Malformed> {
        self.child(name).map_or(Ok(None), |child| child.truth(name))
    }

    /// An IP address. The unspecified one stands for none (reference: ISAPI §15).
    pub(crate) fn ip(&self, name: &'static str) -> Result<Option<IpAddr>, Malformed> {
        Ok(self.number::<IpAddr>(name)?.filter(|ip| !ip.is_unspecified()))
    }

    fn truth(&self, name: &'static str) -> Result<Option<bool>, Malformed> {
        let Some(text) = self.own_text() else { return Ok(None) };
        firmware::truth(text).map(Some).ok_or_else(|| Malformed::value(name, &"neither true nor false"))
    }
}

#[cfg(test)]
mod tests;

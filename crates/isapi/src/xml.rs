//! The XML of recorders, read tolerantly under strict caps (reference: ISAPI §8.3).
//!
//! One device mixes namespaces, versions and declarations between its replies, leaves nodes out, and
//! writes a list of one like a single item: names are compared without prefix, attributes are not
//! looked at, and a missing node is `None`. What an honest recorder never sends is rejected: a DTD (billion
//! laughs, external entities), deep nesting, another root, anything after the root.

use std::str::FromStr;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// Bytes of a reply. Real replies are below 64 KiB; a list of 256 cameras stays below 256 KiB.
pub(crate) const LARGEST: usize = 256 * 1024;
/// Real replies nest five deep.
const DEEPEST: usize = 32;
/// A document of [`LARGEST`] bytes holds at most 64 Ki elements, each of which costs memory here.
const MOST: usize = 20_000;

/// A reply is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not well-formed.
    #[error("XML is not well-formed: {0}")]
    Syntax(String),
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

/// One element: its local name, its own text, its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
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
        Err(Malformed::Root { expected: root, found: firmware::Text::cleaned(&element.name) })
    }

    /// Whether it has this local name; letter case differs between firmware lines.
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.is(name))
    }

    /// Every child of this name.
    pub(crate) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.is(name))
    }

    /// The trimmed text of a child; `None` where it is absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|c| c.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of a child, made safe to show.
    pub(crate) fn shown(&self, name: &str) -> Option<firmware::Text> {
        self.text(name).map(firmware::Text::cleaned)
    }

    /// A child that must be there and be readable.
    pub(crate) fn required<T: FromStr<Err: ToString>>(&self, name: &'static str) -> Result<T, Malformed> {
        let text = self.text(name).ok_or(Malformed::Missing(name))?;
        text.parse().map_err(|e: T::Err| Malformed::Value { node: name, why: e.to_string() })
    }

    /// A number that may be absent; one that cannot be read is an error, never a default.
    pub(crate) fn number<T: FromStr<Err: ToString>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Malformed> {
        self.text(name).map(|_| self.required(name)).transpose()
    }

    /// A truth value. `flase` is really on the wire (reference: ISAPI §16).
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, Malformed> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Some(true)),
            "false" | "flase" | "0" => Ok(Some(false)),
            _ => Err(Malformed::Value { node: name, why: "neither true nor false".into() }),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Element, Malformed> {
    if bytes.len() > LARGEST {
        return Err(Malformed::Excess("is larger than 256 KiB"));
    }
    // names in the owner's old code page must not hide the version: bad bytes become U+FFFD
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|e| Malformed::Syntax(e.to_string()))?;
        if root.is_some() && !matches!(event, Event::Eof | Event::Comment(_)) {
            return Err(Malformed::Excess("goes on after its root"));
        }
        let text = match event {
            Event::Start(start) => {
                count += 1;
                if open.len() >= DEEPEST || count > MOST {
                    return Err(Malformed::Excess("nests deeper than 32 or holds more than 20000 elements"));
                }
                open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
                continue;
            }
            Event::End(_) => {
                let done = open.pop().ok_or(Malformed::Excess("closes what is not open"))?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = Some(done),
                }
                continue;
            }
            Event::Text(text) => text.into_inner().into_owned(),
            Event::CData(text) => text.into_inner().into_owned(),
            Event::GeneralRef(reference) => resolve(&reference)?.to_string(),
            Event::DocType(_) => {
                return Err(Malformed::Excess("has a document type, which no recorder sends"));
            }
            Event::Eof => return root.ok_or(Malformed::Excess("ends before its root does")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => continue,
        };
        match open.last_mut() {
            Some(element) => element.text.push_str(&text),
            None if text.trim().is_empty() => {}
            None => return Err(Malformed::Excess("has text outside its root")),
        }
    }
}

/// The five entities of XML 1.0 §4.6 and character references; there is no DTD to define others.
fn resolve(reference: &BytesRef<'_>) -> Result<char, Malformed> {
    let unknown = || Malformed::Excess("names an entity that it cannot define");
    if let Some(character) = reference.resolve_char_ref().map_err(|_| unknown())? {
        return Ok(character);
    }
    match reference.borrow().into_inner().as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Element, Malformed> {
        Element::document(text.as_bytes(), "a")
    }

    #[test]
    fn reads_by_local_name_with_any_namespace_or_none() {
        for text in [
            "<a><b>1</b></a>",
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\r\n<a xmlns=\"urn:x\" version='2.0'><b xmlns=\"y\">\n1 </b></a>\n",
            "<h:a xmlns:h=\"u\"><!-- c --><h:B><![CDATA[1]]></h:B></h:a><!-- end -->",
            "<A><b>&#49;</b><c/></A>",
        ] {
            let root = read(text).unwrap();
            assert_eq!((root.text("b"), root.text("c")), (Some("1"), None), "{text}");
        }
        assert_eq!(read("<a><b>x &amp; &lt;y&gt;</b></a>").unwrap().text("b"), Some("x & <y>"));
        let odd = Element::document(b"<a><b>\xc4\xe3</b></a>", "a").unwrap();
        assert_eq!(odd.text("b"), Some("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn flags_and_numbers_are_read_or_refused() {
        let root = read("<a><t>TRUE</t><f>flase</f><x>maybe</x><n>7</n><m>7x</m></a>").unwrap();
        assert_eq!(
            (root.flag("t"), root.flag("f"), root.flag("absent")),
            (Ok(Some(true)), Ok(Some(false)), Ok(None))
        );
        assert!(root.flag("x").is_err());
        assert_eq!(root.number::<u8>("n"), Ok(Some(7)));
        assert!(root.number::<u8>("m").is_err());
        assert_eq!(root.required::<u8>("absent"), Err(Malformed::Missing("absent")));
    }

    #[test]
    fn rejects_what_no_recorder_sends() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        let many = format!("<a>{}</a>", "<b/>".repeat(MOST));
        let laughs = "<!DOCTYPE a [<!ENTITY l \"ha\"><!ENTITY m \"&l;&l;\">]><a>&m;</a>";
        for text in [
            "",
            "plain",
            "<html></html>",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><a/>",
            "<a/>x",
            "x<a/>",
            "<a>&l;</a>",
            "<a>&#0;</a>",
            "<a><b></a></b>",
            "<?xml version=\"1.0\"?>",
            laughs,
            &deep,
            &many,
            &format!("<a>{}</a>", " ".repeat(LARGEST)),
        ] {
            assert!(read(text).is_err(), "{text:.40}");
        }
    }

    /// Measured elsewhere as quadratic (reference: crates §4): attributes are skipped here.
    #[test]
    fn many_attributes_cost_nothing() {
        let attributes = " a=''".repeat(40_000);
        assert!(read(&format!("<a{attributes}/>")).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in "[<>/ab&;!\\[\\]?\" -]{0,60}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}

//! The XML of one SADP datagram, read flat.
//!
//! `isapi` has a reader of its own, and that is meant. Its replies come from one recorder that a person
//! named, over a connection with a login, up to 256 KiB, and are trees with attributes (lists of disks, of
//! cameras, capabilities). A datagram comes from whoever is on the cable, by the thousand if they like, and
//! is one level of fields in at most 8 KiB: no tree is built, no attribute is looked at, a deeper level is
//! skipped. What the two share is the parser below both (`quick-xml`) and the words of devices, which are
//! decided in `firmware`; one reader for both would have the caps of neither.

use std::str::FromStr;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::LARGEST;

/// Real answers hold about 40 fields, in one level.
const MOST: usize = 256;
const DEEPEST: usize = 8;

/// A datagram on the port of SADP is not what a device sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not well-formed XML.
    #[error("XML is not well-formed: {0}")]
    Syntax(String),
    /// Beyond what a device sends.
    #[error("XML {0}")]
    Excess(&'static str),
    /// A field that cannot be read.
    #[error("<{field}> cannot be read: {why}")]
    Value {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// It names neither a serial nor a hardware address: it could be anybody.
    #[error("neither serial number nor hardware address is named")]
    Nameless,
}

/// The root's name and the texts of its children, by local name: namespaces and attributes are not looked
/// at, and deeper levels, which devices do not send, are skipped.
pub(super) struct Document {
    root: String,
    fields: Vec<(String, String)>,
}

impl Document {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > LARGEST {
            return Err(Malformed::Excess("is larger than 8 KiB"));
        }
        let text = String::from_utf8_lossy(bytes);
        // some senders count the byte 0 that ends a C string
        let text = text.trim_start_matches('\u{feff}').trim_end_matches('\0').trim();
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let (mut document, mut depth, mut ended) = (None::<Self>, 0, false);
        loop {
            let event = reader.read_event().map_err(|e| Malformed::Syntax(e.to_string()))?;
            if ended && !matches!(event, Event::Eof | Event::Comment(_)) {
                return Err(Malformed::Excess("goes on after its root"));
            }
            let text = match event {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    depth += 1;
                    match &mut document {
                        None => document = Some(Self { root: name, fields: Vec::new() }),
                        Some(document) if depth <= DEEPEST && document.fields.len() < MOST => {
                            // a deeper one closes the field that it stands in: text after it is skipped
                            let name = if depth == 2 { name } else { String::new() };
                            document.fields.push((name, String::new()));
                        }
                        Some(_) => {
                            return Err(Malformed::Excess("is deeper or longer than any device sends"));
                        }
                    }
                    continue;
                }
                Event::End(_) => {
                    depth =
                        usize::checked_sub(depth, 1).ok_or(Malformed::Excess("closes what is not open"))?;
                    ended = depth == 0;
                    continue;
                }
                Event::Text(text) => text.into_inner().into_owned(),
                Event::CData(text) => text.into_inner().into_owned(),
                Event::GeneralRef(reference) => resolve(&reference)?.to_string(),
                Event::DocType(_) => {
                    return Err(Malformed::Excess("has a document type, which no device sends"));
                }
                Event::Eof if ended => return document.ok_or(Malformed::Excess("is empty")),
                Event::Eof => return Err(Malformed::Excess("ends before its root does")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => continue,
            };
            match document.as_mut().and_then(|document| document.fields.last_mut()) {
                Some((_, field)) if depth >= 2 => field.push_str(&text),
                _ if text.trim().is_empty() || depth == 1 => {}
                _ => return Err(Malformed::Excess("has text outside its root")),
            }
        }
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// The trimmed text of the first field of this name; `None` where it is absent or empty.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
        found.map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
    }

    /// A field that may be absent; one that cannot be read is an error, never a default.
    pub(super) fn value<T: FromStr<Err: ToString>>(
        &self,
        field: &'static str,
    ) -> Result<Option<T>, Malformed> {
        let unreadable = |e: T::Err| Malformed::Value { field, why: e.to_string() };
        self.text(field).map(|text| text.parse().map_err(unreadable)).transpose()
    }

    /// A truth value.
    pub(super) fn flag(&self, field: &'static str) -> Result<Option<bool>, Malformed> {
        let Some(text) = self.text(field) else { return Ok(None) };
        let unreadable = || Malformed::Value { field, why: "neither true nor false".into() };
        firmware::truth(text).map(Some).ok_or_else(unreadable)
    }
}

/// The five entities of XML 1.0 §4.6 and character references; there is no DTD to define others.
fn resolve(reference: &BytesRef<'_>) -> Result<char, Malformed> {
    let unknown = || Malformed::Excess("names an entity that it cannot define");
    if let Some(character) = reference.resolve_char_ref().map_err(|_| unknown())? {
        return Ok(character);
    }
    quick_xml::escape::resolve_predefined_entity(&reference.borrow().into_inner())
        .and_then(|text| text.chars().next())
        .ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Document, Malformed> {
        Document::read(text.as_bytes())
    }

    #[test]
    fn fields_by_local_name() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\r\n<p:ProbeMatch xmlns:p='x'><p:MAC> 1&amp;2&#51; </p:MAC><A/>\
                    <Deep>out<MAC>x</MAC>side</Deep><MAC>second</MAC></p:ProbeMatch>\0";
        let document = read(text).unwrap();
        assert_eq!((document.root(), document.text("mac")), ("ProbeMatch", Some("1&23")));
        assert_eq!((document.text("A"), document.text("Deep")), (None, Some("out")));
        let flags = read("<a><t>TRUE</t><f>flase</f><x>yes</x></a>").unwrap();
        assert_eq!(
            (flags.flag("t"), flags.flag("f"), flags.flag("n")),
            (Ok(Some(true)), Ok(Some(false)), Ok(None))
        );
        assert!(flags.flag("x").is_err() && flags.value::<u16>("t").is_err());
    }

    #[test]
    fn rejects_what_no_device_sends() {
        let deep = format!("{}{}", "<a>".repeat(20), "</a>".repeat(20));
        let long = format!("<a>{}</a>", "<b/>".repeat(MOST + 1));
        let large = format!("<a>{}</a>", "x".repeat(LARGEST));
        let laughs = "<!DOCTYPE a [<!ENTITY l \"ha\">]><a>&l;</a>";
        for text in [
            "",
            "text",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<a>&l;</a>",
            "<a><b>&l;</b></a>",
            "<a><b></a></b>",
            laughs,
            &deep,
            &long,
            &large,
        ] {
            assert!(read(text).is_err(), "{text:.40}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in "[<>/ab&;!\\[\\]?\" \0-]{0,80}") {
            let _ = Document::read(&bytes);
            let _ = Document::read(text.as_bytes());
        }
    }
}

//! From bytes to a tree of elements, under caps.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{Element, Malformed};

/// Bytes of a reply. Real replies are below 64 KiB; a list of 256 cameras stays below 256 KiB.
pub(crate) const LARGEST: usize = 256 * 1024;
/// Real replies nest five deep.
const DEEPEST: usize = 32;
/// A document of [`LARGEST`] bytes holds at most 64 Ki elements, each of which costs memory here.
pub(super) const MOST: usize = 20_000;
/// Real elements carry three or four: `version`, `xmlns`, and the `opt` or `min` and `max` of a capability.
const MOST_ATTRIBUTES: usize = 64;

pub(super) fn parse(bytes: &[u8]) -> Result<Element, Malformed> {
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
        let event = reader.read_event().map_err(|e| Malformed::syntax(&e))?;
        if root.is_some() && !matches!(event, Event::Eof | Event::Comment(_)) {
            return Err(Malformed::Excess("goes on after its root"));
        }
        let text = match event {
            Event::Start(start) => {
                count += 1;
                if open.len() >= DEEPEST || count > MOST {
                    return Err(Malformed::Excess("nests deeper than 32 or holds more than 20000 elements"));
                }
                open.push(Element {
                    name: start.local_name().as_ref().to_owned(),
                    attributes: attributes(&start)?,
                    ..Element::default()
                });
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

/// Values as they are meant (XML 1.0 §3.3.3); one that cannot be unescaped stays as it was sent.
fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, Malformed> {
    let mut found = Vec::new();
    // without quick-xml's search for duplicates, which is quadratic; of two, the first is read
    for (n, attribute) in start.attributes().with_checks(false).enumerate() {
        if n >= MOST_ATTRIBUTES {
            return Err(Malformed::Excess("has an element with more than 64 attributes"));
        }
        let attribute = attribute.map_err(|e| Malformed::syntax(&e))?;
        let name = attribute.key.local_name().as_ref().to_owned();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        found.push((name, value.unwrap_or(attribute.value).into_owned()));
    }
    Ok(found)
}

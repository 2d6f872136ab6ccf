use proptest::prelude::*;

use super::parse::MOST;
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

/// Looking for duplicates among them was measured as quadratic (reference: crates §4): here the 65th
/// ends the reading.
#[test]
fn many_attributes_are_rejected_before_they_cost_anything() {
    let attributes = |count| format!("<a{}/>", " a=''".repeat(count));
    assert!(read(&attributes(64)).is_ok());
    for count in [65, 40_000] {
        assert!(matches!(read(&attributes(count)), Err(Malformed::Excess(_))), "{count}");
    }
}

#[test]
fn attributes_are_read_by_local_name() {
    let root = read("<a><b min=\"1\" x:MAX='16' opt=\"MD5, SHA256&amp;,,\" none=''/></a>").unwrap();
    let b = root.child("b").unwrap();
    assert_eq!((b.attribute("MIN"), b.attribute("max")), (Some("1"), Some("16")));
    assert_eq!((b.attribute("none"), b.attribute("absent")), (None, None));
    assert_eq!(b.choices().iter().map(firmware::Text::as_str).collect::<Vec<_>>(), ["MD5", "SHA256&"]);
}

#[test]
fn a_list_of_one_may_be_the_item_itself() {
    let list = |text: &str| Element::list(text.as_bytes(), "UserList", "User").map(|l| l.len());
    for (text, length) in [
        ("<UserList/>", 0),
        ("<User/>", 1),
        ("<UserList><User/></UserList>", 1),
        ("<UserList><User/><x/><User/></UserList>", 2),
    ] {
        assert_eq!(list(text), Ok(length), "{text}");
    }
    assert!(matches!(list("<ResponseStatus/>"), Err(Malformed::Root { expected: "UserList", .. })));
}

#[test]
fn an_unknown_root_is_known_by_what_it_must_hold() {
    let around = |text: &str| Element::around(text.as_bytes(), "enabled").map(|e| e.flag("enabled"));
    assert_eq!(around("<Telnetd><enabled>true</enabled></Telnetd>"), Ok(Ok(Some(true))));
    assert_eq!(around("<x><y/><Telnetd><enabled>flase</enabled></Telnetd></x>"), Ok(Ok(Some(false))));
    assert_eq!(around("<ResponseStatus/>"), Err(Malformed::Missing("enabled")));
    assert!(Element::capabilities(b"<DeviceCap/>").is_ok());
    for text in ["<Device/>", "<ap/>", "<\u{e9}ap/>"] {
        assert!(Element::capabilities(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn the_unspecified_address_is_none() {
    let root = read("<a><v4>0.0.0.0</v4><v6>::</v6><set>192.0.2.1</set><odd>1.2.3</odd></a>").unwrap();
    assert_eq!((root.ip("v4"), root.ip("v6"), root.ip("absent")), (Ok(None), Ok(None), Ok(None)));
    assert_eq!(root.ip("set"), Ok(Some("192.0.2.1".parse().unwrap())));
    assert!(root.ip("odd").is_err());
}

#[test]
fn what_is_quoted_of_a_recorder_cannot_act_on_a_terminal() {
    let quoted = |text: &str| match read(text) {
        Err(error) => error.to_string(),
        Ok(root) => root.required::<firmware::Serial>("n").unwrap_err().to_string(),
    };
    for text in [
        "<a></\u{1b}[2Jb>",
        "<a></\u{202e}b>",
        "<\u{1b}[2Jb/>",
        "<a \u{1b}=1/>",
        "<a><n>\u{1b}[2J</n></a>",
        "<a>&\u{1b}[2J;</a>",
        "<a>&#x1b[2J;</a>",
    ] {
        let said = quoted(text);
        assert!(said.chars().all(firmware::Text::allows), "{said:?}");
    }
    assert!(quoted("<a></\u{1b}[2Jb>").contains("?[2Jb"), "and it is still told what came");
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in "[<>/ab&;!\\[\\]?\" -]{0,60}") {
        let _ = parse(&bytes);
        let _ = parse(text.as_bytes());
    }
}

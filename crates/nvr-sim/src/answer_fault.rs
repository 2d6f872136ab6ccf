//! Another answer than the recorder would give, on any endpoint.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::body::Answer;
use crate::faults::http_status;
use crate::reply::{Message, Reply, message, xml_message};
use crate::response_status::ResponseStatus;

/// One such fault. The first that fits a request is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerFault {
    /// The path without query; `*` is every path.
    pub path: String,
    /// The method; without one, any.
    #[serde(default)]
    pub method: Option<String>,
    /// What comes instead.
    pub how: How,
    /// Even to those who are not logged in.
    #[serde(default)]
    pub before_login: bool,
    /// HTTP status [default: 200; 403 for `code`, 302 for `redirect`].
    #[serde(default, deserialize_with = "http_status")]
    pub status: Option<u16>,
    /// subStatusCode for `code`, text for `text`, what `edit` puts, where `redirect` leads.
    #[serde(default)]
    pub text: String,
    /// What `edit` replaces.
    #[serde(default)]
    pub find: String,
    /// Speed of `drip` [default: 10].
    #[serde(default)]
    pub bytes_per_second: Option<u32>,
}

/// What comes instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A `ResponseStatus` with this subStatusCode.
    Code,
    /// This text.
    Text,
    /// The right answer with `find` replaced by `text`.
    Edit,
    /// Bytes that are no XML.
    Garbage,
    /// The right answer under another root.
    WrongRoot,
    /// Entities that grow to gigabytes.
    DtdBomb,
    /// A page for people.
    Html,
    /// Go elsewhere.
    Redirect,
    /// Nothing, and the connection stays open.
    Silence,
    /// The end of the connection.
    Cut,
    /// The right answer, a few bytes at a time.
    Drip,
    /// The right answer's beginning, and no end.
    Endless,
}

const HTML: &str = "<html><head><title>Document Error: Not Found</title></head><body><h2>Access Error: 404</h2></body></html>\n";

impl AnswerFault {
    /// Whether it is about this request.
    pub(crate) fn fits(&self, method: &str, path: &str, admitted: bool) -> bool {
        (self.path == "*" || self.path == path)
            && self.method.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(method))
            && (admitted || self.before_login)
    }

    /// The answer that needs no right one; `None` if it is made from that.
    pub(crate) async fn instead(&self, path: &str) -> Option<Reply> {
        Some(Reply::Answer(match self.how {
            How::Code => {
                let status = self.http(StatusCode::FORBIDDEN);
                xml_message(status, ResponseStatus::new(&self.text).to_xml(path))
            }
            How::Text => xml_message(self.http(StatusCode::OK), self.text.clone()),
            How::Garbage => {
                let noise: Vec<u8> = (0..=255).rev().cycle().take(2048).collect();
                message(self.http(StatusCode::OK), "application/xml", noise)
            }
            How::DtdBomb => xml_message(self.http(StatusCode::OK), bomb()),
            How::Html => message(self.http(StatusCode::OK), "text/html", HTML.into()),
            How::Redirect => {
                let mut message = message(self.http(StatusCode::FOUND), "text/html", HTML.into());
                // a text that no header can carry is left out
                if let Ok(to) = HeaderValue::try_from(&self.text) {
                    message.headers_mut().insert(LOCATION, to);
                }
                message
            }
            // until the recorder goes down or the client goes away
            How::Silence => std::future::pending().await,
            How::Cut => return Some(Reply::Cut),
            How::Edit | How::WrongRoot | How::Drip | How::Endless => return None,
        }))
    }

    /// The right answer, changed.
    pub(crate) fn change(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Answer(message) => Reply::Answer(self.changed(message)),
            Reply::AnswerThenReboot(message) => Reply::AnswerThenReboot(self.changed(message)),
            Reply::Cut => Reply::Cut,
        }
    }

    fn changed(&self, message: Message) -> Message {
        let (mut head, body) = message.into_parts();
        head.status = self.http(head.status);
        let body = match (self.how, body) {
            (How::Edit, Answer::Whole(bytes)) => {
                let text = String::from_utf8_lossy(&bytes).replace(&self.find, &self.text);
                Answer::whole(text.into_bytes())
            }
            (How::WrongRoot, Answer::Whole(bytes)) => {
                let text = String::from_utf8_lossy(&bytes);
                let start = text.find("?>").map_or(0, |end| end + 2);
                Answer::whole(format!("<Wrong>{}</Wrong>", &text[start..]).into_bytes())
            }
            (How::Drip, Answer::Whole(bytes)) => Answer::drip(bytes, self.bytes_per_second.unwrap_or(10)),
            (How::Endless, Answer::Whole(bytes)) => Answer::Endless(Some(bytes.slice(..bytes.len() / 2))),
            (_, body) => body,
        };
        Message::from_parts(head, body)
    }

    /// The field is checked where it enters.
    fn http(&self, usual: StatusCode) -> StatusCode {
        self.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(usual)
    }
}

/// Ten entities, each ten times the last.
fn bomb() -> String {
    let entity = |n: u8| format!("<!ENTITY e{n} \"{}\">\n", format!("&e{};", n - 1).repeat(10));
    let entities = (1..10).map(entity).collect::<Vec<_>>().concat();
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE DeviceInfo [\n<!ENTITY e0 \"DS-7608NI-I2\">\n{entities}]>\n<DeviceInfo><model>&e9;</model></DeviceInfo>\n"
    )
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_drip_is_as_fast_as_wanted_and_comes_to_its_end() {
        let fault = |speed| {
            let text = format!(r#"{{"path": "*", "how": "drip", "bytes_per_second": {speed}}}"#);
            serde_json::from_str::<AnswerFault>(&text).unwrap()
        };
        for (speed, first) in [("null", 1), ("500", 50), ("5000", 200)] {
            let right = xml_message(StatusCode::OK, "x".repeat(200));
            let mut body = fault(speed).changed(right).into_body();
            let bytes = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(bytes.len(), first, "{speed}");
            if speed != "null" {
                assert_eq!(body.collect().await.unwrap().to_bytes().len(), 200 - first);
            }
        }
    }
}

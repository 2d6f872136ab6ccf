use http::header::{CONNECTION, CONTENT_TYPE, SERVER};
use http::{HeaderValue, Response, StatusCode};

use crate::body::Answer;
use crate::response_status::ResponseStatus;

/// A response of the recorder.
pub(crate) type Message = Response<Answer>;

/// What becomes of a request.
pub(crate) enum Reply {
    /// It is answered.
    Answer(Message),
    /// It is answered, then the recorder goes down.
    AnswerThenReboot(Message),
    /// Its connection is cut.
    Cut,
}

impl Reply {
    /// An XML document under 200.
    pub(crate) fn document(xml: String) -> Self {
        Self::Answer(xml_message(StatusCode::OK, xml))
    }

    /// One of the few endpoints that answer in plain text (reference: ISAPI §13).
    pub(crate) fn plain(text: String) -> Self {
        Self::Answer(message(StatusCode::OK, "text/plain", text.into_bytes()))
    }

    /// Bytes that only the recorder understands.
    pub(crate) fn opaque(bytes: Vec<u8>) -> Self {
        Self::Answer(message(StatusCode::OK, "application/octet-stream", bytes))
    }

    /// A `ResponseStatus` under the HTTP status given.
    pub(crate) fn status(http: StatusCode, status: &ResponseStatus, url: &str) -> Self {
        Self::Answer(xml_message(http, status.to_xml(url)))
    }

    /// Success, after which the recorder goes down.
    pub(crate) fn then_reboot(status: &ResponseStatus, url: &str) -> Self {
        let mut message = xml_message(StatusCode::OK, status.to_xml(url));
        message.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        Self::AnswerThenReboot(message)
    }
}

/// An XML body with the headers of a captured recorder (reference: ISAPI §9.1).
pub(crate) fn xml_message(status: StatusCode, xml: String) -> Message {
    message(status, r#"application/xml; charset="UTF-8""#, xml.into_bytes())
}

/// Any body with the headers of a captured recorder.
pub(crate) fn message(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Message {
    let mut message = Response::new(Answer::whole(body));
    *message.status_mut() = status;
    message.headers_mut().insert(SERVER, HeaderValue::from_static("DNVRS-Webs"));
    message.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    message
}

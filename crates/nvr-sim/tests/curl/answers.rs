use nvr_sim::{AnswerFault, Faults, How};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::{curl, faulty, get, put, raw, url};

const PATH: &str = "/ISAPI/System/deviceInfo";

fn fault(how: How, text: &str) -> AnswerFault {
    AnswerFault {
        path: PATH.into(),
        method: None,
        how,
        before_login: false,
        status: None,
        text: text.into(),
        find: String::new(),
        bytes_per_second: None,
    }
}

fn one(fault: AnswerFault) -> Faults {
    Faults { answers: vec![fault], ..Faults::default() }
}

#[tokio::test]
async fn an_endpoint_answers_wrongly_and_the_others_rightly() {
    for (how, text, status, expected) in [
        (How::Code, "lowPrivilege", 403, "<subStatusCode>lowPrivilege<"),
        (How::Text, "<DeviceInfo/>", 200, "\r\n\r\n<DeviceInfo/>"),
        (How::WrongRoot, "", 200, "<Wrong>\n<DeviceInfo "),
        (How::DtdBomb, "", 200, "<!ENTITY e9 \"&e8;&e8;&e8;"),
        (How::Html, "", 200, "Content-Type: text/html\r\n"),
        (How::Redirect, "http://192.0.2.1/", 302, "Location: http://192.0.2.1/\r\n"),
    ] {
        let recorder = faulty(one(fault(how, text))).await;
        let answer = get(&recorder, "System/deviceInfo").await;
        assert!(answer.status == status && answer.text.contains(expected), "{how:?}: {answer:?}");
        assert_eq!(get(&recorder, "System/status").await.status, 200);
        let bare = curl([&url(&recorder, "System/deviceInfo")]).await;
        assert!(bare.status == 401 && !bare.text.contains(expected), "{how:?}: {bare:?}");
    }
}

#[tokio::test]
async fn an_answer_is_edited_and_has_the_status_asked_for() {
    let edit = AnswerFault {
        find: "Network Video Recorder".into(),
        status: Some(500),
        ..fault(How::Edit, "\u{1b}[2J<b>")
    };
    let recorder = faulty(one(edit)).await;
    let answer = get(&recorder, "System/deviceInfo").await;
    assert!(
        answer.status == 500 && answer.text.contains("<deviceName>\u{1b}[2J<b></deviceName>"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_fault_may_be_for_one_method_every_path_and_strangers() {
    let everywhere = AnswerFault {
        path: "*".into(),
        method: Some("put".into()),
        before_login: true,
        ..fault(How::Code, "deviceBusy")
    };
    let recorder = faulty(one(everywhere)).await;
    let bare = curl(["-X", "PUT", &url(&recorder, "System/reboot")]).await;
    assert_eq!((bare.status, bare.node("subStatusCode")), (403, "deviceBusy"));
    assert_eq!(put(&recorder, "System/x").await.node("subStatusCode"), "deviceBusy");
    assert_eq!(get(&recorder, "System/deviceInfo").await.status, 200);
}

#[tokio::test]
async fn garbage_is_not_even_text() {
    let mut garbage = fault(How::Garbage, "");
    garbage.before_login = true;
    let recorder = faulty(one(garbage)).await;
    let mut stream = raw(&recorder, &format!("GET {PATH}")).await;
    let mut bytes = vec![0; 2048];
    stream.read_exact(&mut bytes).await.unwrap();
    assert!(std::str::from_utf8(&bytes).is_err());
}

#[tokio::test]
async fn a_connection_is_cut() {
    let recorder = faulty(one(fault(How::Cut, ""))).await;
    let cut = get(&recorder, "System/deviceInfo").await;
    assert!(!cut.ended_well && !cut.text.contains("HTTP/1.1 200"), "{cut:?}");
}

#[tokio::test]
async fn silence_lasts_until_the_recorder_goes_down() {
    let mut silence = fault(How::Silence, "");
    silence.before_login = true;
    let recorder = faulty(one(silence)).await;
    let mut stream = raw(&recorder, &format!("GET {PATH}")).await;
    recorder.until(|state| state.counters.unauthenticated == 1).await;
    assert_eq!(stream.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    recorder.reboot();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn an_answer_drips() {
    let drip = AnswerFault { before_login: true, bytes_per_second: Some(20), ..fault(How::Drip, "") };
    let recorder = faulty(one(drip)).await;
    let mut reader = BufReader::new(raw(&recorder, &format!("GET {PATH}")).await);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).await.unwrap();
    }
    assert!(reader.buffer().len() <= 2, "{:?}", reader.buffer());
    let mut rest = [0; 11];
    reader.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"<userCheck>");
}

#[tokio::test]
async fn an_answer_has_no_end() {
    let endless = AnswerFault { before_login: true, ..fault(How::Endless, "") };
    let recorder = faulty(one(endless)).await;
    let mut stream = raw(&recorder, &format!("GET {PATH}")).await;
    let mut bytes = vec![0; 4 << 20];
    stream.read_exact(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("<userCheck>") && !text.contains("</userCheck>"));
}

use tokio::net::TcpListener;

use super::*;

/// Takes one connection, reads the greeting, answers with these bytes, and closes or stays.
async fn answers(bytes: &'static [u8], stays: bool) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 22, "a TLS handshake comes first");
        // read to its end: closing with bytes unread would send a reset, which may overtake the answer
        let mut rest = vec![0; 64 * 1024];
        let _ = stream.read(&mut rest).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        if stays {
            std::future::pending::<()>().await;
        }
    });
    address
}

async fn fault(bytes: &'static [u8]) -> TlsFault {
    match probe(&answers(bytes, false).await, None).await {
        Err(Error::Tls { source, .. }) => *source,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn plain_text_is_a_closed_port_or_an_answer_in_http() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"HTTP/1.0 200 OK\r\n\r\n"] {
        let spoken = Offer::PlainText(PlainTextBecause::AnsweredInPlainText);
        assert_eq!(probe(&answers(answer, false).await, None).await.unwrap(), spoken);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    drop(listener);
    let closed = Offer::PlainText(PlainTextBecause::Closed);
    assert_eq!(probe(&address, None).await.unwrap(), closed);
}

#[tokio::test]
async fn nothing_else_is_taken_for_plain_text() {
    assert_eq!(fault(b"").await, TlsFault::EndedEarly);
    assert_eq!(fault(b"HTT").await, TlsFault::EndedEarly);
    assert_eq!(fault(b"SSH-2.0-dropbear\r\n").await, TlsFault::Gibberish);
    assert_eq!(fault(b"<html>").await, TlsFault::Gibberish);
    assert_eq!(
        fault(b"\x15\x03\x03\x00\x02\x02\x28").await,
        TlsFault::Alert { alert: "HandshakeFailure".into() }
    );
    assert_eq!(fault(b"\x15\x03\x01\x00\x02\x02\x46").await, TlsFault::OldVersion { offered: None });
    assert!(matches!(fault(b"\x16\x03\x03\xff\xff junk").await, TlsFault::EndedEarly | TlsFault::Other(_)));
    let address = answers(b"", true).await;
    let silent = within(&address, None, Duration::from_millis(200)).await;
    assert!(matches!(silent, Err(Error::Tls { source, .. }) if matches!(*source, TlsFault::Silent { .. })));
}

/// A device too old to know of `supported_versions` answers with a ServerHello of its own version.
#[tokio::test]
async fn the_version_that_an_old_device_chose_is_told() {
    const TLS_1_0: &[u8] = &{
        let mut hello = [0; 5 + 4 + 2 + 32 + 1 + 2 + 1];
        (hello[0], hello[1], hello[2], hello[4]) = (22, 3, 1, 42);
        (hello[5], hello[8], hello[9], hello[10]) = (2, 38, 3, 1);
        hello[45] = 0x2f;
        hello
    };
    let fault = fault(TLS_1_0).await;
    assert_eq!(fault, TlsFault::OldVersion { offered: Some("TLS 1.0") });
    assert_eq!(fault.to_string(), "recorder offers TLS 1.0 only, expected TLS 1.2 or 1.3");
}

#[test]
fn the_first_bytes_tell() {
    for (bytes, expected) in [
        (&b"\x16"[..], Greeting::TooShort),
        (b"\x16\x03", Greeting::Tls),
        (b"\x16\x02", Greeting::Gibberish),
        (b"H", Greeting::TooShort),
        (b"HTTP/1", Greeting::Http),
        (b"\x80\x2e", Greeting::Gibberish),
    ] {
        assert_eq!(greeting(bytes), expected, "{bytes:?}");
    }
}

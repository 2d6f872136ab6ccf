use std::sync::atomic::{AtomicUsize, Ordering};

use std::time::{Duration, Instant};

use nvr_sim::Faults;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::login::answer;
use crate::{curl, dav, faulty, push, url};

const PATH: &str = "/ISAPI/System/updateFirmware";
const LENGTH: usize = 8 << 20;

#[tokio::test]
async fn a_slow_recorder_makes_the_sender_wait() {
    let recorder = faulty(Faults { bytes_per_second: Some(5000), ..Faults::default() }).await;
    let challenge = curl(["-X", "PUT", &url(&recorder, "System/updateFirmware")]).await.text;
    let head = format!(
        "PUT {PATH} HTTP/1.1\r\nHost: recorder\r\n{}\r\nContent-Length: {LENGTH}\r\n\r\n",
        answer(&challenge, "PUT", PATH)
    );
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(16 * 1024).unwrap();
    let mut stream = socket.connect(recorder.address()).await.unwrap();
    let sent = AtomicUsize::new(0);
    let sending = async {
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..LENGTH / 8192 {
            stream.write_all(&[7; 8192]).await.unwrap();
            sent.fetch_add(8192, Ordering::Relaxed);
        }
    };
    let mut seen = Vec::new();
    let watch = recorder.until(|state| {
        seen.push(state.counters.bytes);
        state.counters.bytes >= 3000
    });
    tokio::select! {
        () = sending => panic!("all of it was taken"),
        _ = watch => {}
    }
    // a tenth of a second's bytes at a time, but for what came with the header
    assert!(seen.windows(2).all(|bytes| bytes[1] - bytes[0] <= 1000), "{seen:?}");
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent < LENGTH / 8, "{sent} bytes were taken off the sender's hands");
}

#[tokio::test]
async fn how_long_a_package_was_on_its_way_is_told() {
    let recorder = faulty(Faults { bytes_per_second: Some(100_000), ..Faults::default() }).await;
    assert_eq!(recorder.state().last_upload_micros, None);
    let directory = tempfile::tempdir().unwrap();
    let file = dav(directory.path(), 60_000);
    let before = Instant::now();
    assert_eq!(push(&recorder, &file).await.status, 200);
    let within = before.elapsed();
    let upload = Duration::from_micros(recorder.state().last_upload_micros.unwrap());
    // at this speed 60 kB take 0.6 s, but for what came with the head and for the last wait
    assert!(upload >= Duration::from_millis(300) && upload <= within, "{upload:?} of {within:?}");
}

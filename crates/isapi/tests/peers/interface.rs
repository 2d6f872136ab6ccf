//! Sockets bound to an interface, in a network namespace of their own.

use std::process::Command;

use isapi::{Error, Offer, PlainTextBecause, Recorder, Transport, probe};
use tokio::net::TcpListener;

use crate::server::program;
use crate::site::login;

/// Set in the copy of this program that runs inside the namespace.
const INSIDE: &str = "COURIER_TEST_INSIDE";

fn over(interface: &str) -> Transport {
    Transport { interface: Some(interface.to_owned()), ..Transport::default() }
}

/// The same test, run again in a namespace with a loopback interface and a cable that leads nowhere.
#[test]
fn a_socket_leaves_by_its_interface_and_no_other() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(inside());
    }
    let (unshare, ip) = (program("unshare", "util-linux"), program("ip", "iproute2"));
    let ip = ip.display();
    let setup = format!(
        "{ip} link set lo up && {ip} link add cable type veth peer name far && {ip} address add 192.0.2.1/24 dev cable && {ip} link set cable up && {ip} link set far up && exec \"$@\""
    );
    let this = std::env::current_exe().unwrap();
    let name = std::thread::current().name().unwrap().to_owned();
    let output = Command::new(unshare)
        .args(["--map-root-user", "--net", "--", "sh", "-c", &setup, "sh"])
        .arg(this)
        .args(["--exact", &name, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

async fn inside() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: isapi::Address = listener.local_addr().unwrap().to_string().parse().unwrap();
    let accepted = tokio::spawn(async move {
        let mut count = 0;
        while let Ok((stream, _)) = listener.accept().await {
            count += 1;
            drop(stream);
            if count == 3 {
                break;
            }
        }
        count
    });
    let recorder =
        |transport: &Transport| Recorder::over(address.clone(), login("admin", "x"), transport).unwrap();
    // reached by default and over lo, where it closes without a word
    for transport in [Transport::default(), over("lo")] {
        assert!(matches!(recorder(&transport).device_info().await, Err(Error::Lost { .. })), "{transport:?}");
    }
    let early = probe(&address, Some("lo")).await;
    assert!(matches!(early, Err(Error::Tls { .. })), "{early:?}");
    assert_eq!(accepted.await.unwrap(), 3);

    let listener = TcpListener::bind(address.to_string()).await.unwrap();
    // the address is here, but not on that cable
    for interface in ["cable", "nosuch0"] {
        let error = recorder(&over(interface)).device_info().await.unwrap_err();
        assert!(error.is_absence(), "{interface}: {error:?}");
        let probed = probe(&address, Some(interface)).await.unwrap_err();
        for error in [error, probed] {
            let words = format!("recorder {address}: unreachable, no connection to port ");
            assert!(error.to_string().starts_with(&words), "{error}");
        }
    }
    drop(listener);
    let closed = Offer::PlainText(PlainTextBecause::Closed);
    assert_eq!(probe(&address, Some("lo")).await.unwrap(), closed);
}

//! SADP: how recorders are found on a cable (reference: ISAPI §16). Only inquiries are answered; all
//! other messages change a device, and are counted.

mod message;
mod socket;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;

use crate::recorder::Recorder;
use crate::state::Stage;
use message::Heard;
pub(crate) use socket::Sockets;

/// How the recorder is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sadp {
    /// The address that it joins the group on and tells; without one, that of `listen`.
    pub address: Option<Ipv4Addr>,
    /// The interface that it keeps to; without one, whichever has the address.
    pub interface: Option<String>,
    /// Port, which is 37020 on every device.
    pub port: u16,
    /// Where answers go.
    pub answers: Answers,
    /// Tell of itself unasked, at the start and after every reboot.
    pub hello: bool,
    /// `IPv4SubnetMask`.
    pub mask: Ipv4Addr,
    /// `IPv4Gateway`.
    pub gateway: Ipv4Addr,
    /// `DHCP`.
    pub dhcp: bool,
    /// `Activated`.
    pub activated: bool,
    /// `DeviceType`, a number of the vendor's.
    pub device_code: u32,
    /// `DetailOEMCode`.
    pub oem_code: u32,
}

/// Where answers to an inquiry go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// To the multicast group, as device-side code does it.
    #[default]
    Group,
    /// To whoever asked.
    Unicast,
    /// To both.
    Both,
}

impl Default for Sadp {
    fn default() -> Self {
        Self {
            address: None,
            interface: None,
            port: 37020,
            answers: Answers::Group,
            hello: false,
            mask: Ipv4Addr::new(255, 255, 255, 0),
            gateway: Ipv4Addr::UNSPECIFIED,
            dhcp: false,
            activated: true,
            device_code: 141_945,
            oem_code: 1,
        }
    }
}

impl Sadp {
    /// The address that it tells when the recorder listens here; `None` if that has no IPv4 address.
    pub(crate) fn own(&self, listen: SocketAddr) -> Option<Ipv4Addr> {
        self.address.or(match listen.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
    }
}

/// Answers for as long as the recorder lives; ends only if a socket fails.
pub(crate) async fn run(recorder: Arc<Recorder>, sadp: Sadp, mut sockets: Sockets) -> io::Result<()> {
    let mut reboots = 0;
    loop {
        if sadp.hello {
            let hello = message::hello(&recorder, &sadp, sockets.own);
            // a cable that is not there is nobody to tell
            let _ = sockets.own_socket.send_to(hello.as_bytes(), sockets.group_address()).await;
        }
        reboots = serve_until_rebooted(&recorder, &sadp, &sockets, reboots).await;
        let address = recorder.state().address;
        if let Some(own) = sadp.own(address) {
            sockets = Sockets::open(&sadp, own)?;
        }
    }
}

/// Answers until the recorder is up after another reboot; says how many there were by then.
async fn serve_until_rebooted(recorder: &Recorder, sadp: &Sadp, sockets: &Sockets, reboots: u64) -> u64 {
    let mut state = recorder.state.subscribe();
    let (mut first, mut second, mut third) = (buffer(), buffer(), buffer());
    loop {
        let (text, from) = tokio::select! {
            heard = receive(&sockets.own_socket, &mut first) => heard,
            heard = receive(&sockets.group_socket, &mut second) => heard,
            heard = receive(&sockets.broadcast_socket, &mut third) => heard,
            Ok(now) = state.wait_for(|state| state.counters.reboots > reboots && state.stage == Stage::Idle) => {
                return now.counters.reboots;
            }
        };
        answer(recorder, sadp, sockets, &text, from).await;
    }
}

async fn answer(recorder: &Recorder, sadp: &Sadp, sockets: &Sockets, text: &str, from: SocketAddr) {
    let faults = recorder.state().faults;
    let reply = match message::read(text) {
        // a recorder that is down hears nothing
        _ if recorder.state().stage == Stage::Down => return,
        Some(Heard::Inquiry { uuid, types }) => {
            recorder.count(|counters| counters.sadp_inquiries += 1);
            faults
                .sadp_reply
                .unwrap_or_else(|| message::probe_match(recorder, sadp, sockets.own, &uuid, &types))
        }
        Some(Heard::Other) => return recorder.count(|counters| counters.sadp_others += 1),
        None => return,
    };
    if faults.sadp_silent {
        return;
    }
    recorder.count(|counters| counters.sadp_answers += 1);
    let targets = match sadp.answers {
        Answers::Group => vec![sockets.group_address()],
        Answers::Unicast => vec![from],
        Answers::Both => vec![sockets.group_address(), from],
    };
    for target in targets {
        // nobody can be told of an answer that does not leave
        let _ = sockets.own_socket.send_to(reply.as_bytes(), target).await;
    }
}

/// Longer than any message met.
fn buffer() -> Vec<u8> {
    vec![0; 4096]
}

/// One message; what is not text is none.
async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> (String, SocketAddr) {
    loop {
        // an error here is the echo of an answer that found nobody (ICMP); the next message may be good
        if let Ok((length, from)) = socket.recv_from(buffer).await
            && let Ok(text) = std::str::from_utf8(&buffer[..length])
        {
            return (text.to_owned(), from);
        }
    }
}

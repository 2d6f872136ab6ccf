use link::{Datagram, read_datagram};

/// A datagram on the port of SADP: what is taken is safe to show.
pub fn sadp(data: &[u8]) {
    let Ok(Datagram::Answer(device) | Datagram::Hello(device)) = read_datagram(data) else { return };
    for word in [device.model, device.software].into_iter().flatten() {
        assert!(word.as_str().chars().all(firmware::Text::allows), "{word}");
    }
}

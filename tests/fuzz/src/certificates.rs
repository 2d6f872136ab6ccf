/// A recorder's certificate.
pub fn certificates(data: &[u8]) {
    isapi::fuzz::certificate(data);
}

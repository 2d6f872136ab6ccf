/// The challenges of a recorder, and the answer to them.
pub fn challenges(data: &[u8]) {
    isapi::fuzz::challenge(data);
}

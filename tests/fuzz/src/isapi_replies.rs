/// The body of a reply of a recorder, read as every document there is, and as the answer to an upload.
pub fn isapi_replies(data: &[u8]) {
    isapi::fuzz::reply(data);
}

//! What a recorder serves, one type per path.

use crate::xml::Malformed;

/// A document that a recorder serves at a path of its own. Which recorder has which differs by model
/// and firmware: [`crate::Recorder::read`] tells *not offered* from *no permission* and from *refused*.
///
/// Parsing is total: any bytes are a document or an error, under the caps of one reply.
pub trait Document: Sized {
    /// Where it is, without a query.
    const PATH: &'static str;

    /// Reads the body of a reply.
    fn parse(body: &[u8]) -> Result<Self, Malformed>;
}

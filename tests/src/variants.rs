//! The words that a type is read from, from the type itself.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

/// All words that a type is read from. Its own reader lists them when it is given another.
pub fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>("\"?\"") else { return BTreeSet::new() };
    let text = error.to_string();
    // odd pieces stand between backquotes; the first of them is the word that was given
    text.split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect()
}

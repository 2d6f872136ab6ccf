use std::fmt;

/// A number of things, in words: `1 release`, `2 releases`.
#[derive(Debug, Clone, Copy)]
pub struct Count<N>(pub N, pub &'static str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Count<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, thing) = self;
        let plural = if thing.ends_with('s') { "es" } else { "s" };
        write!(f, "{number} {thing}{}", if *number == N::from(1) { "" } else { plural })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        let counted = [0_usize, 1, 2].map(|n| Count(n, "file").to_string());
        assert_eq!(counted, ["0 files", "1 file", "2 files"]);
        assert_eq!([0_usize, 1].map(|n| Count(n, "address").to_string()), ["0 addresses", "1 address"]);
    }
}

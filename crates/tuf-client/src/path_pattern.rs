/// Which target names a delegation is about (specification §4.5, PATHPATTERN): `*` stands for any
/// characters but `/`, `?` for one, everything else for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String);

impl From<&str> for PathPattern {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl PathPattern {
    /// Whether the pattern is about this name, the whole of it.
    pub fn matches(&self, name: &str) -> bool {
        let (mut patterns, mut components) = (self.0.split('/'), name.split('/'));
        loop {
            match (patterns.next(), components.next()) {
                (None, None) => return true,
                (Some(pattern), Some(component)) if component_matches(pattern, component) => {}
                _ => return false,
            }
        }
    }
}

/// Returns to the last `*` only: an earlier one could not do better, so that the time is bounded by
/// the product of the lengths and no pattern is costly.
fn component_matches(pattern: &str, component: &str) -> bool {
    let (mut pattern, mut rest) = (pattern.chars(), component.chars());
    // the pattern after the last `*`, and the text that it is tried on next
    let mut retry = None;
    loop {
        let before = rest.clone();
        match (pattern.next(), rest.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                retry = Some((pattern.clone(), before.clone()));
                rest = before;
            }
            (Some('?'), Some(_)) => {}
            (Some(expected), Some(found)) if expected == found => {}
            _ => {
                let Some((after, from)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                (pattern, rest) = (after.clone(), from.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        PathPattern::from(pattern).matches(name)
    }

    #[test]
    fn matches_as_the_examples_of_the_specification_do() {
        for (pattern, name) in [
            ("targets/*.tgz", "targets/foo.tgz"),
            ("foo-version-?.tgz", "foo-version-2.tgz"),
            ("foo-version-?.tgz", "foo-version-a.tgz"),
            ("*", "a"),
            ("*/*", "a/b"),
            ("a*b*c", "aXbYbZc"),
            ("**", ""),
            ("?", "é"),
            ("[ab]", "[ab]"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("targets/*.tgz", "targets/foo.txt"),
            ("foo-version-?.tgz", "foo-version-alpha.tgz"),
            ("*.tgz", "targets/foo.tgz"),
            ("*", "a/b"),
            ("a?b", "a/b"),
            ("*/*", "a/b/c"),
            ("?", ""),
            ("", "a"),
            ("a*b*c", "aXbYbZ"),
            ("[ab]", "a"),
            ("A", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        assert!(!matches(&format!("{}b", "a*".repeat(500)), &"a".repeat(1000)));
    }

    /// The definition, written down without a thought for time.
    fn by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', pattern @ ..], _) if by_definition(pattern, name) => true,
            (['*', ..], [found, name @ ..]) => *found != '/' && by_definition(pattern, name),
            (['?', pattern @ ..], [found, name @ ..]) => *found != '/' && by_definition(pattern, name),
            ([expected, pattern @ ..], [found, name @ ..]) => {
                expected == found && by_definition(pattern, name)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?/]{0,10}", name in "[ab/]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), by_definition(&chars(&pattern), &chars(&name)));
        }
    }
}

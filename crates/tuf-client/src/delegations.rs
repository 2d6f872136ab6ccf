//! Who is trusted with what: [`Delegation`] is the trust that root places in a top-level role, or
//! targets metadata in a role of its own choosing (specification §4.3, §4.5).

use sha2::{Digest as _, Sha256};

use crate::fields::{self, Object, malformed};
use crate::path_pattern::PathPattern;
use crate::signatures::{KeyRing, RoleKeys};
use crate::{Document, Rejection, Role, TargetName, Verified, role_file};

/// A file name of 255 bytes is what file systems take; the version needs 21 of them.
const LONGEST_FILE: usize = 234;

/// Whose signatures make the metadata of a role good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delegation<'a> {
    pub(crate) role: &'a str,
    pub(crate) ring: &'a KeyRing,
    pub(crate) keys: &'a RoleKeys,
}

impl Delegation<'_> {
    pub(crate) fn verify<T: Document>(self, bytes: &[u8]) -> Result<Verified<T>, Rejection> {
        Verified::by(bytes, self)
    }

    /// The name in a store and in messages.
    pub(crate) fn file(self) -> String {
        role_file::plain(self.role)
    }
}

/// The roles that targets metadata delegates to, in their order of priority, and their keys.
#[derive(Debug, Clone)]
pub(crate) struct Delegations {
    pub(crate) ring: KeyRing,
    pub(crate) roles: Vec<DelegatedRole>,
}

/// A role that some targets metadata trusts with some target names.
#[derive(Debug, Clone)]
pub(crate) struct DelegatedRole {
    pub(crate) name: String,
    keys: RoleKeys,
    pub(crate) terminating: bool,
    scope: Scope,
}

#[derive(Debug, Clone)]
enum Scope {
    Paths(Vec<PathPattern>),
    /// Beginnings of the lower-case hexadecimal SHA-256 of the name: hash bins.
    HashPrefixes(Vec<String>),
}

/// A target name, and what hash bins sort it by.
pub(crate) struct Sought<'a> {
    pub(crate) name: &'a TargetName,
    hash: String,
}

impl<'a> Sought<'a> {
    pub(crate) fn new(name: &'a TargetName) -> Self {
        Self { name, hash: hex::encode(Sha256::digest(name.as_str())) }
    }
}

impl Delegations {
    pub(crate) fn parse(delegations: &Object) -> Result<Self, Rejection> {
        let ring = KeyRing::parse(fields::object(delegations, "keys")?)?;
        let mut roles: Vec<DelegatedRole> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        for role in fields::array(delegations, "roles")? {
            let role = DelegatedRole::parse(fields::as_object(role, "roles")?)?;
            if !names.insert(role.name.clone()) {
                return Err(malformed("roles", "a list of roles with different names"));
            }
            roles.push(role);
        }
        Ok(Self { ring, roles })
    }
}

impl DelegatedRole {
    fn parse(role: &Object) -> Result<Self, Rejection> {
        let name = fields::text(role, "name")?;
        // one of the top-level names would take that role's place in the store
        let taken = Role::ALL.into_iter().any(|role| role.name() == name);
        if name.is_empty() || taken || role_file::plain(name).len() > LONGEST_FILE {
            return Err(malformed("name", "a name for a delegated role"));
        }
        let scope = match (role.contains_key("paths"), role.contains_key("path_hash_prefixes")) {
            (true, false) => Scope::Paths(texts(role, "paths")?.into_iter().map(PathPattern::from).collect()),
            (false, true) => {
                let prefixes = texts(role, "path_hash_prefixes")?;
                Scope::HashPrefixes(prefixes.into_iter().map(String::from).collect())
            }
            _ => return Err(malformed("paths", "there, or else path_hash_prefixes")),
        };
        let terminating = fields::optional_boolean(role, "terminating")?;
        Ok(Self {
            name: name.into(),
            keys: RoleKeys::parse(role)?,
            terminating: terminating.ok_or_else(|| malformed("terminating", "a boolean"))?,
            scope,
        })
    }

    /// Whether the delegator trusts this role with the target.
    pub(crate) fn covers(&self, sought: &Sought<'_>) -> bool {
        match &self.scope {
            Scope::Paths(patterns) => patterns.iter().any(|pattern| pattern.matches(sought.name.as_str())),
            Scope::HashPrefixes(prefixes) => prefixes.iter().any(|prefix| sought.hash.starts_with(prefix)),
        }
    }

    /// `ring` holds the keys that the same delegator lists.
    pub(crate) fn delegation<'a>(&'a self, ring: &'a KeyRing) -> Delegation<'a> {
        Delegation { role: &self.name, ring, keys: &self.keys }
    }
}

fn texts<'a>(of: &'a Object, field: &str) -> Result<Vec<&'a str>, Rejection> {
    let text =
        |value: &'a serde_json::Value| value.as_str().ok_or_else(|| malformed(field, "a list of strings"));
    fields::array(of, field)?.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn role(change: impl FnOnce(&mut Value)) -> Value {
        let mut role =
            json!({"name": "a", "keyids": [], "threshold": 1, "terminating": false, "paths": ["a/*"]});
        change(&mut role);
        role
    }

    fn parse(roles: &Value) -> Result<Delegations, Rejection> {
        Delegations::parse(json!({"keys": {}, "roles": roles}).as_object().unwrap())
    }

    fn covers(role: &Value, name: &str) -> bool {
        let delegations = parse(&json!([role])).unwrap();
        delegations.roles[0].covers(&Sought::new(&name.parse().unwrap()))
    }

    #[test]
    fn rejects_roles_that_readers_could_take_differently() {
        let cases: [fn(&mut Value); 9] = [
            |role| role["name"] = "".into(),
            |role| role["name"] = "root".into(),
            |role| role["name"] = "/".repeat(80).into(),
            |role| role["threshold"] = 0.into(),
            |role| role["terminating"] = "no".into(),
            |role| drop(role.as_object_mut().unwrap().remove("terminating")),
            |role| drop(role.as_object_mut().unwrap().remove("paths")),
            |role| role["path_hash_prefixes"] = json!(["0"]),
            |role| role["paths"] = json!([1]),
        ];
        for (number, change) in cases.into_iter().enumerate() {
            assert!(parse(&json!([role(change)])).is_err(), "case {number}");
        }
        assert!(parse(&json!([role(|_| {}), role(|_| {})])).is_err(), "one name twice");
        assert!(parse(&json!([role(|_| {}), role(|role| role["name"] = "../x".into())])).is_ok());
    }

    #[test]
    fn covers_by_pattern_or_by_the_beginning_of_the_hash() {
        assert!(covers(&role(|_| {}), "a/b") && !covers(&role(|_| {}), "a/b/c"));
        let bin = |prefix: &str| {
            role(|role| {
                role.as_object_mut().unwrap().remove("paths");
                role["path_hash_prefixes"] = json!(["zz", prefix]);
            })
        };
        // SHA-256 of "abc": ba7816bf…
        assert!(covers(&bin("ba7"), "abc") && covers(&bin(""), "abc"));
        assert!(!covers(&bin("a"), "abc") && !covers(&bin("BA7"), "abc"));
    }
}

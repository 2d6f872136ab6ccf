//! The next root: who signs what from now on.

use std::path::Path;

use keys::{PublicKey, SigningKey, key_file};
use terminal::{Exit, Fail, Failure};
use tuf_client::Role;
use tuf_repository::{DraftError, Roles, Signers, SigningEvent, TargetsDraft};

use super::{How, RoleName};
use crate::commands::signing::{agree, conclude, open_event, settle, sign_here};
use crate::commands::{proposal, publication_failure, publish_failure};
use crate::context::{Context, key_failure};
use crate::home::Home;
use crate::key_ring;
use crate::publication::Publication;
use crate::publish;

/// The fewest digits of a fingerprint that name a key.
const FEWEST_DIGITS: usize = 8;

/// The public key in a file.
pub(super) fn public_key(path: &Path, fingerprint: Option<&str>) -> Result<PublicKey, Failure> {
    let key = key_file::read_public(path).fail(Exit::Usage);
    let key = key.map_err(|failure| {
        failure.hint("give the public half, the file NAME.pub that fetcher keys new writes beside NAME.pem")
    })?;
    match fingerprint {
        Some(expected) if !key.fingerprint().eq_ignore_ascii_case(expected.trim()) => {
            let message =
                format!("key {}: fingerprint is {}, expected {expected}", path.display(), key.fingerprint());
            Err(Failure::new(Exit::Rejected, message)
                .hint("it is another key: ask its owner for the file and the fingerprint again"))
        }
        _ => Ok(key),
    }
}

/// The roles that people sign for.
pub(super) fn with_people(role: RoleName) -> Result<Role, Failure> {
    match role.into() {
        role @ (Role::Root | Role::Targets) => Ok(role),
        role => Err(Failure::new(
            Exit::Usage,
            format!("the {role} role signs unattended, with one key that is made here"),
        )
        .hint(format!("fetcher root rotate {role} puts a new key in the place of the old one"))),
    }
}

pub(super) fn add(
    signers: &mut Signers,
    role: Role,
    key: PublicKey,
    threshold: Option<u64>,
) -> Result<(), Failure> {
    if signers.keys.contains(&key) {
        return Err(Failure::new(Exit::Usage, format!("key {} signs for {role} already", key.fingerprint())));
    }
    signers.keys.push(key);
    signers.threshold = threshold.unwrap_or(signers.threshold);
    Ok(())
}

pub(super) fn remove(
    signers: &mut Signers,
    role: Role,
    fingerprint: &str,
    threshold: Option<u64>,
) -> Result<(), Failure> {
    let index = named(signers, role, fingerprint)?;
    if signers.keys.len() == 1 {
        let message = format!("it is the only key of the {role} role");
        return Err(Failure::new(Exit::Refused, message)
            .hint(format!("fetcher root rotate {role} puts a new one in its place")));
    }
    signers.keys.remove(index);
    signers.threshold = threshold.unwrap_or(signers.threshold);
    Ok(())
}

/// The place of the one key that a fingerprint, or its first digits, names.
fn named(signers: &Signers, role: Role, fingerprint: &str) -> Result<usize, Failure> {
    let wanted = fingerprint.trim().to_ascii_lowercase();
    let fits = |(_, key): &(usize, &PublicKey)| key.fingerprint().starts_with(&wanted);
    let found: Vec<usize> = signers.keys.iter().enumerate().filter(fits).map(|(index, _)| index).collect();
    match found[..] {
        [index] if wanted.len() >= FEWEST_DIGITS => Ok(index),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("key {fingerprint}: it does not name one key of the {role} role"),
        )
        .hint(format!("give at least {FEWEST_DIGITS} digits of a fingerprint that fetcher root show lists"))),
    }
}

/// Proposes the root that `change` makes of the current one, or of the one that is still being
/// signed, and has it signed.
pub(super) fn run(
    how: &How,
    context: &Context,
    change: impl FnOnce(&mut Roles) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let (home, publication) = open(context)?;
    let mut event = begin(&home, &publication)?;
    let mut roles = event.roles();
    change(&mut roles)?;
    propose(&mut event, &publication, &roles, context)?;
    proposal::tell(&event, context);
    agree("Make this the root?", how.signing.yes || how.stage.stage)?;
    conclude(event, publication, &home, &how.signing, how.stage.stage, context)
}

/// Puts a new key in the place of one of the role, and signs with it whatever it counts for.
pub(super) fn rotate(
    role: Role,
    replace: Option<&str>,
    unencrypted: bool,
    how: &How,
    context: &Context,
) -> Result<Exit, Failure> {
    let (home, publication) = open(context)?;
    let mut event = begin(&home, &publication)?;
    let mut roles = event.roles();
    let signers = roles.signers_mut(role);
    let index = match replace {
        Some(fingerprint) => named(signers, role, fingerprint)?,
        None if signers.keys.len() == 1 => 0,
        None => {
            let message =
                format!("the {role} role has {} keys, and nothing says which one goes", signers.keys.len());
            return Err(
                Failure::new(Exit::Usage, message).hint("--replace HEX; fetcher root show lists them")
            );
        }
    };
    let old = signers.keys[index].fingerprint();
    context.output.data(format_args!("a new {role} key takes the place of {old}"));
    agree("Make the new key?", how.signing.yes)?;
    let attended = matches!(role, Role::Root | Role::Targets);
    let passphrase = if attended && !unencrypted {
        Some(how.signing.passphrase.choose(&format!("Passphrase for the new {role} key"))?)
    } else {
        None
    };
    let new = SigningKey::generate();
    signers.keys[index] = new.public();
    propose(&mut event, &publication, &roles, context)?;
    proposal::tell(&event, context);
    event.sign(&new);
    sign_here(&mut event, &home, &how.signing, how.stage.stage)?;
    // on disk before anything names it, and not before all that can be refused was
    let dir = how.signing.keys.clone().filter(|_| attended).unwrap_or_else(|| home.keys());
    let new = key_ring::make_next(&dir, role, new, passphrase.as_ref()).map_err(key_failure)?;
    context.output.data(format_args!("new key {} in {}", new.public().fingerprint(), dir.display()));
    context.output.note(
        "the old key file is left where it is; once the new root is published it signs nothing any more",
    );
    settle(&event, publication, &home, context)
}

fn open(context: &Context) -> Result<(Home, Publication), Failure> {
    let home = context.open_home()?;
    let publication = Publication::open(&home.publication()).map_err(publication_failure)?;
    Ok((home, publication))
}

/// The event that is open, if it is about a root; else a new one.
fn begin(home: &Home, publication: &Publication) -> Result<SigningEvent, Failure> {
    match open_event(home, publication)? {
        Some(event) if event.next_root().is_some() => Ok(event),
        Some(_) => Err(Failure::new(Exit::Refused, "signing event: an approval is still being signed").hint(
            format!(
                "finish it with fetcher sign {}, or drop it with fetcher sign --discard",
                home.signing_event().display()
            ),
        )),
        None => Ok(SigningEvent::over(publication.root().clone(), publication.current().targets.clone())),
    }
}

/// The root, and the list with it where the current one would not be good under it.
fn propose(
    event: &mut SigningEvent,
    publication: &Publication,
    roles: &Roles,
    context: &Context,
) -> Result<(), Failure> {
    let expires = publish::root_expires(context.now).map_err(publish_failure)?;
    event.propose_root(roles, expires).map_err(|error| {
        let hint = matches!(error, DraftError::Threshold { .. }).then_some(
            "--threshold K says how many have to sign from now on; more keys come with fetcher root add-key",
        );
        Failure::of(Exit::Usage, error).maybe_hint(hint)
    })?;
    if event.needs_targets() {
        let draft = TargetsDraft::after(publication.current().targets.clone());
        let expires = publish::targets_expires(context.now).map_err(publish_failure)?;
        event.propose_targets(&draft, expires).fail(Exit::Internal)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signers(count: usize) -> Signers {
        Signers { keys: (0..count).map(|_| SigningKey::generate().public()).collect(), threshold: 1 }
    }

    #[test]
    fn a_key_is_named_by_enough_digits_of_its_own() {
        let signers = signers(2);
        let fingerprint = signers.keys[1].fingerprint();
        assert_eq!(named(&signers, Role::Root, &fingerprint).unwrap(), 1);
        assert_eq!(named(&signers, Role::Root, &fingerprint[..8].to_uppercase()).unwrap(), 1);
        for wrong in [&fingerprint[..7], "", "00000000"] {
            assert_eq!(named(&signers, Role::Root, wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }

    #[test]
    fn keys_are_added_once_and_the_last_is_not_removed() {
        let mut signers = signers(1);
        let (first, second) = (signers.keys[0].clone(), SigningKey::generate().public());
        add(&mut signers, Role::Targets, second.clone(), Some(2)).unwrap();
        assert_eq!((signers.keys.len(), signers.threshold), (2, 2));
        assert!(add(&mut signers, Role::Targets, second, None).is_err());
        remove(&mut signers, Role::Targets, &first.fingerprint(), Some(1)).unwrap();
        let last = signers.keys[0].fingerprint();
        assert_eq!(remove(&mut signers, Role::Targets, &last, None).unwrap_err().exit, Exit::Refused);
    }

    #[test]
    fn unattended_roles_are_rotated_only() {
        assert!(with_people(RoleName::Targets).is_ok());
        let failure = with_people(RoleName::Timestamp).unwrap_err();
        assert!(failure.hint.unwrap().contains("fetcher root rotate timestamp"));
    }
}

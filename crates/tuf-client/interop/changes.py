"""What may become of a repository after its first publication: honest, hostile, or broken media."""

import copy
import json
from datetime import datetime, timedelta, timezone

from by_hand import sign
from tuf.api.metadata import MetaFile

# what a value may become
VALUES = (False, True, "", "x", "0" * 64, 0, -1, 1, 7, 2**63, [], {}, ["x"], {"x": "y"})
# of kinds of keys and of hashes the two clients know different ones, and mean to: test_differences.py
LEFT = {"keytype", "scheme", "hashes"}


def nothing(repository):
    """Published once more as it was."""


def next_publication(repository):
    role = repository.rng.choice(repository.delegated_and_targets())
    repository.approve(role, "plain")
    repository.version_up(role, "snapshot", "timestamp")
    repository.publish()


def rotation(repository):
    repository.rotate(repository.rng.choice(("root", "timestamp", "snapshot", "targets")))
    repository.version_up("targets", "snapshot", "timestamp")
    repository.publish()


def several_rotations(repository):
    for role in ("root", "timestamp", "root", "snapshot"):
        repository.rotate(role)
    repository.version_up("snapshot", "timestamp")
    repository.publish()


def rotation_without_old_keys(repository):
    old = repository.keys["root"]
    repository.keys["root"] = ([key for key in repository.pool if key not in old[0]][:1], 1)
    repository.version_up("root")
    repository.place_root()


def signed_by_too_few(repository):
    role = repository.rng.choice(list(repository.signed))
    signers, threshold = repository.keys[role]
    strangers = [key for key in repository.pool if key not in signers][:1]
    repository.keys[role] = (signers[: threshold - 1] + strangers, threshold)
    if role == "root":
        repository.version_up("root")
        repository.place("root")
        return
    # a changed file always has a new version: python-tuf keeps what it stored of the same version, and
    # ours reads a file again whose listed hash is another
    repository.version_up(*{role, "snapshot", "timestamp"})
    repository.publish()


def expired(repository):
    role = repository.rng.choice(list(repository.signed))
    now = datetime.now(timezone.utc).replace(microsecond=0)
    repository.signed[role].expires = now - timedelta(days=1)
    repository.version_up(role)
    if role == "root":
        repository.place_root()
    for above in ("snapshot", "timestamp"):
        if role != above:
            repository.version_up(above)
    repository.publish()


def rollback(repository):
    role = repository.rng.choice([role for role in repository.signed if role != "root"])
    repository.signed[role].version = 1
    if role != "timestamp":
        repository.version_up("timestamp")
    if role not in ("timestamp", "snapshot"):
        repository.version_up("snapshot")
    repository.publish()


def role_disappears(repository):
    role = repository.rng.choice(repository.delegated_and_targets())
    if role != "targets":
        del repository.signed["snapshot"].meta[f"{role}.json"]
    repository.version_up("snapshot", "timestamp")
    repository.publish_snapshot()


def snapshot_lists_another_version(repository):
    role = repository.rng.choice(repository.delegated_and_targets())
    repository.signed["snapshot"].meta[f"{role}.json"] = MetaFile(9)
    repository.files |= {
        path.replace("/5.", "/9."): data for path, data in repository.files.items() if "/5." in path
    }
    repository.version_up("snapshot", "timestamp")
    repository.publish_snapshot()


def files_exchanged(repository):
    one, other = repository.rng.sample(sorted(repository.files), 2)
    files = repository.files
    files[one], files[other] = files[other], files[one]


def file_missing(repository):
    del repository.files[repository.rng.choice(sorted(repository.files))]


def bytes_flipped(repository):
    path = repository.rng.choice(sorted(repository.files))
    data = bytearray(repository.files[path])
    for _ in range(repository.rng.randint(1, 3)):
        data[repository.rng.randrange(len(data))] ^= 1 << repository.rng.randrange(8)
    repository.files[path] = bytes(data)


def file_cut(repository):
    path = repository.rng.choice(sorted(repository.files))
    data = repository.files[path]
    repository.files[path] = data[: repository.rng.randrange(len(data))]


def file_continued(repository):
    path = repository.rng.choice(sorted(repository.files))
    repository.files[path] += repository.rng.choice((b" ", b"\n{}", b"x" * 100))


def signatures_exchanged(repository):
    """Each is good, by a key of the role, and stands under the id of another."""
    role = repository.rng.choice(list(repository.signed))

    def exchange(text):
        values = [signature["sig"] for signature in text["signatures"]]
        for signature, value in zip(text["signatures"], values[1:] + values[:1]):
            signature["sig"] = value

    change_text(repository, role, exchange)


def respelled(repository):
    """The same document in other characters."""
    spell = repository.rng.choice((
        lambda text: json.dumps(text, indent=repository.rng.randint(0, 9)),
        lambda text: json.dumps(text, separators=(" ,\r\n", "\t:"), ensure_ascii=False),
        lambda text: json.dumps(dict(reversed(text.items()))),
    ))
    change_text(repository, repository.rng.choice(list(repository.signed)), lambda text: None, spell)


def meaning_changed(repository):
    """One thing in the signed part is another of its type, or gone, or there twice; and signed again."""
    role, rng = repository.rng.choice(list(repository.signed)), repository.rng

    def change(text):
        parent, key = rng.choice(list(places(text["signed"])))
        kind = rng.randrange(5)
        if kind == 0:
            del parent[key]
        elif kind == 1 and isinstance(parent, list):
            parent.insert(rng.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
        elif kind == 2 and isinstance(parent, dict):
            parent[rng.choice(("x", f"{key}s"))] = parent.pop(key)
        else:
            others = [other[place] for other, place in places(text["signed"])] if kind == 3 else VALUES
            alike = [other for other in others if type(other) is type(parent[key])]
            parent[key] = copy.deepcopy(rng.choice(alike))
        sign(text, repository.keys[role][0])

    change_text(repository, role, change)


def places(value):
    """Where every value inside of this one is, for a change there."""
    for key in range(len(value)) if isinstance(value, list) else sorted(value.keys() - LEFT):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from places(value[key])


def change_text(repository, role, change, spell=json.dumps):
    """Publishes a role again whose document was changed as text."""
    repository.with_hashes = False
    repository.version_up(*{role, "snapshot", "timestamp"})
    repository.publish()
    if role == "root":
        repository.place_root()
    path = repository.path(role)
    text = json.loads(repository.files[path])
    change(text)
    repository.files[path] = spell(text).encode()


ALL = (
    nothing, next_publication, rotation, several_rotations, rotation_without_old_keys, signed_by_too_few,
    expired, rollback, role_disappears, snapshot_lists_another_version, files_exchanged, file_missing,
    bytes_flipped, file_cut, file_continued, signatures_exchanged, respelled, meaning_changed,
)

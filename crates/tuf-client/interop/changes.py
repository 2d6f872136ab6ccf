"""What may become of a repository after its first publication: honest, hostile, or broken media."""

from datetime import datetime, timedelta, timezone

from tuf.api.metadata import MetaFile


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


ALL = (
    nothing, next_publication, rotation, several_rotations, rotation_without_old_keys, signed_by_too_few,
    expired, rollback, role_disappears, snapshot_lists_another_version, files_exchanged, file_missing,
    bytes_flipped, file_cut, file_continued,
)

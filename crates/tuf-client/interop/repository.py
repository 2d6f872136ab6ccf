"""Random repositories, signed by the API of python-tuf: every kind of key, thresholds, delegations by
path and by hash bin, with and without consistent snapshots, lengths and hashes."""

import copy
import random
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp,
)

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")
# the last four would be mischievous as file names
ROLES = ("alpha", "beta", "Gamma-1.0", "delta_~", "../outside", "é role", "?x#y", "..")
NAMES = ("a/file", "a/b/file", "b/1", "b/22", "plain", "with space", "c/é")
PATTERNS = ("*", "*/*", "a/*", "b/?", "?/*", "a/*/*", "*i*", "c*/*", "nothing")


def random_keys(rng, pool):
    """Signers and a threshold that they can meet."""
    signers = rng.sample(pool, rng.randint(1, 3))
    return signers, rng.randint(1, len(signers))


def make_pool():
    """Keys of all kinds; RSA is slow to make."""
    kinds = [CryptoSigner.generate_ed25519, CryptoSigner.generate_ecdsa]
    return [make() for make in kinds for _ in range(6)] + [CryptoSigner.generate_rsa() for _ in range(3)]


class Repository:
    """The signed parts are open to every change until `publish` signs and places them in `files`, by
    URL path."""

    def __init__(self, rng, pool):
        self.rng, self.pool = rng, pool
        self.files = {}
        self.contents = {}
        expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
        self.signed = {
            "root": Root(expires=expires, consistent_snapshot=rng.random() < 0.8),
            "timestamp": Timestamp(expires=expires),
            "snapshot": Snapshot(expires=expires),
            "targets": Targets(expires=expires),
        }
        self.keys = {role: random_keys(rng, pool) for role in TOP_LEVEL}
        self.with_hashes = rng.random() < 0.7
        for role in ROLES[: rng.randint(0, len(ROLES))]:
            self.signed[role] = Targets(expires=expires)
            self.keys[role] = random_keys(rng, pool)
            parents = [parent for parent in self.delegated_and_targets() if parent != role]
            # most are reached along one way, some along two, and some in circles
            for parent in rng.sample(parents, min(len(parents), rng.choice((1, 1, 1, 2)))):
                self.delegate(parent, role)
        for role in self.delegated_and_targets():
            for name in rng.sample(NAMES, rng.randint(0, 3)):
                self.approve(role, name)
        self.publish()

    def delegated_and_targets(self):
        return [role for role in self.signed if role not in TOP_LEVEL[:3]]

    def delegate(self, parent, role):
        delegations = self.signed[parent].delegations or Delegations({}, {})
        self.signed[parent].delegations = delegations
        signers, threshold = self.keys[role]
        if self.rng.random() < 0.3:
            bins = self.rng.sample([f"{number:x}" for number in range(16)], 8)
            scope = {"path_hash_prefixes": bins}
        else:
            scope = {"paths": self.rng.sample(PATTERNS, self.rng.randint(1, 4))}
        ids = [signer.public_key.keyid for signer in signers]
        delegations.roles[role] = DelegatedRole(role, ids, threshold, self.rng.random() < 0.3, **scope)
        for signer in signers:
            delegations.keys[signer.public_key.keyid] = signer.public_key

    def approve(self, role, name):
        consistent = self.signed["root"].consistent_snapshot
        data = f"{name} of {role if consistent else 'anybody'}".encode()
        algorithms = self.rng.choice((["sha256"], ["sha256", "sha512"], ["sha512"]))
        target = TargetFile.from_data(name, data, algorithms)
        self.signed[role].targets[name] = target
        directory, slash, file = name.rpartition("/")
        # any listed hash may be asked for
        hashes = [f"{value}." for value in target.hashes.values()] if consistent else [""]
        for prefix in hashes:
            self.contents["/targets/" + quote(f"{directory}{slash}{prefix}{file}", "/")] = data

    def rotate(self, role):
        """New keys for a top-level role, in a new root."""
        old = self.keys[role]
        self.keys[role] = random_keys(self.rng, [key for key in self.pool if key not in old[0]])
        self.signed["root"].version += 1
        self.place_root(old[0] if role == "root" else [])

    def place_root(self, also=()):
        root = self.signed["root"]
        root.keys.clear()
        for role in TOP_LEVEL:
            signers, threshold = self.keys[role]
            root.roles[role].keyids.clear()
            root.roles[role].threshold = threshold
            for signer in signers:
                root.add_key(signer.public_key, role)
        self.place("root", also)

    def place(self, role, also=()):
        """Signs by enough keys, and says what the next role lists."""
        signed = copy.deepcopy(self.signed[role])
        signers, threshold = self.keys[role]
        metadata = Metadata(signed)
        enough = self.rng.sample(signers, self.rng.randint(threshold, len(signers)))
        for signer in [*enough, *also]:
            metadata.sign(signer, append=True)
        if len(enough) > threshold and self.rng.random() < 0.5:
            # an invalid extra signature does no harm
            extra = metadata.signatures[enough[0].public_key.keyid]
            extra.signature = ("0" if extra.signature[0] != "0" else "1") + extra.signature[1:]
        data = metadata.to_bytes()
        self.files[self.path(role)] = data
        if self.with_hashes:
            return MetaFile.from_data(signed.version, data, ["sha256"])
        return MetaFile(signed.version)

    def path(self, role):
        versioned = role == "root" or (role != "timestamp" and self.signed["root"].consistent_snapshot)
        version = f"{self.signed[role].version}." if versioned else ""
        return f"/metadata/{version}{quote(role, '')}.json"

    def publish(self):
        self.files |= self.contents
        if self.signed["root"].version == 1:
            self.place_root()
            self.first_root = self.files["/metadata/1.root.json"]
        meta = {f"{role}.json": self.place(role) for role in self.delegated_and_targets()}
        self.signed["snapshot"].meta = meta
        self.publish_snapshot()

    def publish_snapshot(self):
        """As `publish`, with the snapshot's own list left as it is."""
        self.signed["timestamp"].snapshot_meta = self.place("snapshot")
        self.place("timestamp")

    def version_up(self, *roles, by=1):
        for role in roles:
            self.signed[role].version += by

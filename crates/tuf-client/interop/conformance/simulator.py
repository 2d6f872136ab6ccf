"""A small repository, signed by the API of python-tuf. Its signed parts are open to every change until
they are published; what was published stays, byte for byte."""

import copy
import json
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from by_hand import sign
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp,
)

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")
KINDS = (Root, Timestamp, Snapshot, Targets)
NOW = datetime.now(timezone.utc).replace(microsecond=0)


class Simulator:
    """`files` by URL path; `signers` by role: all that sign, `old` root keys among them."""

    def __init__(self):
        self.files, self.signers = {}, {}
        self.with_hashes = self.with_lengths = True
        self.signed = {role: kind(expires=NOW + timedelta(days=30)) for role, kind in zip(TOP_LEVEL, KINDS)}
        self.root.consistent_snapshot = True
        for role in TOP_LEVEL:
            self.add_key(role)
        self.first_root = self.place("root")
        self.snapshot.meta["targets.json"] = self.listing("targets", self.place("targets"))
        self.timestamp.snapshot_meta = self.listing("snapshot", self.place("snapshot"))
        self.place("timestamp")

    root = property(lambda self: self.signed["root"])
    timestamp = property(lambda self: self.signed["timestamp"])
    snapshot = property(lambda self: self.signed["snapshot"])
    targets = property(lambda self: self.signed["targets"])

    def add_key(self, role, signer=None):
        signer = signer or CryptoSigner.generate_ed25519()
        self.root.add_key(signer.public_key, role)
        self.signers.setdefault(role, []).append(signer)
        return signer

    def rotate(self, role):
        """Another key instead of those before; the next root is signed by old and new."""
        old = list(self.signers[role])
        for signer in old:
            self.root.revoke_key(signer.public_key.keyid, role)
        self.signers[role] = old if role == "root" else []
        self.add_key(role)

    def delegate(self, parent, role, terminating=False, **scope):
        """To a new key, unless the role has one; by `paths` or `path_hash_prefixes`."""
        self.signed.setdefault(role, Targets(expires=NOW + timedelta(days=30)))
        signers = self.signers.setdefault(role, [CryptoSigner.generate_ed25519()])
        delegations = self.signed[parent].delegations or Delegations({}, {})
        self.signed[parent].delegations = delegations
        ids = [signer.public_key.keyid for signer in signers]
        delegations.roles[role] = DelegatedRole(role, ids, 1, terminating, **(scope or {"paths": ["*"]}))
        delegations.keys |= {signer.public_key.keyid: signer.public_key for signer in signers}

    def approve(self, name, data, role="targets", algorithms=("sha256",)):
        """A target, and its file under every name that may be asked for."""
        target = TargetFile.from_data(name, data, list(algorithms))
        self.signed[role].targets[name] = target
        self.serve(name, data, target)
        return target

    def serve(self, name, data, target):
        folder, slash, file = name.rpartition("/")
        hashes = [f"{value}." for value in target.hashes.values()] if self.root.consistent_snapshot else [""]
        for prefix in hashes:
            self.files["/targets/" + quote(f"{folder}{slash}{prefix}{file}", "/")] = data

    def publish(self, *roles):
        """The next version of these roles, and of what lists them."""
        for role in sorted(roles, key=lambda role: role in TOP_LEVEL[:3]):
            if role not in TOP_LEVEL[:3]:
                self.signed[role].version += 1
                self.snapshot.meta[f"{role}.json"] = self.listing(role, self.place(role))
        if set(roles) - {"root", "timestamp"}:
            self.snapshot.version += 1
            self.timestamp.snapshot_meta = self.listing("snapshot", self.place("snapshot"))
        if set(roles) - {"root"}:
            self.timestamp.version += 1
            self.place("timestamp")
        if "root" in roles:
            self.root.version += 1
            self.place("root")

    def metadata(self, role, signers=None):
        metadata = Metadata(copy.deepcopy(self.signed[role]))
        for signer in self.signers[role] if signers is None else signers:
            metadata.sign(signer, append=True)
        return metadata

    def place(self, role, signers=None, data=None):
        """Serves it as it is now, or these bytes for it."""
        data = data or self.metadata(role, signers).to_bytes()
        self.files[self.path(role)] = data
        return data

    def by_hand(self, role, change=lambda signed: None, spell=lambda data: data):
        """The next version of a role, changed as text before it is signed and as bytes after that."""
        self.with_hashes = self.with_lengths = False
        self.publish(role)
        text = json.loads(self.metadata(role).to_bytes())
        change(text["signed"])
        sign(text, self.signers[role])
        self.place(role, data=spell(json.dumps(text).encode()))

    def path(self, role):
        versioned = role == "root" or (role != "timestamp" and self.root.consistent_snapshot)
        version = f"{self.signed[role].version}." if versioned else ""
        return f"/metadata/{version}{quote(role, '')}.json"

    def listing(self, role, data):
        listing = MetaFile.from_data(self.signed[role].version, data, ["sha256"])
        listing.hashes = listing.hashes if self.with_hashes else None
        listing.length = listing.length if self.with_lengths else None
        return listing

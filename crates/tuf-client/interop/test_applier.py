"""`applier` takes a stick whose metadata the API of python-tuf signed: thresholds, keys of two kinds, our
release facts, and delegations, which it does not follow and which do not disturb it."""

import json
import tempfile
import unittest
from datetime import timedelta
from hashlib import sha256

from securesystemslib.signer import CryptoSigner

from conformance.simulator import NOW, Simulator
from programs import MODEL, World

RELEASE = "nvr-k51-4.61.025-230421"
NAME = f"{RELEASE}/digicap.dav"
FACTS = {"id": RELEASE, "family": "nvr", "models": [MODEL], "version": "V4.61.025", "build": "230421"}
REJECTED, EXPIRED = 5, 10


class Depot(Simulator):
    """Root, targets and timestamp are signed by two of three keys, of two kinds."""

    def __init__(self):
        super().__init__()
        for role in ("root", "targets", "timestamp"):
            self.add_key(role, CryptoSigner.generate_ecdsa())
            self.add_key(role)
            self.root.roles[role].threshold = 2
        self.first_root = self.place("root", self.signers["root"][:2])
        self.firmware(NAME, FACTS)
        self.publish("targets")

    def firmware(self, name, facts, role="targets"):
        target = self.approve(name, name.encode() * 10_000, role)
        target.unrecognized_fields = {"custom": {"format": 1, "release": facts, "later": "ignored"}}

    def signed_by(self, role, signers):
        """As it is, by others."""
        return self.metadata(role, signers).to_bytes()


class SignedByPythonTuf(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.world, self.depot = World(directory.name), Depot()

    def trust(self, root=None, code=0):
        root = root or self.depot.first_root
        (self.world.directory / "root.json").write_bytes(root)
        self.world.applier("trust", "add", "root.json", "--fingerprint", sha256(root).hexdigest(), code=code)

    def verify(self, code=0):
        self.world.place(self.depot.files)
        return self.world.verify(code)

    def test_it_is_verified_whole(self):
        self.trust()
        self.assertEqual(self.verify(), {RELEASE: "whole"})

    def test_any_two_of_three_will_do_and_one_will_not(self):
        self.trust()
        for role in ("timestamp", "targets"):
            signers = self.depot.signers[role]
            for chosen in (signers[:2], signers[1:], signers[::2], signers):
                self.depot.signers[role] = chosen
                self.depot.publish(role)
                self.assertEqual(self.verify(), {RELEASE: "whole"})
            for chosen in ([], *([signer] for signer in signers)):
                self.depot.signers[role] = chosen
                self.depot.publish(role)
                self.verify(REJECTED)
            self.depot.signers[role] = signers
            self.depot.publish(role)

    def test_a_root_by_one_of_two_is_never_believed(self):
        self.trust(self.depot.signed_by("root", self.depot.signers["root"][:1]), REJECTED)

    def test_roots_are_followed(self):
        self.trust()
        self.verify()
        old = self.depot.signers["root"][0]
        self.depot.rotate("timestamp")
        self.depot.rotate("timestamp")
        self.depot.root.roles["timestamp"].threshold = 1
        self.depot.root.revoke_key(old.public_key.keyid, "root")
        self.depot.add_key("root")
        self.depot.publish("root", "timestamp")
        self.assertEqual(self.verify(), {RELEASE: "whole"})
        self.assertEqual(json.loads(self.world.applier("trust", "show", "--json"))["version"], 2)
        self.depot.signers["root"] = self.depot.signers["root"][:2]
        self.depot.publish("root")
        self.verify(REJECTED)

    def test_delegations_do_not_disturb_it(self):
        self.trust()
        other = RELEASE.replace("k51", "k52")
        for role in ("vendor", "../vendor"):
            self.depot.delegate("targets", role, paths=["*/*"])
        self.depot.firmware(f"{other}/digicap.dav", FACTS | {"id": other}, "vendor")
        self.depot.publish("targets", "vendor", "../vendor")
        self.assertEqual(self.verify(), {RELEASE: "whole"})
        # once listed it may not disappear, and that it does not lie on the stick is no matter
        for path in [path for path in self.depot.files if "vendor" in path]:
            del self.depot.files[path]
            (self.world.directory / "stick/COURIER" / path.lstrip("/")).unlink(missing_ok=True)
        self.assertEqual(self.verify(), {RELEASE: "whole"})
        del self.depot.snapshot.meta["vendor.json"]
        self.depot.publish("snapshot")
        self.verify(REJECTED)

    def test_a_kind_of_key_that_it_does_not_know_never_counts(self):
        self.depot.add_key("targets", CryptoSigner.generate_rsa())
        self.depot.publish("root", "targets")
        self.trust()
        self.assertEqual(self.verify(), {RELEASE: "whole"})
        self.depot.signers["targets"] = self.depot.signers["targets"][2:]
        self.depot.publish("targets")
        self.verify(REJECTED)

    def test_damage_age_and_rollback(self):
        self.trust()
        self.verify()
        firmware, = [path for path in self.depot.files if path.startswith("/targets/")]
        good = self.depot.files[firmware]
        self.depot.files[firmware] = good[:-1] + b"?"
        self.verify(REJECTED)
        self.depot.files[firmware] = good
        before = dict(self.depot.files)
        self.depot.publish("targets")
        self.verify()
        self.depot.files |= before
        self.verify(REJECTED)
        self.depot.timestamp.expires = NOW - timedelta(days=1)
        self.depot.publish("timestamp")
        self.verify(EXPIRED)

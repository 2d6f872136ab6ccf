"""Kinds of keys, and what their ids may be."""

import copy
import json

from securesystemslib.signer import CryptoSigner, SSlibKey

from conformance.case import Case

KINDS = {
    "ed25519": CryptoSigner.generate_ed25519(),
    "ecdsa-sha2-nistp256": CryptoSigner.generate_ecdsa(),
    "rsassa-pss-sha256": CryptoSigner.generate_rsa(),
}


class Keys(Case):
    def test_each_kind_for_each_role(self):
        for kind, signer in KINDS.items():
            self.assertEqual(signer.public_key.scheme, kind)
            for role in ("root", "timestamp", "snapshot", "targets"):
                with self.subTest(kind, role=role):
                    self.setUp()
                    self.repo.rotate(role)
                    self.repo.add_key(role, signer)
                    self.repo.root.roles[role].threshold = 2
                    self.repo.publish("root", "targets")
                    self.accepts()
                    self.repo.signers[role].remove(signer)
                    self.repo.publish("root", "targets")
                    self.refuses()

    def test_the_type_of_an_ecdsa_key_as_older_repositories_write_it(self):
        ecdsa = KINDS["ecdsa-sha2-nistp256"].public_key
        older = SSlibKey("any", "ecdsa-sha2-nistp256", ecdsa.scheme, ecdsa.keyval, {"x-tuf-on-ci-keyowner": "@me"})
        self.repo.rotate("timestamp")
        self.repo.signers["timestamp"] = [Renamed(KINDS["ecdsa-sha2-nistp256"], older)]
        for keyid in list(self.repo.root.roles["timestamp"].keyids):
            self.repo.root.revoke_key(keyid, "timestamp")
        self.repo.root.add_key(older, "timestamp")
        self.repo.publish("root", "timestamp")
        self.accepts()
        self.assertIn(b"keyowner", self.client.stored()["root.json"])

    def test_ids_are_only_names(self):
        for number, name in enumerate(("x", "0" * 64, "key of ö, № 1", "../a", "A" * 300)):
            with self.subTest(name):
                signer = CryptoSigner.generate_ed25519()
                key = copy.copy(signer.public_key)
                key.keyid = name
                for keyid in list(self.repo.root.roles["snapshot"].keyids):
                    self.repo.root.revoke_key(keyid, "snapshot")
                self.repo.root.add_key(key, "snapshot")
                self.repo.signers["snapshot"] = [Renamed(signer, key)]
                self.repo.publish("root", "snapshot")
                self.accepts()
                self.assert_versions(root=number + 2, timestamp=number + 2, snapshot=number + 2, targets=1)

    def test_a_signature_under_the_id_of_another_key_does_not_count(self):
        first = self.repo.signers["timestamp"][0]
        second = self.repo.add_key("timestamp")
        self.repo.root.roles["timestamp"].threshold = 2
        self.repo.publish("root")
        for signers, good in (((first, second), True), ((first, Renamed(first, second.public_key)), False),
                              ((Renamed(second, first.public_key), Renamed(first, second.public_key)), False)):
            self.repo.signers["timestamp"] = signers
            self.repo.publish("timestamp")
            self.start()
            self.assertEqual(self.client.refresh(), good)

    def test_two_signatures_under_one_id_are_refused(self):
        for role in ("timestamp", "snapshot", "targets"):
            with self.subTest(role):
                self.setUp()
                self.repo.with_hashes = self.repo.with_lengths = False
                self.repo.publish("targets")
                text = self.repo.metadata(role).to_dict()
                text["signatures"] *= 2
                self.repo.place(role, data=json.dumps(text).encode())
                self.refuses()

    def test_an_id_listed_twice_in_a_role_is_refused(self):
        def twice(root):
            root["roles"]["timestamp"]["keyids"] *= 2
            root["roles"]["timestamp"]["threshold"] = 2

        self.repo.by_hand("root", twice)
        self.refuses()
        self.assert_versions(root=1)

    def test_an_id_without_a_key_does_not_count_and_does_no_harm(self):
        def ghost(root):
            root["roles"]["timestamp"]["keyids"].append("nobody")

        self.repo.by_hand("root", ghost)
        self.accepts()

    def test_a_key_that_is_none_does_not_count_and_does_no_harm(self):
        def nonsense(root):
            root["keys"]["bad"] = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "no key"}}
            root["roles"]["timestamp"]["keyids"].append("bad")

        self.repo.by_hand("root", nonsense)
        self.accepts()

    def test_a_threshold_of_nothing_is_refused(self):
        def none(root):
            root["roles"]["timestamp"]["threshold"] = 0

        self.repo.by_hand("root", none)
        self.refuses()

    def test_a_signature_that_is_none_does_no_harm(self):
        # tuf-on-ci leaves an empty one for whoever has yet to sign
        stranger = CryptoSigner.generate_ed25519().public_key
        for sig in ("", "zz", "00"):
            self.repo.publish("timestamp")
            text = self.repo.metadata("timestamp").to_dict()
            text["signatures"].append({"keyid": stranger.keyid, "sig": sig})
            self.repo.place("timestamp", data=json.dumps(text).encode())
            self.accepts()


class Renamed:
    """Signs as one key, and says that it was another."""

    def __init__(self, signer, key):
        self.signer, self.public_key = signer, key

    def sign(self, payload):
        signature = self.signer.sign(payload)
        signature.keyid = self.public_key.keyid
        return signature

"""Where our client and python-tuf's differ, and mean to: `docs/tuf-clauses.md` lists these very tests. Each
says what either makes of one repository; should python-tuf change its mind, its test fails."""

from clients import Ours, whole
from conformance.case import Case
from conformance.test_documents import field, nested
from conformance.test_http import redirect
from conformance.test_keys import Renamed


class Differences(Case):
    def makes(self, ours, theirs, *names):
        """Which of the two takes it."""
        done = self.client.download(*names) if names else self.client.refresh()
        self.assertEqual(done, ours if self.kind is Ours else theirs, self.client.said)

    def by_hand(self, role, change=lambda signed: None, spell=lambda data: data):
        self.setUp()
        self.repo.by_hand(role, change, spell)

    # stricter

    def test_a_member_named_twice(self):
        for first in (b"2", b"1", b"{}"):
            self.by_hand("timestamp", spell=lambda data: data.replace(b'"spec', b'"version": ' + first + b', "spec'))
            self.makes(False, True)

    def test_integers_of_more_than_64_bits(self):
        for number in (2**64, -(2**63) - 1, 10**40):
            self.by_hand("timestamp", field(x=number))
            self.makes(False, True)

    def test_depths_of_more_than_127(self):
        self.by_hand("timestamp", field(x=nested(125)))
        self.makes(True, True)
        self.by_hand("timestamp", field(x=nested(130)))
        self.makes(False, True)

    def test_values_of_another_type(self):
        for wrong in (field(consistent_snapshot=1), lambda signed: signed["roles"]["targets"].update(threshold=True),
                      lambda signed: signed["roles"]["targets"]["keyids"].append(None)):
            self.by_hand("root", wrong)
            self.makes(False, True)

    def test_one_key_under_two_ids_counts_once(self):
        signer = self.repo.signers["timestamp"][0]
        twin = type(signer.public_key)("twin", "ed25519", "ed25519", signer.public_key.keyval)
        self.repo.add_key("timestamp", Renamed(signer, twin))
        self.repo.root.roles["timestamp"].threshold = 2
        self.repo.publish("root", "timestamp")
        self.makes(False, True)

    def test_only_sha256_and_sha512_prove_anything(self):
        for algorithm in ("md5", "sha1", "blake2b"):
            self.setUp()
            self.repo.approve("file", b"content", algorithms=[algorithm])
            self.repo.publish("targets")
            self.makes(False, True, "file")

    def test_succinct_delegations_are_not_in_the_specification(self):
        def succinct(signed):
            signed["delegations"] = {
                "keys": {}, "succinct_roles": {"keyids": [], "threshold": 1, "bit_length": 2, "name_prefix": "bin"},
            }

        self.by_hand("targets", succinct)
        self.makes(False, True)

    def test_only_two_characters_of_a_pattern_stand_for_others(self):
        self.repo.delegate("targets", "A", paths=["[ab]"])
        for name in ("a", "[ab]"):
            self.repo.approve(name, b"content", "A")
        self.repo.publish("targets", "A")
        self.makes(False, True, "a")
        self.makes(True, False, "[ab]")

    def test_a_timestamp_signed_after_its_expiry(self):
        self.by_hand("timestamp", field(custom={"signed_at": "2095-01-01T00:00:00Z"}))
        self.makes(False, True)

    def test_redirects_are_not_followed(self):
        self.server.files["/elsewhere"] = self.repo.files["/metadata/timestamp.json"]
        self.server.send = lambda handler, *answer: (
            redirect if "timestamp" in handler.path else whole
        )(handler, *answer)
        self.makes(False, True)

    def test_names_of_targets_that_wander(self):
        for name in ("a//file", "file/", "a\\b"):
            self.setUp()
            self.repo.approve("file", b"content")
            self.repo.approve(name, b"content")
            self.repo.publish("targets")
            self.makes(False, True, name)

    # more lenient

    def test_a_key_of_an_unknown_kind_spoils_no_root(self):
        def odd(signed):
            signed["keys"]["odd"] = {"keytype": "later", "scheme": "later", "keyval": {"public": "?"}}
            signed["roles"]["timestamp"]["keyids"].append("odd")

        self.by_hand("root", odd)
        self.makes(True, False)

    def test_a_role_that_root_need_not_have(self):
        self.by_hand("root", lambda signed: signed["roles"].update(mirrors=signed["roles"]["targets"]))
        self.makes(True, False)

    def test_an_unknown_algorithm_beside_a_known_one(self):
        target = self.repo.approve("file", b"content")
        target.hashes["blake9"] = "00"
        self.repo.publish("targets")
        self.makes(True, False, "file")

    def test_files_may_be_larger(self):
        for role, size in (("root", 520_000), ("timestamp", 60_000), ("snapshot", 3_000_000), ("targets", 6_000_000)):
            self.by_hand(role, field(x="x" * size))
            self.makes(True, False)
        for role, size in (("root", 530_000), ("timestamp", 70_000), ("snapshot", 4_300_000)):
            self.by_hand(role, field(x="x" * size))
            self.makes(False, False)

    # otherwise

    def test_a_stored_file_of_the_same_version_and_another_hash_is_read_again(self):
        self.assertTrue(self.client.refresh())
        self.repo.snapshot.unrecognized_fields = {"x": "the same version, and another file"}
        self.repo.timestamp.snapshot_meta = self.repo.listing("snapshot", self.repo.place("snapshot"))
        self.repo.publish("timestamp")
        self.assertTrue(self.client.refresh())
        read_again = self.client.stored()["snapshot.json"] == self.repo.files["/metadata/1.snapshot.json"]
        self.assertEqual(read_again, self.kind is Ours)

    def test_names_are_encoded_in_urls(self):
        for name in ("a#b", "%2e%2e"):
            self.setUp()
            self.repo.approve(name, b"content")
            self.repo.publish("targets")
            self.makes(True, False, name)

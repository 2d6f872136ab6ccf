"""Init and refresh: what is asked for, what is stored, what is refused from the first moment."""

import json

from conformance.case import Case
from conformance.simulator import Simulator

ORDER = ("2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json")


class Basic(Case):
    def test_init_asks_for_nothing_and_refresh_in_the_order_of_the_workflow(self):
        self.server.requests.clear()
        self.start()
        self.assert_asked()
        self.accepts()
        self.assert_asked(*ORDER)
        self.assert_versions(root=1, timestamp=1, snapshot=1, targets=1)

    def test_what_is_known_is_not_asked_for_again(self):
        self.accepts()
        self.accepts()
        self.assert_asked("2.root.json", "timestamp.json")
        self.repo.publish("timestamp")
        self.accepts()
        self.assert_asked("2.root.json", "timestamp.json")
        self.repo.publish("targets")
        self.accepts()
        self.assert_asked("2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json")
        self.assert_versions(root=1, timestamp=3, snapshot=2, targets=2)

    def test_metadata_is_stored_byte_for_byte(self):
        # spelled as no signer here would spell it
        for role in ("timestamp", "snapshot", "targets"):
            pretty = json.dumps(json.loads(self.repo.files[self.repo.path(role)]), indent=7).encode() + b"\n"
            self.repo.place(role, data=pretty)
        targets = self.repo.files["/metadata/1.targets.json"]
        self.repo.snapshot.meta["targets.json"] = self.repo.listing("targets", targets)
        pretty = json.dumps(self.repo.metadata("snapshot").to_dict(), indent=3).encode()
        self.repo.place("snapshot", data=pretty)
        self.repo.timestamp.snapshot_meta = self.repo.listing("snapshot", pretty)
        self.repo.place("timestamp")
        self.accepts()
        self.assertEqual(self.client.stored(), {
            "root.json": self.repo.first_root,
            "timestamp.json": self.repo.files["/metadata/timestamp.json"],
            "snapshot.json": pretty,
            "targets.json": targets,
        })

    def test_unknown_fields_are_signed_and_stored_like_all_others(self):
        extra = {"x-tuf-on-ci-expiry-period": 365, "custom": {"ö": [None, True, {"a": -1}]}}
        for role in ("timestamp", "snapshot", "targets", "root"):
            self.repo.signed[role].unrecognized_fields = dict(extra)
        self.repo.publish("root", "targets")
        self.accepts()
        self.assert_versions(root=2, timestamp=2, snapshot=2, targets=2)
        self.assertIn(b"expiry-period", self.client.stored()["timestamp.json"])

    def test_an_unsigned_first_root_is_refused(self):
        for root in (self.repo.metadata("root", []), self.repo.metadata("root", self.repo.signers["targets"])):
            self.assertFalse(self.start(root.to_bytes()) and self.client.refresh())
            self.assertNotIn("timestamp.json", self.client.stored())

    def test_a_first_root_that_is_none_is_refused(self):
        for data in (b"", b"{}", b"no root", self.repo.files["/metadata/timestamp.json"]):
            self.assertFalse(self.start(data) and self.client.refresh(), data)

    def test_the_first_root_may_be_of_any_version(self):
        self.repo.root.version = 41
        self.start(self.repo.place("root"))
        self.accepts()
        self.assert_asked("42.root.json", *ORDER[1:])

    def test_every_role_must_be_there(self):
        for path in [path for path in self.repo.files if "root" not in path]:
            with self.subTest(path):
                self.start()
                taken = self.repo.files.pop(path)
                self.refuses()
                self.repo.files[path] = taken
                self.accepts()

    def test_names_without_versions_where_snapshots_are_not_consistent(self):
        self.repo.root.consistent_snapshot = False
        for role in ("root", "targets", "snapshot"):
            self.repo.place(role)
        self.repo.approve("a/file", b"content")
        self.repo.publish("targets")
        self.start(self.repo.files["/metadata/1.root.json"])
        self.accepts("a/file")
        self.assert_asked(ORDER[0], "timestamp.json", "snapshot.json", "targets.json", "targets/a/file")

    def test_a_later_root_may_change_that(self):
        self.accepts()
        self.repo.root.consistent_snapshot = False
        self.repo.publish("root", "targets")
        for role in ("targets", "snapshot"):
            self.repo.place(role)
        self.accepts()
        self.assert_asked("2.root.json", "3.root.json", "timestamp.json", "snapshot.json", "targets.json")
        self.repo.root.consistent_snapshot = True
        self.repo.publish("root")
        self.repo.publish("targets")
        self.accepts()
        self.assert_asked("3.root.json", "4.root.json", "timestamp.json", "3.snapshot.json", "3.targets.json")

    def test_listings_need_neither_hashes_nor_lengths(self):
        for hashes, lengths in ((False, False), (True, False), (False, True)):
            self.repo = Simulator()
            self.repo.with_hashes, self.repo.with_lengths = hashes, lengths
            self.repo.publish("targets")
            self.start()
            self.accepts()
            self.assert_versions(root=1, timestamp=2, snapshot=2, targets=2)

    def test_another_major_of_the_specification_is_refused(self):
        for written, taken in (("1.0", True), ("1.99.7", True), ("2.0.0", False), ("0.9.0", False)):
            self.repo.by_hand("timestamp", lambda signed: signed.update(spec_version=written))
            self.start()
            self.assertEqual(self.client.refresh(), taken, written)

    def test_metadata_of_another_kind_is_refused(self):
        for role, other in (("timestamp", "snapshot"), ("snapshot", "targets"), ("targets", "snapshot")):
            self.repo = Simulator()
            # signed by the right key
            data = self.repo.metadata(other, self.repo.signers[role]).to_bytes()
            self.repo.with_hashes = self.repo.with_lengths = False
            self.repo.snapshot.meta["targets.json"] = self.repo.listing("targets", b" ")
            self.repo.timestamp.snapshot_meta = self.repo.listing("snapshot", self.repo.place("snapshot"))
            self.repo.place("timestamp")
            self.repo.place(role, data=data)
            self.start()
            self.refuses()


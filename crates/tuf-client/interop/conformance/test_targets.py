"""Downloads: what is fetched, under which name it is stored, and what never is."""

from urllib.parse import quote

from conformance.case import Case


class Downloads(Case):
    def approve(self, *names):
        targets = [self.repo.approve(name, f"content of {name}".encode()) for name in names]
        self.repo.publish("targets")
        return targets

    def files(self):
        return {path.name: path.read_bytes() for path in self.client.targets.iterdir()}

    def test_by_hash_in_the_order_asked_for(self):
        one, two = self.approve("one", "folder/two")
        self.accepts("folder/two", "one")
        hashes = two.hashes["sha256"], one.hashes["sha256"]
        self.assertEqual(self.server.requests[-2:], [f"/targets/folder/{hashes[0]}.two", f"/targets/{hashes[1]}.one"])
        self.assertEqual(self.files(), {"one": b"content of one", "folder%2Ftwo": b"content of folder/two"})

    def test_the_first_failure_is_the_last(self):
        self.approve("one", "two")
        self.refuses("one", "none", "two")
        self.assertEqual(self.files(), {"one": b"content of one"})

    def test_what_is_there_is_not_fetched_again(self):
        self.approve("one", "two")
        self.accepts("one")
        self.accepts("one", "two", "one")
        self.assertEqual(len([path for path in self.server.requests if "/targets/" in path]), 1)

    def test_what_is_there_and_wrong_is(self):
        self.approve("one")
        self.accepts("one")
        for wrong in (b"", b"content of one ", b"content of 0ne", b"content"):
            (self.client.targets / "one").write_bytes(wrong)
            self.accepts("one")
            self.assertEqual(self.files(), {"one": b"content of one"})

    def test_changes_of_a_target(self):
        for number in range(3):
            data = b"x" * number
            target = self.repo.approve("file", data)
            self.repo.publish("targets")
            self.accepts("file")
            self.assertEqual(self.files(), {"file": data})
            # the same metadata, and another file behind it
            self.repo.serve("file", b"exchanged", target)
            self.accepts("file")
            self.assertEqual(self.files(), {"file": data})

    def test_wrong_content_leaves_nothing(self):
        target, = self.approve("file")
        for wrong in (b"content of filE", b"content of fil", b"content of file.", b"", b"x" * 1_000_000):
            self.repo.serve("file", wrong, target)
            self.refuses("file")
            self.assertEqual(self.files(), {})

    def test_wrong_content_leaves_what_was_there(self):
        self.approve("file")
        self.accepts("file")
        target = self.repo.approve("file", b"newer")
        self.repo.publish("targets")
        self.repo.serve("file", b"never", target)
        self.refuses("file")
        self.assertEqual(self.files(), {"file": b"content of file"})

    def test_a_target_without_a_file(self):
        self.approve("file")
        path, = [path for path in self.repo.files if "/targets/" in path]
        for status in (404, 403, 500):
            self.server.statuses = {path: status}
            self.refuses("file")
        self.assertEqual(self.files(), {})

    def test_names_are_encoded_in_the_url_and_in_the_store(self):
        for name in ("with space", "é/ü", "100%", "a+b&c=d;e", "a:b@c", "'(!*)'", "~a", "a/.hidden", "..."):
            with self.subTest(name):
                self.setUp()
                self.approve(name)
                self.accepts(name)
                self.assertEqual(self.files(), {quote(name, ""): f"content of {name}".encode()})

    def test_empty_and_large_targets(self):
        large = bytes(range(256)) * 8192
        for name, data in (("empty", b""), ("large", large)):
            self.repo.approve(name, data)
        self.repo.publish("targets")
        self.accepts("empty", "large")
        self.assertEqual(self.files(), {"empty": b"", "large": large})

    def test_every_listed_hash_must_fit(self):
        for algorithms in (["sha512"], ["sha256", "sha512"]):
            self.repo.approve("file", b"content", algorithms=algorithms)
            self.repo.publish("targets")
            self.start()
            self.accepts("file")
        for algorithm in ("sha256", "sha512"):
            target = self.repo.approve("file", b"content", algorithms=["sha256", "sha512"])
            target.hashes[algorithm] = "0" * len(target.hashes[algorithm])
            self.repo.serve("file", b"content", target)
            self.repo.publish("targets")
            self.start()
            self.refuses("file")

    def test_custom_facts_do_not_matter(self):
        self.repo.approve("file", b"content").unrecognized_fields = {"custom": {"a": [1, {"b": None}]}, "x": "y"}
        self.repo.publish("targets")
        self.accepts("file")

    def test_a_target_that_only_unknown_algorithms_describe_is_never_fetched(self):
        self.one_target(hashes={"blake9": "00"})
        self.accepts()
        self.accepts("good")
        self.refuses("odd")
        self.assertNotIn("odd", self.files())

    def test_a_target_of_a_name_that_wanders_spoils_no_other(self):
        self.one_target(name="../odd")
        self.accepts("good")
        self.assertEqual(self.files(), {"good": b"content of good"})

    def one_target(self, name="odd", **change):
        """Beside a good one, a target that was changed by hand."""
        self.repo.approve("good", b"content of good")
        target = self.repo.approve(name, b"content")
        listed = {name: target.to_dict() | change}
        self.repo.by_hand("targets", lambda signed: signed["targets"].update(listed))

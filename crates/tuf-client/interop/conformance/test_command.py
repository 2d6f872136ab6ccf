"""The example client as a program: 0 or 1, whatever happens to it."""

import os
import socket
import subprocess

from clients import PROGRAM, Ours, whole
from conformance.case import Case


class Program(Case):
    clients = (Ours,)

    def setUp(self):
        super().setUp()
        self.repo.approve("file", b"content")
        self.repo.publish("targets")

    def code(self, *arguments, **options):
        """The exit code with these arguments and no others."""
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
        return subprocess.run([PROGRAM, *arguments], check=False, **options).returncode

    def all(self, command="download", name="file", **other):
        """Every option there is, some of them otherwise."""
        options = {
            "metadata-dir": self.client.metadata, "metadata-url": f"{self.server.url}/metadata",
            "target-name": name, "target-dir": self.client.targets, "target-base-url": f"{self.server.url}/targets",
        } | other
        return [part for key, value in options.items() if value for part in (f"--{key}", value)] + [command]

    def test_all_is_well(self):
        self.assertEqual(self.code(*self.all()), 0)
        self.assertEqual(self.code("--help"), 0)

    def test_usage(self):
        for arguments in (
            (), ("refresh",), ("--no-such-flag",), ("no-command",), self.all("init"), self.all("refresh") + ["more"],
            [*self.all(), "--target-name"], [os.fsencode(part) for part in self.all()[:-1]] + [b"\xff"],
        ):
            self.assertEqual(self.code(*arguments), 1, arguments)

    def test_options_that_are_missing_or_lead_nowhere(self):
        nowhere = self.client.directory / "given"
        for other in ("metadata-dir", "metadata-url", "target-dir", "target-base-url"):
            self.assertEqual(self.code(*self.all(**{other: None})), 1, other)
        for directory in ("metadata-dir", "target-dir"):
            self.assertEqual(self.code(*self.all(**{directory: nowhere})), 1, directory)
        for url in ("", "nonsense", "http://", "ftp://127.0.0.1/", "http://[::1", "http://127.0.0.1:99999/"):
            self.assertEqual(self.code(*self.all(**{"metadata-url": url or " "})), 1, url)
        only_metadata = {"name": None, "target-dir": None, "target-base-url": None}
        self.assertEqual(self.code(*self.all("refresh", **only_metadata)), 0)

    def test_bases_with_and_without_a_slash(self):
        for slash in ("", "/", "//"):
            self.start()
            bases = {"metadata-url": "metadata", "target-base-url": "targets"}
            bases = {option: f"{self.server.url}/{base}{slash}" for option, base in bases.items()}
            self.assertEqual(self.code(*self.all(**bases)), 0, slash)

    def test_names_of_targets_that_wander(self):
        for name in ("..", ".", "../file", "/file", "/", "a/../file", "file/", "a//file", "\\", "a\nb", "é" * 600):
            self.assertEqual(self.code(*self.all(name=name)), 1, name)
        self.assertEqual(list(self.client.targets.iterdir()), [])

    def test_init_without_a_root(self):
        state = self.client.directory / "state"
        for root in ("/", "/nowhere", "/dev/null"):
            self.assertEqual(self.code("--metadata-dir", state, "init", root), 1, root)
        self.assertEqual(self.code("--metadata-dir", state, "refresh"), 1)

    def test_init_again(self):
        given = self.client.directory / "given"
        self.assertEqual(self.code("--metadata-dir", self.client.metadata, "init", given), 0)

    def test_nobody_reads_what_it_says(self):
        read, write = os.pipe()
        os.close(read)
        try:
            for stream in ("stdout", "stderr"):
                nowhere = self.all(**{"metadata-dir": "/nowhere"})
                for arguments in (self.all(name="none"), nowhere, ["--no-such-flag"]):
                    self.assertEqual(self.code(*arguments, **{stream: write}), 1, arguments)
            self.assertEqual(self.code(*self.all(), stdout=write, stderr=write), 0)
            self.assertIn(self.code("--help", stdout=write), (0, 1))
        finally:
            os.close(write)

    def test_no_streams_at_all(self):
        for arguments, expected in ((self.all(), 0), (self.all(name="none"), 1)):
            closed = subprocess.run(["sh", "-c", '"$0" "$@" <&- >&- 2>&-', PROGRAM, *arguments], check=False)
            self.assertEqual(closed.returncode, expected)

    def test_the_server_goes_away_while_it_is_asked(self):
        def gone(handler, *_):
            handler.connection.shutdown(socket.SHUT_RDWR)

        self.server.send = gone
        self.assertEqual(self.code(*self.all()), 1)
        self.server.send = whole
        self.assertEqual(self.code(*self.all()), 0)

    def test_a_proxy_is_not_asked(self):
        proxies = {name: "http://127.0.0.1:9/" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
        self.assertEqual(self.code(*self.all(), env=os.environ | proxies), 0)

    def test_a_link_in_the_place_of_a_target_is_replaced(self):
        (self.client.targets / "file").symlink_to("/dev/zero")
        self.assertEqual(self.code(*self.all()), 0)
        self.assertEqual((self.client.targets / "file").read_bytes(), b"content")
        self.assertFalse((self.client.targets / "file").is_symlink())

    def test_directories_that_are_full_or_cannot_be_written(self):
        self.repo.approve("file", bytes(100_000))
        self.repo.publish("targets")
        self.assertEqual(self.code(*self.all()), 0)
        # root needs no user namespace, and cannot have one in a chroot (user_namespaces(7))
        root = subprocess.run(["unshare", "--mount", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0
        unshare = ["unshare", "--mount"] if root else ["unshare", "--map-root-user", "--mount"]
        mounted = [*unshare, "sh", "-c", 'mount -t tmpfs -o "$0" none "$1" && shift && exec "$@"']
        for options in ("ro", "size=16k"):
            for directory in (self.client.targets, self.client.metadata):
                command = [*mounted, options, directory, PROGRAM, *self.all()]
                ended = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
                self.assertEqual(ended.returncode, 1)
                self.assertIn("error: ", ended.stderr)
                self.assertEqual(self.code(*self.all()), 0, "and nothing has changed")

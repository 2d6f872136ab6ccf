"""What may happen between client and server, and ends in bytes or in a refusal."""

import socket
from hashlib import sha256

from clients import Ours, Server, whole
from conformance.case import Case


def chunked(handler, status, data):
    handler.send_response(status)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    # in pieces of three bytes, each a packet of its own
    for at in range(0, len(data), 3):
        piece = data[at : at + 3]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.flush()
    handler.wfile.write(b"0\r\n\r\n")


def to_the_end_of_the_connection(handler, status, data):
    handler.send_response(status)
    handler.end_headers()
    handler.wfile.write(data)
    handler.close_connection = True


def kept_alive(handler, status, data):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def kept_alive_and_closed(handler, status, data):
    kept_alive(handler, status, data)
    handler.close_connection = True


def cut(handler, status, data):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.close_connection = True


def chunks_cut(handler, status, data):
    handler.send_response(status)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
    handler.close_connection = True


def silent(handler, _status, _data):
    handler.close_connection = True


def endless(handler, status, data):
    handler.send_response(status)
    handler.end_headers()
    while True:
        handler.wfile.write(data + b" " * 65536)


def no_http(handler, _status, data):
    handler.wfile.write(data)
    handler.close_connection = True


def redirect(handler, _status, _data):
    handler.send_response(302)
    handler.send_header("Location", "/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


CONTENT = b"content" * 1000
PATHS = (
    "/metadata/timestamp.json", "/metadata/2.snapshot.json", "/metadata/2.targets.json",
    f"/targets/{sha256(CONTENT).hexdigest()}.file",
)


class Http(Case):
    def setUp(self):
        super().setUp()
        self.repo.approve("file", CONTENT)
        self.repo.publish("targets")

    def only(self, path, send):
        """Delivers this path otherwise, and all others as usual."""
        self.server.send = lambda handler, *answer: (send if handler.path == path else whole)(handler, *answer)

    def test_ways_of_delivering(self):
        for send in (chunked, to_the_end_of_the_connection, kept_alive, kept_alive_and_closed):
            with self.subTest(send.__name__):
                self.setUp()
                self.server.send = send
                self.accepts("file")
                self.assertEqual(self.client.downloaded("file"), CONTENT)

    def test_what_is_not_delivered_whole_is_refused(self):
        for send in (cut, chunks_cut, silent, endless, no_http):
            for path in PATHS:
                with self.subTest(send.__name__, path=path):
                    self.setUp()
                    self.only(path, send)
                    self.refuses("file")
                    self.assertEqual(list(self.client.targets.iterdir()), [])

    def test_nothing_but_the_file_itself_is_asked_for(self):
        self.server.headers.clear()
        self.accepts("file")
        for headers in self.server.headers:
            encoding = headers.get("Accept-Encoding", "identity")
            self.assertEqual(encoding, "identity")
            self.assertNotIn("Range", headers)

    def test_nobody_listens(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.client.url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            self.refuses("file")

    def test_ipv6(self):
        try:
            server = Server("::1")
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        self.addCleanup(server.close)
        server.files = self.repo.files
        self.client.url = server.url
        self.accepts("file")

    def test_a_base_with_a_path(self):
        self.server.files = {f"/a%20b/c{path}": data for path, data in self.repo.files.items()}
        self.client.url += "/a%20b/c"
        self.accepts("file")

    def test_a_redirect_is_no_answer(self):
        if self.kind is Ours:
            self.server.send = redirect
            self.refuses("file")
            self.assert_asked("2.root.json")

"""The real web server, on real sockets: what it refuses, and that nobody stops it for others."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.config.installation import Installation

PATIENCE_S = 90
USERS = b"/scim/v2/Users"


class Server:
    """A running Alta, and a token for it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.secret = installation.manage("scim_token", "generate", "--provider", "okta")

    def head(self, *lines: bytes, target: bytes = USERS, method: bytes = b"POST") -> bytes:
        """Return a request's head: the lines given after those that every one here has."""
        every = [
            method + b" " + target + b" HTTP/1.1",
            b"Host: 127.0.0.1:%d" % self.installation.port,
            b"Authorization: Bearer " + self.secret.encode(),
            b"Content-Type: application/scim+json",
        ]
        return b"\r\n".join([*every, *lines, b"", b""])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.installation.port), PATIENCE_S)

    def ask(self, data: bytes, *, finish: bool = False) -> tuple[int, str, bytes]:
        """Send bytes as they are; return the status, the head and the body of what comes back.

        Status 0: the connection was closed without a word. `finish` says that no more comes.
        """
        with self.connect() as connection:
            connection.sendall(data)
            if finish:
                connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection)
            try:
                response.begin()
            except http.client.RemoteDisconnected:
                return 0, "", b""
            return response.status, str(response.msg), response.read()

    def get(self, path: str) -> int:
        """Return the status of a page, asked for with patience."""
        connection = http.client.HTTPConnection("127.0.0.1", self.installation.port, PATIENCE_S)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.secret}"})
        status = connection.getresponse().status
        connection.close()
        return status

    def knows(self, name: str) -> bool:
        """Return whether a user of this name was created."""
        query = f"/scim/v2/Users?filter=userName%20eq%20%22{name}%22".encode()
        status, _, body = self.ask(self.head(target=query, method=b"GET"))
        assert status == 200
        return bool(json.loads(body)["totalResults"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    installation = Installation(Path(tmp_path_factory.mktemp("http")))
    try:
        installation.start()
        yield Server(installation)
    finally:
        installation.clear()


def user(name: str) -> bytes:
    return json.dumps({"userName": name}).encode()


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_a_whole_body_is_read_with_its_length_or_in_chunks(server):
    body = user("whole")
    assert server.ask(server.head(b"Content-Length: %d" % len(body)) + body)[0] == 201
    body = user("pieces")
    pieces = chunked(body[:5]) + chunked(body[5:]) + b"0\r\n\r\n"
    assert server.ask(server.head(b"Transfer-Encoding: chunked") + pieces)[0] == 201
    assert server.knows("whole")
    assert server.knows("pieces")


def test_a_body_that_is_not_whole_changes_nothing(server):
    body, chunks = user("half"), server.head(b"Transfer-Encoding: chunked")
    for sent in (
        server.head(b"Content-Length: %d" % (len(body) + 7)) + body,
        chunks + chunked(body),
        chunks + chunked(body) + b"zz\r\n",
        chunks + b"%x\r\n%b" % (len(body) + 7, body),
    ):
        status, head, _ = server.ask(sent, finish=True)
        assert status in (400, 0), sent
        assert not status or "close" in head
    assert not server.knows("half")


@pytest.mark.parametrize("line", [b"gzip, chunked", b"chunked, chunked", b"identity, chunked"])
def test_another_transfer_coding_is_not_implemented(server, line):
    body = chunked(user("coded")) + b"0\r\n\r\n"
    assert server.ask(server.head(b"Transfer-Encoding: " + line) + body)[0] in (400, 501)
    assert not server.knows("coded")


@pytest.mark.parametrize("first", [b"Content-Length: 3", b"Transfer-Encoding: chunked"])
def test_after_two_ways_to_frame_a_body_the_connection_is_closed(server, first):
    """RFC 9112 §6.3: what an intermediary took for a second request is never answered."""
    both = {b"Content-Length: 3", b"Transfer-Encoding: chunked"}
    body = chunked(user("framed")) + b"0\r\n\r\n" + server.head(target=b"/x", method=b"GET")
    with server.connect() as connection:
        connection.sendall(server.head(first, *(both - {first})) + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer.lower()


def test_a_target_that_names_another_host_is_refused(server):
    elsewhere = server.head(method=b"GET", target=b"http://evil.example/scim/v2/Users")
    assert server.ask(elsewhere)[0] == 400
    here = b"http://127.0.0.1:%d/scim/v2/Users" % server.installation.port
    assert server.ask(server.head(method=b"GET", target=here))[0] == 200


def test_a_method_in_small_letters_is_another_method(server):
    status, _, body = server.ask(server.head(method=b"get"))
    assert status == 501
    assert json.loads(body)["status"] == "501"


def test_a_header_with_an_underscore_passes_for_no_other(server):
    head = server.head(method=b"GET").replace(b"Authorization:", b"Authorization_:")
    assert server.ask(head.replace(b"Authorization_:", b"authorization:"))[0] == 200
    assert server.ask(server.head(b"Content_Length: 9", method=b"GET"))[0] == 200


def test_too_large_is_said_before_the_body_comes(server):
    over = b"Content-Length: %d" % (8 * 1024 * 1024 + 1)
    status, _, body = server.ask(server.head(over))
    assert (status, json.loads(body)["status"]) == (413, "413")
    flood = b"".join([chunked(b" " * 65536)] * 129)
    assert server.ask(server.head(b"Transfer-Encoding: chunked") + flood)[0] == 413
    form = [b"Content-Type: multipart/form-data; boundary=x", b"Content-Length: 150000000"]
    status, _, body = server.ask(server.head(*form, target=b"/entrar/"))
    assert status == 413
    assert "La petición es demasiado grande" in body.decode()


@pytest.mark.parametrize("path", ["/entrar/", "/scim/v2/Users"])
def test_slow_requests_do_not_stop_the_others(server, path):
    """Each keeps its connection; what answers the others is not theirs to keep."""
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(server.connect()).sendall(b"GET / HTTP/1.1\r\nHost: a")
        for _ in range(60):
            head = server.head(b"Content-Length: 1000", target=path.encode())
            stack.enter_context(server.connect()).sendall(head + b"u")
        for target in ("/health/live", "/entrar/", "/scim/v2/Users?count=1"):
            assert server.get(target) == 200


def test_hundreds_of_idle_connections_do_not_stop_the_others(server):
    with ExitStack() as stack:
        for _ in range(700):
            stack.enter_context(server.connect())
        assert server.get("/health/ready") == 200
        stack.enter_context(server.connect())
    assert server.get("/health/ready") == 200


def test_a_slow_body_is_given_up(server):
    status, head, body = server.ask(server.head(b"Content-Length: 1000") + b"{")
    assert (status, json.loads(body)["status"]) == (408, "408")
    assert "close" in head

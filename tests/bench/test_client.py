"""The load generator: it keeps connections, follows a closing server, refuses a wrong status."""

import socket
import threading
from contextlib import contextmanager

import pytest

from bench.client import WrongReply, ask, drive

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nokay"
CLOSED = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nConnection: close\r\n\r\nokay"
REFUSED = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(reply):
    """Answer every request with the same bytes; yield the port and the list of connections."""
    opened = []

    def serve(connection):
        with connection:
            while connection.recv(65_536):
                # In two parts, as a network may bring it.
                connection.sendall(reply[:30])
                connection.sendall(reply[30:])
                if b"close" in reply:
                    return

    def accept():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            opened.append(connection)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1], opened


def talk(number):
    body = b""
    while True:
        body = yield ask("POST", f"/{number}", body=b"{}")
        assert body == b"okay"


def test_connections_are_kept_and_every_request_is_counted():
    with server(OK) as (port, opened):
        found = drive(port, talk, 3, 0.1)
    assert len(opened) == 3
    assert found.count >= 3
    assert min(found.latencies_ms) > 0
    assert found.client_ms > 0


def test_a_server_that_closes_is_connected_to_again():
    with server(CLOSED) as (port, opened):
        found = drive(port, talk, 2, 0.1)
        assert found.count >= 2
        assert len(opened) >= found.count


def test_a_wrong_status_ends_the_run():
    with server(REFUSED) as (port, _), pytest.raises(WrongReply, match="409"):
        drive(port, talk, 2, 5)

"""The load generator: threads with plain sockets, each one request at a time, kept alive.

It costs 0.03 to 0.05 ms of CPU a request, outside of what is measured; every result says how much.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

TIMEOUT_S = 120
PART = 262_144
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as bytes, and the statuses that are right."""

    data: bytes
    right: tuple[int, ...] = (200,)


# What one connection says: it yields requests, is sent the body of each reply, never ends.
Talk = Generator[Ask, bytes, None]


class WrongReply(Exception):
    """A status that is not right, or bytes that are no reply."""


def ask(
    method: str,
    path: str,
    *,
    headers: str = "",
    body: bytes = b"",
    right: tuple[int, ...] = (200,),
) -> Ask:
    """Return a request; `headers` are whole lines, each with its CRLF."""
    length = f"Content-Length: {len(body)}\r\n" if body or method != "GET" else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{length}\r\n"
    return Ask(head.encode() + body, right)


class Connection:
    """One connection to a server; opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None

    def send(self, request: Ask) -> bytes:
        """Send a request; return the reply's body. Raises WrongReply."""
        return self.exchange(request)[1]

    def exchange(self, request: Ask) -> tuple[bytes, bytes]:
        """Send a request; return the reply's head and body. Raises WrongReply."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request.data)
        head, body = self._receive()
        if _CLOSE.search(head):
            self.close()
        status = int(head[9:12])
        if status not in request.right:
            sent, got = request.data[:300], body[:500]
            raise WrongReply(f"{status} to {sent!r}: {got!r}")
        return head, body

    def _receive(self) -> tuple[bytes, bytes]:
        assert self._socket is not None  # noqa: S101
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            part = self._socket.recv(PART)
            if not part:
                raise WrongReply(f"the server closed the connection after {got!r}")
            got += part
        head, body = got[: end + 4], got[end + 4 :]
        found = _LENGTH.search(head)
        if found is None:
            if head[9:12] == b"204":
                return head, body
            raise WrongReply(f"no Content-Length in {head!r}")
        missing = int(found[1]) - len(body)
        if missing <= 0:
            return head, body
        parts = [body]
        while missing > 0:
            part = self._socket.recv(PART)
            if not part:
                raise WrongReply("the server closed the connection inside a body")
            parts.append(part)
            missing -= len(part)
        return head, b"".join(parts)

    def close(self) -> None:
        """Close; the next request opens it again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@dataclass(slots=True)
class Drive:
    """What a run brought: the milliseconds of each request, and how long all took."""

    latencies_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    client_ms: float = 0.0  # CPU of the generator itself

    @property
    def count(self) -> int:
        return len(self.latencies_ms)


def drive(port: int, talk: Callable[[int], Talk], connections: int, seconds: float) -> Drive:
    """Talk over some connections for some seconds; each ends its request. Raises WrongReply.

    `talk` gets the number of its connection.
    """
    found, wrong = Drive(), list[Exception]()
    lock = threading.Lock()
    talks = [talk(number) for number in range(connections)]
    firsts = [next(one) for one in talks]
    start = time.perf_counter()
    cpu = time.process_time()
    until = start + seconds

    def run(one: Talk, request: Ask) -> None:
        connection, latencies = Connection(port), []
        clock = time.perf_counter
        try:
            now = clock()
            while not wrong:
                began = now
                body = connection.send(request)
                now = clock()
                latencies.append((now - began) * 1000)
                if now >= until:
                    break
                request = one.send(body)
        except (OSError, ValueError, WrongReply) as error:
            wrong.append(error)
        finally:
            connection.close()
            with lock:
                found.latencies_ms += latencies

    threads = [threading.Thread(target=run, args=pair) for pair in zip(talks, firsts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - start
    found.client_ms = (time.process_time() - cpu) * 1000
    if wrong:
        raise wrong[0]
    return found
